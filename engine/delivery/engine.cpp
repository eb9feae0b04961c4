#include "engine/delivery/engine.h"

#include <algorithm>
#include <future>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "engine/base/log.h"
#include "engine/delivery/dispatcher.h"
#include "engine/delivery/inbox.h"
#include "engine/delivery/shard.h"
#include "engine/dns/dns_cache.h"

namespace penguin::delivery {

namespace {

constexpr std::chrono::seconds kBeat{1};
constexpr std::size_t kHostsKept = 8'192;        // answers of a record type
constexpr std::chrono::seconds kSettleLimit{10}; // after the grace: telling Redis what came of it all

std::unique_ptr<dns::CaresResolver> open_resolver(const asio::any_io_executor& executor,
                                                  const dns::CaresResolver::Options& options, Registry& metrics)
{
    auto resolver = dns::CaresResolver::open(executor, options, metrics);
    if (!resolver) throw std::runtime_error{"dns: " + resolver.error().detail};
    return std::move(*resolver);
}

} // namespace

struct Engine::State {
    State(EngineOptions chosen, EngineParts given, std::shared_ptr<const Settings> first)
        : options{std::move(chosen)},
          parts{std::move(given)},
          settings{std::move(first)},
          workers{options.workers},
          redis{io.get_executor(), options.redis},
          resolver{open_resolver(io.get_executor(), options.dns, parts.metrics)},
          hosts{*resolver, {.entries_max = kHostsKept}, parts.metrics},
          routes{hosts, options.targets, options.routes},
          contents{io.get_executor(), parts.contents, workers, options.contents_max},
          maker{contents, parts.signer, workers}
    {
        for (std::size_t i = 0; i < options.shards; ++i)
            shards.push_back(std::make_unique<Shard>(shard_options(), maker, settings));
    }

    Shard::Options shard_options()
    {
        return {.timeouts = options.timeouts,
                .starttls = options.starttls,
                .smtp_port = options.smtp_port,
                .lease_holds = [this] { return lease_holds(); },
                .finish = [this](Finished one) { finished.put(std::move(one)); }};
    }

    // Any thread: every pool's lease is renewed by the same loop on the same connection.
    bool lease_holds()
    {
        const std::lock_guard lock{mutex};
        return std::ranges::all_of(dispatchers, [](const auto& entry) { return entry.second->lease_holds(); });
    }

    void offer(JobPtr job)
    {
        const std::size_t place = std::hash<SiteName>{}((*job->route)->site) % shards.size();
        shards[place]->offer(std::move(job));
    }

    // Pools that have a source here get a dispatcher; one that lost its last source goes on, and holds for want of it.
    void open_pools()
    {
        for (const SourceSettings& source : settings->sources) {
            if (dispatchers.contains(source.pool) || stopping) continue;
            Dispatcher::Options chosen{.queue = options.queue,
                                       .journal = options.journal,
                                       .crashed_before = options.crashed_before,
                                       .window = options.window,
                                       .retry = options.retry,
                                       .backoff = options.lane_backoff,
                                       .store_pause = options.store_pause};
            chosen.queue.pool = source.pool;
            chosen.journal.folder /= source.pool.value();
            auto dispatcher = std::make_unique<Dispatcher>(io.get_executor(), std::move(chosen), dispatcher_parts());
            Dispatcher& opened = *dispatcher;
            opened.hold(held);
            {
                const std::lock_guard lock{mutex};
                dispatchers.emplace(source.pool, std::move(dispatcher));
            }
            ++running;
            asio::co_spawn(io, opened.run(), [this](const std::exception_ptr& failure) { ended(failure); });
        }
    }

    Dispatcher::Parts dispatcher_parts()
    {
        return {.redis = redis,
                .routes = routes,
                .return_path = parts.return_path,
                .metrics = parts.metrics,
                .offer = [this](JobPtr job) { offer(std::move(job)); },
                .cut =
                    [this] {
                        for (const auto& shard : shards) shard->cut_lanes();
                    },
                .settings = [this] { return settings; },
                .share_pause = parts.share_pause};
    }

    // A dispatcher's coroutine ended: by `stop`, or by a fault that must not pass in silence.
    void ended(const std::exception_ptr& failure)
    {
        --running;
        if (failure) {
            try {
                std::rethrow_exception(failure);
            } catch (const std::exception& fault) {
                log::error("delivery", "dispatcher_failed", {{"why", fault.what()}});
            }
        }
        if (stopping && running == 0) all_ended.set_value();
    }

    awaitable<void> beat()
    {
        bool more = true;
        while (more) {
            last_beat = boot_now().count();
            more = co_await sleep_for(kBeat);
        }
    }

    EngineOptions options;
    EngineParts parts;
    std::shared_ptr<const Settings> settings; // dispatch thread, once started
    asio::io_context io{1};
    Inbox<Finished> finished{io.get_executor(), [](Finished one) { one.job->owner->finished(std::move(one)); }};
    asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
    WorkerPool workers;
    queue::RedisConnection redis;
    std::unique_ptr<dns::CaresResolver> resolver;
    dns::CachingResolver hosts; // routes keep their own answers; what domains share are the addresses of their hosts
    dns::MxRoutes routes;
    Contents contents;
    MessageMaker maker;
    std::vector<std::unique_ptr<Shard>> shards;
    std::map<PoolName, std::unique_ptr<Dispatcher>> dispatchers; // written on the dispatch thread under `mutex`
    mutable std::mutex mutex;
    std::size_t running = 0; // dispatchers whose coroutine has not ended
    bool held = false;
    bool stopping = false;
    std::promise<void> all_ended;
    std::atomic<std::int64_t> last_beat{0};
    std::thread thread;
};

Engine::Engine(EngineOptions options, EngineParts parts, std::shared_ptr<const Settings> settings)
    : state_{std::make_unique<State>(std::move(options), std::move(parts), std::move(settings))}
{
}

Engine::~Engine() { stop(std::chrono::seconds{0}); }

void Engine::start()
{
    State& state = *state_;
    state.last_beat = boot_now().count();
    for (const auto& shard : state.shards) shard->start();
    asio::co_spawn(state.io, state.beat(), asio::detached);
    asio::post(state.io, [&state] { state.open_pools(); });
    state.thread = std::thread{[&state] { state.io.run(); }};
}

void Engine::apply(const std::shared_ptr<const Settings>& settings)
{
    State& state = *state_;
    // The dispatchers first: what a lane gives back because of the new settings is judged by them.
    asio::post(state.io, [&state, settings] {
        state.settings = settings;
        state.open_pools();
        for (const auto& [pool, dispatcher] : state.dispatchers) dispatcher->settings_changed();
    });
    for (const auto& shard : state.shards) shard->apply(settings);
}

void Engine::warmup_counted(SourceId source, policy::Day day, queue::WarmupCounts counts)
{
    State& state = *state_;
    asio::post(state.io, [&state, source, day, counts = std::move(counts)] {
        for (const auto& [pool, dispatcher] : state.dispatchers) dispatcher->warmup_counted(source, day, counts);
    });
}

void Engine::wake()
{
    State& state = *state_;
    asio::post(state.io, [&state] {
        for (const auto& [pool, dispatcher] : state.dispatchers) dispatcher->wake();
    });
}

void Engine::hold(bool held)
{
    State& state = *state_;
    asio::post(state.io, [&state, held] {
        state.held = held;
        for (const auto& [pool, dispatcher] : state.dispatchers) dispatcher->hold(held);
    });
}

void Engine::stop(std::chrono::seconds grace)
{
    State& state = *state_;
    if (!state.thread.joinable()) return;
    const SteadyTime deadline = std::chrono::steady_clock::now() + grace;
    std::future<void> ended = state.all_ended.get_future();
    asio::post(state.io, [&state, deadline] {
        state.stopping = true;
        for (const auto& [pool, dispatcher] : state.dispatchers) dispatcher->stop(deadline);
        if (state.running == 0) state.all_ended.set_value();
    });
    for (const auto& shard : state.shards) shard->stop_lanes();
    if (ended.wait_until(deadline + kSettleLimit) != std::future_status::ready)
        log::error("delivery", "stopped_unsettled", {{"why", "Redis did not take the outcomes in time"}});
    for (const auto& shard : state.shards) shard->stop();
    state.work.reset();
    state.io.stop();
    state.thread.join();
    state.workers.stop();
}

EngineStatus Engine::status() const
{
    const State& state = *state_;
    EngineStatus status{.claiming = true};
    std::chrono::nanoseconds oldest{state.last_beat.load()};
    for (const auto& shard : state.shards) {
        status.connections += shard->connections();
        oldest = std::min(oldest, shard->last_beat());
    }
    status.oldest_beat = std::chrono::duration_cast<std::chrono::milliseconds>(boot_now() - oldest);
    const std::lock_guard lock{state.mutex};
    if (state.dispatchers.empty()) status.why_not = "no source of this node";
    for (const auto& [pool, dispatcher] : state.dispatchers) {
        const Dispatcher::Status one = dispatcher->status();
        status.in_hand += one.in_hand;
        if (!one.why_not.empty()) status.why_not = pool.value() + ": " + one.why_not;
    }
    status.claiming = status.why_not.empty();
    return status;
}

} // namespace penguin::delivery
