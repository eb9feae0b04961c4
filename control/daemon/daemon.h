// control/daemon/daemon.h
// `penguin-mta serve`, seen from the main thread: the lock, the embedded stores, the schema, the service, signals and
// systemd, in the order in which they begin, and backwards at the end.
//
//   begins   lock -> embedded stores -> migrations -> service -> ready
//   ends     SIGTERM or SIGINT -> service (mail in a transaction is finished, the rest handed back) -> stores
//   exit     0 after a stop that was asked for; 1 when something could not start (the log says what)
//   threads  the main thread runs a loop of its own, because the stores must be its children; what blocks (migrations, the
//            service's stop) runs beside it, so that a store that dies meanwhile is still seen to
#pragma once

#include <memory>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/thread_pool.hpp>

#include "control/daemon/config.h"
#include "control/daemon/embedded_stores.h"
#include "control/daemon/notifier.h"
#include "control/daemon/service.h"
#include "control/daemon/state_dir.h"
#include "engine/base/metrics.h"

namespace penguin::control {

class Daemon {
public:
    explicit Daemon(Config config);
    ~Daemon();
    int run();

private:
    awaitable<int> life();
    awaitable<Result<>> begin();
    awaitable<Result<>> bring_schema_up();
    awaitable<void> until_asked_to_stop();
    awaitable<void> feed_watchdog();
    awaitable<void> end(std::chrono::seconds drain);
    void when_signalled();

    Config config_;
    StateDir dir_;
    Notifier notifier_;
    Registry metrics_;
    std::optional<StateLock> lock_;
    asio::io_context loop_;
    asio::thread_pool beside_{1};
    asio::signal_set signals_{loop_};
    asio::steady_timer asked_; // does not expire before we stop: cancelled by a signal
    bool stop_asked_ = false;
    EmbeddedStores stores_;
    std::unique_ptr<Service> service_;
};

// `penguin-mta migrate`: 0 when the schema is up to date afterwards. Says what it did.
int run_migrations(const Config& config);

} // namespace penguin::control
