#include "control/daemon/store_supervisor.h"

#include <algorithm>
#include <csignal>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <fmt/format.h>

#include "engine/base/log.h"

namespace penguin::control {

using namespace std::chrono_literals;

StoreSupervisor::StoreSupervisor(asio::any_io_executor executor, std::unique_ptr<EmbeddedStore> store,
                                 std::function<void()> waiting, Registry& metrics)
    : executor_{std::move(executor)},
      store_{std::move(store)},
      waiting_{std::move(waiting)},
      restarts_{metrics.counter("penguin_store_restarts_total", "Times an embedded store died and was started again",
                                {{"store", store_->name()}})},
      up_{metrics.gauge("penguin_store_up", "1 while the embedded store answers", {{"store", store_->name()}})},
      pause_{executor_},
      gone_{executor_}
{
    gone_.expires_at(SteadyTime::max());
}

std::optional<pid_t> StoreSupervisor::pid() const
{
    if (!child_ || !child_->running()) return std::nullopt;
    return child_->pid();
}

awaitable<Result<>> StoreSupervisor::start()
{
    Result<> launched = co_await launch();
    if (!launched) co_return launched;
    watching_ = true;
    asio::co_spawn(executor_, watch(), asio::detached);
    co_return Result<>{};
}

awaitable<Result<>> StoreSupervisor::launch()
{
    if (Result<> cleared = co_await clear_survivors(); !cleared) co_return cleared;
    if (Result<> prepared = co_await store_->prepare(); !prepared) co_return prepared;
    if (stopping_) co_return fail(Errc::cancelled, "stopping");
    const Result<ChildCommand> command = store_->command();
    if (!command) co_return std::unexpected{command.error()};
    Result<ChildProcess> child = ChildProcess::start(executor_, *command);
    if (!child) co_return std::unexpected{child.error()};
    child_.emplace(std::move(*child));
    asio::co_spawn(executor_, bury(*child_), asio::detached);
    Result<> answered = co_await wait_until_ready();
    if (!answered) co_return answered;
    ready_ = true;
    up_.set(1);
    log::info(store_->name(), "store_ready", {{"pid", child_->pid()}});
    co_return Result<>{};
}

awaitable<void> StoreSupervisor::bury(ChildProcess child)
{
    how_it_ended_ = co_await child.ended();
    ready_ = false;
    up_.set(0);
    gone_.cancel();
}

awaitable<Result<>> StoreSupervisor::wait_until_ready()
{
    const SteadyTime begin = std::chrono::steady_clock::now();
    SteadyTime said = begin;
    while (true) {
        if (!child_->running())
            co_return fail(Errc::unavailable, fmt::format("{} ended while it started ({}): {}", store_->name(),
                                                          how_it_ended_, child_->last_words()));
        const bool answers = co_await store_->ready(child_->pid());
        if (answers) co_return Result<>{};
        if (stopping_) co_return fail(Errc::cancelled, "stopping");
        const SteadyTime now = std::chrono::steady_clock::now();
        if (now - begin > kStartMax)
            co_return fail(Errc::unavailable,
                           fmt::format("{} does not answer: {}", store_->name(), child_->last_words()));
        if (waiting_ && now - said > 1s) {
            waiting_();
            said = now;
        }
        co_await pause(kProbePause);
    }
}

// A process found in the store's directory is a leftover: its parent, which held the state directory's lock, is dead.
// The kernel told it to stop at that moment; a large database needs a while to do so.
awaitable<Result<>> StoreSupervisor::clear_survivors()
{
    std::vector<StopStep> steps = store_->stop_steps();
    steps.insert(steps.begin(), StopStep{0, kSurvivorPatience});
    for (const StopStep& step : steps) {
        const SteadyTime until = std::chrono::steady_clock::now() + step.patience;
        std::vector<pid_t> left = processes_in(store_->directory());
        if (left.empty()) co_return Result<>{};
        log::warning(store_->name(), "survivor_found",
                     {{"pid", left.front()}, {"processes", left.size()}, {"signal", step.signal}});
        for (const pid_t pid : left)
            if (step.signal != 0) ::kill(pid, step.signal);
        while (!left.empty() && std::chrono::steady_clock::now() < until) {
            if (waiting_) waiting_();
            co_await pause(kProbePause);
            left = processes_in(store_->directory());
        }
    }
    if (processes_in(store_->directory()).empty()) co_return Result<>{};
    co_return fail(Errc::unavailable,
                   fmt::format("another {} holds {} and does not end", store_->name(), store_->directory().string()));
}

awaitable<void> StoreSupervisor::watch()
{
    std::chrono::milliseconds backoff = kBackoffFirst;
    SteadyTime since = std::chrono::steady_clock::now();
    while (!stopping_) {
        const bool gone = co_await gone_within(kHealthyAfter);
        if (stopping_) break;
        if (!gone) {
            if (std::chrono::steady_clock::now() - since >= kHealthyAfter) backoff = kBackoffFirst;
            continue;
        }
        log::error(store_->name(), "store_died",
                   {{"how", how_it_ended_}, {"last_words", child_->last_words()}, {"again_in_ms", backoff.count()}});
        co_await pause(backoff);
        backoff = std::min<std::chrono::milliseconds>(backoff * 2, kBackoffMost);
        if (stopping_) break;
        restarts_.add();
        const Result<> launched = co_await launch();
        since = std::chrono::steady_clock::now();
        if (launched || stopping_) continue;
        log::error(store_->name(), "store_restart_failed", {{"why", launched.error().detail}});
        child_->signal_group(SIGKILL); // it may run without answering
    }
    watching_ = false;
    gone_.cancel();
}

awaitable<bool> StoreSupervisor::gone_within(Duration limit)
{
    const SteadyTime until = std::chrono::steady_clock::now() + limit;
    while (child_ && child_->running() && !stopping_) {
        if (std::chrono::steady_clock::now() >= until) co_return false;
        gone_.expires_at(until);
        co_await gone_.async_wait(use_result);
    }
    co_return !(child_ && child_->running());
}

awaitable<void> StoreSupervisor::pause(Duration time)
{
    pause_.expires_after(time);
    co_await pause_.async_wait(use_result);
}

awaitable<void> StoreSupervisor::stop()
{
    stopping_ = true;
    pause_.cancel();
    gone_.cancel();
    for (const StopStep& step : store_->stop_steps()) {
        if (!child_ || !child_->running()) break;
        if (step.signal == SIGKILL)
            child_->signal_group(SIGKILL);
        else
            child_->signal(step.signal);
        const SteadyTime until = std::chrono::steady_clock::now() + step.patience;
        while (child_->running() && std::chrono::steady_clock::now() < until) co_await sleep_for(kProbePause);
    }
    while (watching_) co_await sleep_for(kProbePause);
    log::info(store_->name(), "store_stopped", {{"how", how_it_ended_}});
}

} // namespace penguin::control
