// control/settings/pause_keeper.h
// Writes what rules have paused on this node to PostgreSQL, from where every node's snapshot has it.
//
//   in       pauses, from any thread
//   out      rows of control.pauses; settings_version.pauses has moved; `stored` is called
//   merge    with a row about the same thing: the longer one stays, since the first. One that a person resumed after it was made stays
//            resumed; one that was resumed before, or is over, begins anew
//   limits   policy::kPausesMax that wait, kPausesACall a call, kPausesGap between two; kPauseRowsMax rows
//   faults   PostgreSQL away: they wait, and this node holds to them all the same
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <tuple>

#include "control/db/database.h"
#include "engine/base/metrics.h"
#include "engine/base/strong_type.h"
#include "engine/policy/pauses.h"

namespace penguin::control {

inline constexpr std::chrono::milliseconds kPausesGap{500};
inline constexpr std::size_t kPausesACall = 500;
inline constexpr std::size_t kPauseRowsMax = 2 * policy::kPausesMax; // with those that are over
inline constexpr std::chrono::hours kPauseKept{1};                   // behind its end
inline constexpr std::chrono::hours kPausesTidied{1};

class PauseKeeper {
public:
    // `control` as pm_worker.
    PauseKeeper(const asio::any_io_executor& executor, db::PgPool& control, NodeName node, std::function<void()> stored,
                Registry& metrics);

    // Any thread.
    void add(policy::Pause pause);
    // Writes until stop() or the coroutine is cancelled.
    awaitable<void> run();
    // What waits, at most kPausesACall of it. Gives how many are left.
    awaitable<Result<std::size_t>> write(WallTime now);
    awaitable<Result<>> tidy();
    void stop() { stopped_ = true; }

private:
    using Key = std::tuple<policy::PauseScope, std::string, std::string>;
    void take(policy::Pause pause);

    asio::any_io_executor executor_;
    db::PgPool& control_;
    NodeName node_;
    std::function<void()> stored_;
    std::map<Key, policy::Pause> waiting_; // control executor
    bool stopped_ = false;
    Counter& written_;
    Counter& dropped_;
    Counter& failures_;
};

} // namespace penguin::control
