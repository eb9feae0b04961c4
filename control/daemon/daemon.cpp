#include "control/daemon/daemon.h"

#include <csignal>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "control/daemon/part_options.h"
#include "control/daemon/schema.h"
#include "engine/base/log.h"

namespace penguin::control {

namespace {

using namespace std::chrono_literals;

// Runs what blocks on another thread, and comes back to ours.
template <class Work>
awaitable<std::invoke_result_t<Work>> aside(asio::thread_pool& pool, Work work)
{
    using Value = std::invoke_result_t<Work>;
    auto task = [](Work run) -> awaitable<Value> { co_return run(); };
    co_return co_await asio::co_spawn(pool, task(std::move(work)), asio::use_awaitable);
}

std::string what_of(const std::exception_ptr& thrown)
{
    try {
        std::rethrow_exception(thrown);
    } catch (const std::exception& known) {
        return known.what();
    } catch (...) {
        return "unknown";
    }
}

EmbeddedStores::Options store_options(const Config& config, const StateDir& dir, const Notifier& notifier)
{
    return {.dir = dir,
            .redis = config.redis.url.empty(),
            .postgres = config.database.embedded(),
            .redis_maxmemory = config.redis.embedded_maxmemory,
            .postgres_shared_buffers = config.database.embedded_shared_buffers,
            .waiting = [&notifier] { notifier.more_time(); }};
}

} // namespace

Daemon::Daemon(Config config)
    : config_{std::move(config)},
      dir_{config_.node.state_dir},
      asked_{loop_},
      stores_{loop_.get_executor(), store_options(config_, dir_, notifier_), metrics_}
{
    asked_.expires_at(SteadyTime::max());
}

Daemon::~Daemon() = default;

int Daemon::run()
{
    signals_.add(SIGTERM);
    signals_.add(SIGINT);
    when_signalled();
    int status = 1;
    asio::co_spawn(loop_, life(), [&](const std::exception_ptr& thrown, int ended) {
        status = thrown ? 1 : ended;
        if (thrown) log::error("daemon", "fault", {{"why", what_of(thrown)}});
        loop_.stop();
    });
    loop_.run();
    beside_.join();
    return status;
}

void Daemon::when_signalled()
{
    signals_.async_wait([this](const error_code& code, int number) {
        if (code) return;
        log::info("daemon", "stop_asked", {{"signal", number}});
        stop_asked_ = true;
        asked_.cancel();
        when_signalled();
    });
}

awaitable<int> Daemon::life()
{
    const Result<> begun = co_await begin();
    if (begun) {
        notifier_.ready();
        log::info("daemon", "ready", {{"state_dir", dir_.path().string()}});
        asio::co_spawn(loop_, feed_watchdog(), asio::detached);
        co_await until_asked_to_stop();
    } else {
        log::error("daemon", "start_failed", {{"why", begun.error().detail}});
    }
    notifier_.stopping();
    co_await end(begun ? config_.node.stop_drain : 0s); // nobody was sent to one that never was ready
    log::info("daemon", "stopped");
    co_return begun ? 0 : 1;
}

awaitable<Result<>> Daemon::begin()
{
    if (Result<> made = dir_.create(); !made) co_return made;
    Result<StateLock> lock = StateLock::take(dir_);
    if (!lock) co_return std::unexpected{lock.error()};
    lock_.emplace(std::move(*lock));
    const Result<NodeName> node = node_name(config_.node);
    if (!node) co_return std::unexpected{node.error()};

    notifier_.status("starting the stores");
    if (Result<> started = co_await stores_.start(); !started) co_return started;
    notifier_.more_time();
    notifier_.status("bringing the schema up to date");
    Result<> schema = co_await aside(beside_, [this] { return ready_schema(config_.database, dir_); });
    if (!schema) co_return schema;

    notifier_.more_time();
    notifier_.status("starting the service");
    const bool crashed = crashed_before(dir_, node->value());
    if (crashed) log::warning("daemon", "crashed_before", {{"node", node->value()}});
    if (Result<> written = write_running(dir_, node->value()); !written) co_return written;
    Result<std::unique_ptr<Service>> service = Service::make(config_, dir_, *node, crashed, metrics_);
    if (!service) co_return std::unexpected{service.error()};
    service_ = std::move(*service);
    Result<> started = co_await aside(beside_, [this] { return service_->start(); });
    co_return started;
}

awaitable<void> Daemon::until_asked_to_stop()
{
    while (!stop_asked_) co_await asked_.async_wait(use_result);
}

// The watchdog hears from us only while every loop of the service has answered lately: a daemon that hangs is started anew.
awaitable<void> Daemon::feed_watchdog()
{
    const auto pause = Notifier::watchdog_pause();
    if (!pause) co_return;
    while (true) {
        if (service_ && service_->alive())
            notifier_.alive();
        else
            log::error("daemon", "watchdog_not_fed");
        if (!co_await sleep_for(*pause)) co_return;
    }
}

awaitable<void> Daemon::end(std::chrono::seconds drain)
{
    if (service_) {
        const std::chrono::seconds grace = config_.node.stop_grace;
        notifier_.more_time(drain + grace + Notifier::kMoreTime);
        service_->say_stopping();
        asked_.expires_after(drain);
        co_await asked_.async_wait(use_result); // a second signal ends it
        const bool name_given_up = co_await aside(beside_, [=, this] { return service_->stop(grace); });
        if (const Result<NodeName> node = node_name(config_.node); name_given_up && node) {
            const Result<> written = write_stopped(dir_, node->value());
            if (!written) log::error("daemon", "state_not_written", {{"why", written.error().detail}});
        }
    }
    notifier_.more_time();
    co_await stores_.stop();
}

int run_migrations(const Config& config)
{
    if (config.database.embedded()) {
        log::info("daemon", "nothing_to_migrate",
                  {{"why", "`serve` keeps the schema of its own PostgreSQL up to date"}});
        return 0;
    }
    const StateDir dir{config.node.state_dir};
    const Result<std::vector<std::string>> applied = migrate_schema(config.database, dir);
    if (!applied) {
        log::error("daemon", "migrate_failed", {{"why", applied.error().detail}});
        return 1;
    }
    for (const std::string& name : *applied) log::info("daemon", "migrated", {{"migration", name}});
    log::info("daemon", "schema_up_to_date", {{"applied", applied->size()}});
    return 0;
}

} // namespace penguin::control
