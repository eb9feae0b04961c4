// control/submit/outbox_pump.h
// Takes accepted batches from PostgreSQL to a pool's queue in Redis (DESIGN 4.3), chunk by chunk, fair over tenants: each
// turn goes on behind the tenant where the last one ended, and gives a tenant at most kChunk messages, oldest batch first.
//
//   claim      a chunk is claimed in its batch's row for Options::lease, so several nodes pump side by side
//   repeat     a chunk that was claimed and never recorded may have been enqueued. Then a message goes only when its bit is
//              clear and, read after that, the ledger has no final event of it: nothing is repeated, nothing skipped.
//   small      chunks of a tenant that are neither repeated nor cancelled go in one script call, up to kChunk messages
//   cancelled  what of a cancelled batch is not enqueued yet still goes through the queue, so that its events are told and
//              the counts close; see cancellation.h
//   restored   a database that is behind what its ledger has told Redis would have mail sent again: nothing is done (ledger/database_age.h)
//   faults     Redis full or away, PostgreSQL away: the turn ends, the next one comes after a pause of kPauseMin doubling to
//              kPauseMax
//   threads    belongs to the control executor, as do its database and its SendQueue
//   crash points  pump.claim.after, pump.chunk.before/after (the script call), pump.record.before/after
#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "control/db/database.h"
#include "control/submit/recipients.h"
#include "engine/base/metrics.h"
#include "engine/queue/send_queue.h"

namespace penguin::control::submit {

inline constexpr std::size_t kTenantsATurn = 8;
inline constexpr std::size_t kBatchesATenant = kChunk;      // small ones that share a turn, and its calls
inline constexpr std::chrono::milliseconds kIdlePause{200}; // without a wake
inline constexpr std::chrono::milliseconds kPauseMin{100};
inline constexpr std::chrono::milliseconds kPauseMax{5'000};

class OutboxPump {
public:
    struct Options {
        PoolName pool{"default"};
        std::chrono::seconds lease{30}; // longer than a turn takes
    };
    // `database` as pm_worker. `on_enqueued` is called after each turn that enqueued something: the engine claims at once.
    OutboxPump(db::Database& database, queue::SendQueue& queue, std::function<void()> on_enqueued, Options options,
               Registry& metrics);

    // Turns until stop() or the coroutine is cancelled.
    awaitable<void> run();
    // One turn; gives how many messages it took care of, 0 when there is no work. For run() and tests.
    awaitable<Result<std::size_t>> turn();
    void wake();
    void stop();

private:
    struct Chunk;
    awaitable<Result<std::vector<Chunk>>> claim();
    awaitable<Result<>> enqueue(std::span<Chunk* const> call);
    awaitable<Result<std::vector<queue::Entry>>> still_to_enqueue(const Chunk& chunk,
                                                                  std::vector<queue::Entry> entries);
    static std::size_t length_of_call(std::span<Chunk* const> chunks);
    awaitable<Result<>> record(std::vector<Chunk>& chunks);
    awaitable<Result<>> cancel(const Chunk& chunk, bool only_due);
    awaitable<void> pause(Duration time);

    db::Database& database_;
    queue::SendQueue& queue_;
    std::function<void()> on_enqueued_;
    Options options_;
    TenantId behind_;        // where the last turn ended
    bool age_known_ = false; // that this database is not one restored from a backup
    bool stopped_ = false;
    bool woken_ = false;
    asio::steady_timer* sleeping_ = nullptr;
    Counter& enqueued_;
    Counter& skipped_;
    Counter& repeated_;
    Counter& failed_;
};

} // namespace penguin::control::submit
