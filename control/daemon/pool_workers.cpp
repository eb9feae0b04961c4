#include "control/daemon/pool_workers.h"

#include <boost/asio/co_spawn.hpp>

#include "control/db/tenancy.h"
#include "control/ledger/database_age.h"
#include "control/submit/cancellation.h"
#include "engine/base/log.h"

namespace penguin::control {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kStopPoll{20};
constexpr const char* kPoolOfBatch = "select pool from queue.batches where tenant_id = $1 and id = $2";

awaitable<Result<PoolName>> pool_of(db::PgPool& queue_tier, TenantId tenant, BatchId batch)
{
    co_return co_await db::as_platform(queue_tier, [tenant, batch](db::Transaction& tx) -> awaitable<Result<PoolName>> {
        const Result<db::Rows> rows = co_await tx.query(kPoolOfBatch, db::Params{tenant, batch});
        if (!rows) co_return std::unexpected{rows.error()};
        if (rows->empty()) co_return fail(Errc::not_found, "no such batch");
        co_return PoolName{rows->front().get<std::string>("pool")};
    });
}

struct Sizes {
    Sizes(const PoolName& pool, Registry& metrics)
        : ready{of("ready", pool, metrics)},
          parked{of("parked", pool, metrics)},
          paused{of("paused", pool, metrics)},
          due{of("due", pool, metrics)},
          in_hands{of("in_hands", pool, metrics)},
          dead{of("dead", pool, metrics)},
          events{metrics.gauge("penguin_queue_events_waiting", "Stream entries that the ledger has not taken yet",
                               {{"pool", pool.value()}})},
          tenants_held{metrics.gauge("penguin_queue_tenants_held", "Tenants whose mail their rate or quota holds",
                                     {{"pool", pool.value()}})},
          tenants_uncounted{metrics.gauge("penguin_queue_tenants_uncounted",
                                          "Of them: what they sent in the month is not counted yet",
                                          {{"pool", pool.value()}})}
    {
    }
    static Gauge& of(const char* place, const PoolName& pool, Registry& metrics)
    {
        return metrics.gauge("penguin_queue_messages", "Messages in Redis, by where they wait",
                             {{"pool", pool.value()}, {"place", place}});
    }
    void set(const queue::Summary& summary)
    {
        ready.set(static_cast<std::int64_t>(summary.ready));
        parked.set(static_cast<std::int64_t>(summary.parked));
        paused.set(static_cast<std::int64_t>(summary.paused));
        due.set(static_cast<std::int64_t>(summary.due));
        in_hands.set(static_cast<std::int64_t>(summary.in_hands));
        dead.set(static_cast<std::int64_t>(summary.dead));
        events.set(static_cast<std::int64_t>(summary.events));
        tenants_held.set(static_cast<std::int64_t>(summary.tenants_held));
        tenants_uncounted.set(static_cast<std::int64_t>(summary.tenants_uncounted));
    }
    Gauge& ready;
    Gauge& parked;
    Gauge& paused;
    Gauge& due;
    Gauge& in_hands;
    Gauge& dead;
    Gauge& events;
    Gauge& tenants_held;
    Gauge& tenants_uncounted;
};

} // namespace

struct PoolWorkers::Pool {
    Pool(const PoolName& name, queue::SendQueue& of, const Parts& parts)
        : queue{of},
          pump{parts.worker, of, parts.keep_content, parts.on_enqueued, {.pool = name}, parts.metrics},
          ledger{parts.worker, of, name, parts.metrics},
          reconciler{parts.worker, of, parts.on_enqueued, {.pool = name}, parts.metrics},
          sizes{name, parts.metrics},
          until_measured{parts.executor}
    {
    }
    queue::SendQueue& queue;
    submit::OutboxPump pump;
    ledger::Ledger ledger;
    submit::Reconciler reconciler;
    Sizes sizes;
    asio::steady_timer until_measured;
};

PoolWorkers::PoolWorkers(Parts parts, queue::SendQueue::Options queue_options)
    : parts_{std::move(parts)},
      queue_options_{std::move(queue_options)}
{
}

PoolWorkers::~PoolWorkers() = default;

void PoolWorkers::apply(const delivery::Settings& settings)
{
    for (const delivery::SourceSettings& source : settings.sources)
        if (!pools_.contains(source.pool) && !stopping_) open(source.pool);
}

void PoolWorkers::open(const PoolName& name)
{
    auto made = std::make_unique<Pool>(name, queue(name), parts_);
    Pool& pool = *made;
    pools_.emplace(name, std::move(made));
    log::info("daemon", "pool_opened", {{"pool", name.value()}});
    const auto ended = [this](const std::exception_ptr& thrown) {
        --running_;
        if (thrown) log::error("daemon", "pool_worker_failed");
    };
    running_ += 4;
    asio::co_spawn(parts_.executor, pool.pump.run(), ended);
    asio::co_spawn(parts_.executor, pool.ledger.run(), ended);
    asio::co_spawn(parts_.executor, pool.reconciler.run(), ended);
    asio::co_spawn(parts_.executor, measure(pool), ended);
}

awaitable<void> PoolWorkers::measure(Pool& pool)
{
    while (!stopping_) {
        const Result<queue::Summary> summary = co_await pool.queue.summary();
        if (summary) pool.sizes.set(*summary);
        pool.until_measured.expires_after(kSizesEvery);
        if (!stopping_) co_await pool.until_measured.async_wait(use_result);
    }
}

void PoolWorkers::wake()
{
    for (const auto& [name, pool] : pools_) pool->pump.wake();
}

queue::SendQueue& PoolWorkers::queue(const PoolName& pool)
{
    std::unique_ptr<queue::SendQueue>& queue = queues_[pool];
    if (!queue) {
        queue::SendQueue::Options options = queue_options_;
        options.pool = pool;
        queue = std::make_unique<queue::SendQueue>(parts_.redis, std::move(options));
    }
    return *queue;
}

awaitable<Result<std::size_t>> PoolWorkers::cancel(TenantId tenant, BatchId batch)
{
    const Result<PoolName> pool = co_await pool_of(parts_.worker.queue, tenant, batch);
    if (!pool) co_return std::unexpected{pool.error()};
    co_return co_await submit::cancel_batch(parts_.worker.queue, queue(*pool), tenant, batch);
}

awaitable<Result<submit::Reconciled>> PoolWorkers::reconcile(PoolName name, bool accept_restored_database)
{
    const auto pool = pools_.find(name);
    if (pool == pools_.end()) co_return fail(Errc::not_found, "no source of this node is in such a pool");
    if (accept_restored_database) {
        const Result<std::size_t> given_up = co_await ledger::accept_restored_database(
            parts_.worker.queue, parts_.worker.analytics, pool->second->queue, name);
        if (!given_up) co_return std::unexpected{given_up.error()};
        log::warning("daemon", "restored_database_accepted", {{"pool", name.value()}, {"batches", *given_up}});
    }
    co_return co_await pool->second->reconciler.reconcile(std::chrono::steady_clock::now());
}

awaitable<void> PoolWorkers::stop(Duration limit)
{
    stopping_ = true;
    for (const auto& [name, pool] : pools_) {
        pool->pump.stop();
        pool->ledger.stop();
        pool->reconciler.stop();
        pool->until_measured.cancel();
    }
    const SteadyTime until = std::chrono::steady_clock::now() + limit;
    while (running_ > 0 && std::chrono::steady_clock::now() < until) co_await sleep_for(kStopPoll);
    if (running_ > 0) log::warning("daemon", "pool_workers_cut_short", {{"running", running_}});
}

} // namespace penguin::control
