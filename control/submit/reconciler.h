// control/submit/reconciler.h
// Queues again what Redis has lost: of each unfinished batch the messages whose bit is clear and that, read after that, have no
// final event (DESIGN 5). What a node told as late is skipped by `enqueue`, so nothing is repeated that a journal knows.
//
//   by itself  after Redis may have lost data (a new epoch), once all live nodes have told their journals and Options::wait
//              has passed: by then a node that has not been heard of has no lease, and nothing of what it has is sent
//   at will    `reconcile`: it finds nothing where nothing is lost. Until the time above it refuses (unavailable): what nodes
//              hold may not be in Redis again, and would be queued a second time. The script that queues refuses as well when
//              Redis loses data meanwhile.
//   again      with the attempts that the ledger knows, and not before the time that the last one set
//   restored   an older PostgreSQL is refused; of one that was accepted, only batches from after that (ledger/database_age.h)
//   limits     batches of the last kLookBackDays; kPageBatches and about kPieceMessages at a time in memory
//   threads    belongs to the control executor
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "control/db/database.h"
#include "engine/base/metrics.h"
#include "engine/queue/send_queue.h"

namespace penguin::control::submit {

inline constexpr int kLookBackDays = 15;             // longer than a message may live
inline constexpr std::size_t kPageBatches = 500;     // rows without their recipients
inline constexpr std::size_t kPieceMessages = 5'000; // whose events are asked for at once
inline constexpr std::chrono::seconds kLookEvery{2};

struct Reconciled {
    std::size_t batches = 0;    // looked at
    std::size_t unfinished = 0; // of them, with a message that has no final event
    std::size_t queued = 0;     // messages that were lost and are queued again
};

class Reconciler {
public:
    struct Options {
        PoolName pool{"default"};
        std::chrono::seconds wait{40}; // more than a node's lease
    };
    // `database` as pm_worker.
    Reconciler(db::Database& database, queue::SendQueue& queue, std::function<void()> on_enqueued, Options options,
               Registry& metrics);

    // Looks until stop() or the coroutine is cancelled.
    awaitable<void> run();
    // Reconciles when it is time. For run() and tests.
    awaitable<Result<>> look(SteadyTime now);
    awaitable<Result<Reconciled>> reconcile(SteadyTime now);
    void stop() { stopped_ = true; }

private:
    struct Batch;
    struct Piece;
    struct Moment {
        queue::Epoch epoch;
        bool may_reconcile = false;
    };
    awaitable<Result<Moment>> moment(SteadyTime now);
    awaitable<Result<Reconciled>> reconcile_in(const queue::Epoch& epoch);
    awaitable<Result<std::vector<Batch>>> unfinished_of_page(std::optional<WallTime> since, Batch& last,
                                                             std::size_t& batches);
    awaitable<Result<std::size_t>> queue_lost(const queue::Epoch& epoch, const std::vector<Batch>& batches);
    awaitable<Result<std::size_t>> queue_pieces(const queue::Epoch& epoch, const std::vector<Piece>& pieces);
    awaitable<Result<std::vector<queue::Entry>>> lost_of(const std::vector<Piece>& pieces);
    awaitable<Result<std::size_t>> enqueue(const queue::Epoch& epoch, std::vector<queue::Entry> entries);
    awaitable<Result<>> cancel(const std::vector<Piece>& pieces);

    db::Database& database_;
    queue::SendQueue& queue_;
    std::function<void()> on_enqueued_;
    Options options_;
    std::string epoch_; // seen last
    SteadyTime epoch_seen_{};
    bool stopped_ = false;
    Counter& queued_;
    Counter& runs_;
};

} // namespace penguin::control::submit
