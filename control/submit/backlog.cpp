#include "control/submit/backlog.h"

#include <algorithm>

#include "control/db/tenancy.h"
#include "engine/base/log.h"

namespace penguin::control::submit {

namespace {

// Over all tenants, along the pump's index.
constexpr const char* kLook = "select pool, sum(total - enqueued)::bigint as messages from queue.batches"
                              " where state in ('accepted', 'cancelling') group by pool";

} // namespace

Backlog::Backlog(db::PgPool& queue, std::size_t most, Registry& metrics)
    : queue_{queue},
      most_{most},
      metrics_{metrics},
      refused_{metrics.counter("penguin_submit_backlog_refusals_total",
                               "Groups of submissions refused because their pool's backlog was full")}
{
}

awaitable<void> Backlog::run()
{
    bool more = true;
    while (more && !stopped_) {
        const SteadyTime start = std::chrono::steady_clock::now();
        const Result<> looked = co_await look();
        if (!looked) log::debug("submit", "backlog_unknown", {{"why", looked.error().detail}});
        const auto rest = kBacklogRest * std::chrono::floor<Duration>(std::chrono::steady_clock::now() - start);
        more = co_await sleep_for(std::max<Duration>(kBacklogEvery, rest));
    }
}

awaitable<Result<>> Backlog::look()
{
    const auto ask = [](db::Transaction& tx) { return tx.query(kLook, db::Params{}); };
    const Result<db::Rows> rows = co_await db::as_platform(queue_, ask);
    if (!rows) co_return std::unexpected{rows.error()};
    for (auto& [pool, messages] : messages_) set(pool, 0);
    for (const db::Row row : *rows) set(row.get<PoolName>("pool"), row.get<std::size_t>("messages"));
    co_return Result<>{};
}

void Backlog::set(const PoolName& pool, std::size_t messages)
{
    messages_[pool] = messages;
    metrics_
        .gauge("penguin_submit_backlog_messages", "Messages accepted and not in their queue yet",
               {{"pool", pool.value()}})
        .set(static_cast<std::int64_t>(messages));
}

bool Backlog::refuses(const PoolName& pool)
{
    const auto known = messages_.find(pool);
    if (known == messages_.end() || known->second < most_) return false;
    refused_.add();
    return true;
}

void Backlog::add(const PoolName& pool, std::size_t messages) { messages_[pool] += messages; }

} // namespace penguin::control::submit
