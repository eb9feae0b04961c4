// control/daemon/store_supervisor.h
// Keeps one embedded store running: starts it, waits until it answers, starts it again when it dies, stops it at the
// end.
//
//   start    what a killed predecessor left behind is waited for (PDEATHSIG is stopping it), then asked to stop, then
//            killed: two servers on one data directory would destroy it
//   restart  after kBackoffFirst, doubling to kBackoffMost; kHealthyAfter of life sets it back
//   stop     the store's own steps, each with its patience; comes back when the process is gone
//   errors   local_fault (cannot be executed), unavailable (ended or did not answer within kStartMax: detail has its
//   last words)
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "control/daemon/embedded_store.h"
#include "engine/base/metrics.h"

namespace penguin::control {

inline constexpr std::chrono::milliseconds kProbePause{20};
inline constexpr std::chrono::minutes kStartMax{10}; // crash recovery of a busy database, or loading a large AOF
inline constexpr std::chrono::milliseconds kBackoffFirst{250};
inline constexpr std::chrono::seconds kBackoffMost{30};
inline constexpr std::chrono::seconds kHealthyAfter{60};
inline constexpr std::chrono::seconds kSurvivorPatience{10};

class StoreSupervisor {
public:
    // `waiting` is called about once a second while a start takes long: for systemd's start time.
    StoreSupervisor(asio::any_io_executor executor, std::unique_ptr<EmbeddedStore> store, std::function<void()> waiting,
                    Registry& metrics);

    awaitable<Result<>> start();
    awaitable<void> stop();
    bool ready() const { return ready_; } // main thread

    const EmbeddedStore& store() const { return *store_; }
    std::optional<pid_t> pid() const;

private:
    awaitable<Result<>> launch();
    awaitable<Result<>> wait_until_ready();
    awaitable<Result<>> clear_survivors();
    awaitable<void> watch();                  // restarts it until we stop
    awaitable<void> bury(ChildProcess child); // waits for the end of one process
    awaitable<bool> gone_within(Duration limit);
    awaitable<void> pause(Duration time); // ends early when we stop

    asio::any_io_executor executor_;
    std::unique_ptr<EmbeddedStore> store_;
    std::function<void()> waiting_;
    Counter& restarts_;
    Gauge& up_;
    std::optional<ChildProcess> child_;
    asio::steady_timer pause_;
    asio::steady_timer gone_; // never expires: cancelled when the child has ended
    std::string how_it_ended_;
    bool ready_ = false;
    bool stopping_ = false;
    bool watching_ = false;
};

} // namespace penguin::control
