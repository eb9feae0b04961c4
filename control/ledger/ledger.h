// control/ledger/ledger.h
// Takes outcomes from a pool's event stream to PostgreSQL, each once (DESIGN 4.9).
//
//   restored     a database that is behind the position in Redis is not read into: it was restored from a backup
//   one reader   a lock in Redis with a lease; a node that loses it stops, and the position row refuses a second writer
//   a step       reads the entries behind the committed position; suppressions first (idempotent, another tier); then in one
//                transaction events, counters and the position; then clears the messages' bits and trims the stream
//   crash        at any point: what is committed is not read again; what was committed but not confirmed is confirmed again
//                at start
//   late         an outcome told by a node that had lost the entry: an event id that is known is dropped; a message is
//                counted as ended once, whichever of its final events comes first
//   unknown      refusals that no reply rule knew are counted by what they said (unknown_replies.h)
//   text         of foreign servers: NUL and broken UTF-8 become "?", so that no event can stop the ledger
//   quotas       Redis is told what tenants have sent in the month where it does not know (month_counts.h)
//   partitions   of today and kDaysAhead days are made at start and each hour
//   threads      belongs to the control executor
//   crash points ledger.suppress.before/after, ledger.commit.before/after, ledger.confirm.before/after
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "control/db/database.h"
#include "control/ledger/event_batch.h"
#include "engine/base/metrics.h"
#include "engine/queue/send_queue.h"

namespace penguin::control::ledger {

inline constexpr std::size_t kEntriesAStep = 50; // stream entries, of up to 100 events each
inline constexpr std::chrono::milliseconds kIdlePause{100};
inline constexpr std::size_t kGatherEvents = 500; // after a step of fewer: a pause
inline constexpr std::chrono::milliseconds kGatherPause{20};
inline constexpr std::chrono::seconds kLockPause{2};       // another node holds the lock
inline constexpr std::chrono::milliseconds kPauseMin{200}; // after an error, doubling
inline constexpr std::chrono::milliseconds kPauseMax{5'000};
inline constexpr int kDaysAhead = 3;
inline constexpr std::chrono::hours kPartitionsEvery{1};
inline constexpr std::chrono::milliseconds kCountEvery{200}; // tenants whose month Redis wants to know

class Ledger {
public:
    // `database` as pm_worker.
    Ledger(db::Database& database, queue::SendQueue& queue, PoolName pool, Registry& metrics);

    // Steps until stop() or the coroutine is cancelled.
    awaitable<void> run();
    struct Step {
        bool ours = true; // we hold the lock
        std::size_t events = 0;
    };
    awaitable<Result<Step>> step(WallTime now);
    void stop() { stopped_ = true; }

private:
    awaitable<Result<>> open(WallTime now);
    awaitable<Result<>> confirm_again();
    awaitable<Result<>> add_partitions(WallTime now);
    awaitable<Result<>> suppress(const std::vector<queue::Event>& events, WallTime now);
    awaitable<Result<>> commit(const std::vector<queue::Event>& events, std::string position, WallTime now);
    awaitable<Result<>> confirm(const std::vector<queue::Event>& events, std::string position);

    db::Database& database_;
    queue::SendQueue& queue_;
    PoolName pool_;
    std::optional<std::string> position_; // committed; nothing: to be read from PostgreSQL
    std::uint64_t generation_ = 0;        // of the connection to Redis on which it was read
    std::optional<WallTime> partitions_made_;
    WallTime counted_{};
    bool stopped_ = false;
    Counter& events_;
    Counter& dropped_;
    Counter& suppressions_;
    Counter& failures_;
    Histogram& seconds_;
    Histogram& accept_to_delivered_;
};

} // namespace penguin::control::ledger
