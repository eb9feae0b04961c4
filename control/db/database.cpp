#include "control/db/database.h"

#include <algorithm>

namespace penguin::control::db {

std::string_view name_of(Tier tier)
{
    switch (tier) {
    case Tier::control: return "control";
    case Tier::content: return "content";
    case Tier::queue: return "queue";
    case Tier::analytics: return "analytics";
    }
    return "";
}

const std::string& TierDsns::of(Tier tier) const
{
    switch (tier) {
    case Tier::control: return control;
    case Tier::content: return content;
    case Tier::queue: return queue;
    case Tier::analytics: break;
    }
    return analytics;
}

namespace {

PgPool& pool_for(std::vector<std::unique_ptr<PgPool>>& pools, const asio::any_io_executor& executor,
                 const std::string& dsn, PoolOptions options, Registry& metrics)
{
    const auto same = std::ranges::find(pools, dsn, [](const auto& pool) { return pool->options().dsn; });
    if (same != pools.end()) return **same;
    options.dsn = dsn;
    return *pools.emplace_back(std::make_unique<PgPool>(executor, std::move(options), metrics));
}

} // namespace

Database::Database(const asio::any_io_executor& executor, const TierDsns& dsns, const PoolOptions& options,
                   Registry& metrics)
    : control{pool_for(pools_, executor, dsns.control, options, metrics)},
      content{pool_for(pools_, executor, dsns.content, options, metrics)},
      queue{pool_for(pools_, executor, dsns.queue, options, metrics)},
      analytics{pool_for(pools_, executor, dsns.analytics, options, metrics)}
{
}

awaitable<Result<>> Database::check()
{
    for (const auto& pool : pools_) {
        Result<> answered = co_await pool->check();
        if (!answered) co_return answered;
    }
    co_return Result<>{};
}

bool Database::healthy() const
{
    return std::ranges::all_of(pools_, [](const auto& pool) { return pool->healthy(); });
}

void Database::close()
{
    for (const auto& pool : pools_) pool->close();
}

} // namespace penguin::control::db
