// control/daemon/pool_workers.h
// Control's side of each pool that has a source on this node: the outbox pump and the ledger, on one Redis connection, with
// sizes of the queue as metrics. Pools come with the settings, as the engine's dispatchers do; one that lost its last source
// goes on, so that what is queued still gets its events into the ledger.
//
//   threads  belongs to the control executor
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "control/db/database.h"
#include "control/ledger/ledger.h"
#include "control/submit/outbox_pump.h"
#include "control/submit/reconciler.h"
#include "engine/delivery/settings.h"
#include "engine/queue/send_queue.h"

namespace penguin::control {

inline constexpr std::chrono::seconds kSizesEvery{10}; // metrics of the queue

class PoolWorkers {
public:
    struct Parts {
        asio::any_io_executor executor;
        queue::RedisConnection& redis;
        db::Database& worker; // as pm_worker
        submit::OutboxPump::KeepContent keep_content;
        std::function<void()> on_enqueued; // wakes the engine
        Registry& metrics;
    };
    PoolWorkers(Parts parts, queue::SendQueue::Options queue_options);
    ~PoolWorkers();

    void apply(const delivery::Settings& settings);
    // A batch was accepted: pump now.
    void wake();
    // Any pool's queue, also one without a source here.
    queue::SendQueue& queue(const PoolName& pool);
    // Takes what is still queued of a batch out of its pool's queue. Errors: not_found, unavailable.
    awaitable<Result<std::size_t>> cancel(TenantId tenant, BatchId batch);

    // Queues again what Redis has lost of a pool. Errors: not_found, unavailable (also while it is not known yet what nodes
    // hold), full, conflict (the database is older than Redis, and `accept_restored_database` was not given).
    awaitable<Result<submit::Reconciled>> reconcile(PoolName pool, bool accept_restored_database);

    // Ends what has begun, at most for `limit`.
    awaitable<void> stop(Duration limit);

private:
    struct Pool;
    void open(const PoolName& name);
    awaitable<void> measure(Pool& pool);

    Parts parts_;
    queue::SendQueue::Options queue_options_;
    std::map<PoolName, std::unique_ptr<queue::SendQueue>> queues_;
    std::map<PoolName, std::unique_ptr<Pool>> pools_;
    std::size_t running_ = 0; // coroutines that have not ended
    bool stopping_ = false;
};

} // namespace penguin::control
