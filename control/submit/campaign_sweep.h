// control/submit/campaign_sweep.h
// Takes what is queued of cancelled campaigns out of the queue, so that it ends as `cancelled` also where no node would claim it.
// The engine sends nothing of them as soon as it has the settings; this is how their counts close.
//
//   a sweep   batches that the pump has not finished are marked: it enqueues the rest held and takes it out (outbox_pump.h);
//             then each list of the tenant is read once, in every pool that has the campaign's batches
//   again     a sweep takes the campaign's row for kSweepAgain: that is its lease, should this node die, and the time of the
//             second and last one, for what nodes with older settings put back meanwhile
//   threads   belongs to the control executor
#pragma once

#include <chrono>
#include <functional>
#include <set>
#include <string>

#include "control/db/database.h"
#include "engine/base/metrics.h"
#include "engine/queue/send_queue.h"

namespace penguin::control::submit {

inline constexpr std::chrono::seconds kSweepLook{1};
inline constexpr std::chrono::seconds kSweepAgain{60};
inline constexpr std::chrono::seconds kSweepLast{30}; // after the change: a sweep that begins later is the last
inline constexpr std::size_t kBatchesMarked = 5'000;  // rows of one statement

class CampaignSweep {
public:
    // `database` as pm_worker; `queue_of` gives the queue of any pool.
    CampaignSweep(db::Database& database, std::function<queue::SendQueue&(const PoolName&)> queue_of,
                  Registry& metrics);

    // Looks until stop() or the coroutine is cancelled.
    awaitable<void> run();
    // One sweep, when one is due. Gives whether one was. For run() and tests.
    awaitable<Result<bool>> look();
    void stop() { stopped_ = true; }

private:
    struct Due;
    awaitable<Result<std::optional<Due>>> claim();
    awaitable<Result<>> sweep(const Due& due);
    awaitable<Result<>> mark_batches(CampaignKey campaign);
    awaitable<Result<std::set<PoolName>>> pools_of(CampaignKey campaign);
    awaitable<Result<>> finish(CampaignKey campaign);

    db::Database& database_;
    std::function<queue::SendQueue&(const PoolName&)> queue_of_;
    bool stopped_ = false;
    Counter& cancelled_;
    Counter& failed_;
};

} // namespace penguin::control::submit
