// control/warmup/warmup_keeper.h
// Moves the warm-up of this node's sources: once a day by the day that is over, at once when a day goes wrong. What is decided and
// why policy/warmup/decision.h says; this reads the numbers, writes the decision and tells the nodes.
//
//   a day     is judged kDaySettles after its end, when the ledger has what was sent in it; by no more than its last day, when
//             nobody was there for longer
//   once      who moves a lane's `decided` and stage from what was read has the decision; anybody else's is dropped
//   told      each decision is a row of control.warmup_decisions; one that moves something is a change of the settings
//   counts    of today are given to the engine at each look: a node whose Redis lost its own has them again
//   rows      decisions and signals older than kKept are deleted, once a day
//   threads   belongs to the control executor
#pragma once

#include <chrono>
#include <functional>
#include <vector>

#include "control/db/database.h"
#include "control/warmup/warmup_rows.h"
#include "engine/base/metrics.h"
#include "engine/queue/warmup_count.h"

namespace penguin::control {

inline constexpr std::chrono::seconds kWarmupLook{30};
inline constexpr std::chrono::minutes kDaySettles{10};
inline constexpr std::chrono::days kWarmupKept{400};

class WarmupKeeper {
public:
    using Counted = std::function<void(SourceId, policy::Day, queue::WarmupCounts)>;
    // `database` as pm_worker. `changed`: the settings moved.
    WarmupKeeper(db::Database& database, NodeName node, Counted counted, std::function<void()> changed,
                 Registry& metrics);

    // Looks every kWarmupLook until stop() or the coroutine is cancelled.
    awaitable<void> run();
    // Once; gives how many decisions were made.
    awaitable<Result<std::size_t>> look(WallTime now);
    void stop() { stopped_ = true; }

private:
    struct Judged {
        policy::WarmupDecision decision;
        policy::Day day;
        policy::WarmupState after;
    };
    awaitable<Result<std::vector<WarmupLaneRow>>> read_lanes(policy::Day today);
    awaitable<Result<std::vector<SignalRow>>> read_signals(std::vector<std::string> subjects, policy::Day today);
    std::optional<Judged> judge(const WarmupLaneRow& lane, const WarmupDays& days,
                                const std::vector<SignalRow>& signals, WallTime now) const;
    awaitable<Result<bool>> write(WarmupLaneRow lane, Judged judged);
    void tell_counts(const std::vector<WarmupLaneRow>& lanes, const WarmupDays& days, policy::Day today) const;
    awaitable<Result<>> forget_old(policy::Day today);

    db::Database& database_;
    NodeName node_;
    Counted counted_;
    std::function<void()> changed_;
    Registry& metrics_;
    Counter& failures_;
    std::optional<policy::Day> tidied_;
    bool stopped_ = false;
};

} // namespace penguin::control
