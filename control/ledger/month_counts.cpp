#include "control/ledger/month_counts.h"

#include <map>

#include "control/db/tenancy.h"
#include "engine/base/log.h"

namespace penguin::control::ledger {

namespace {

// Nothing when the position is another by now.
constexpr std::string_view kSent = R"(
select u.tenant_id, coalesce(m.sent, 0) as sent
from analytics.ledger_positions p, unnest($3::uuid[]) as u(tenant_id)
left join analytics.tenant_months m on m.tenant_id = u.tenant_id and m.month = $4
where p.pool = $1 and p.position = $2)";

} // namespace

int month_of(WallTime at)
{
    const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(at)};
    return static_cast<int>(day.year()) * 100 + static_cast<int>(static_cast<unsigned>(day.month()));
}

awaitable<Result<std::size_t>> count_months(db::PgPool& analytics, queue::SendQueue& queue, const PoolName& pool,
                                            const std::string& position, WallTime now)
{
    const Result<std::vector<TenantId>> tenants = co_await queue.uncounted(kCountedAtOnce);
    if (!tenants) co_return std::unexpected{tenants.error()};
    if (tenants->empty()) co_return std::size_t{0};
    const int month = month_of(now);
    const auto read = [&](db::Transaction& tx) {
        return tx.query(std::string{kSent}, db::Params{pool, position, *tenants, month});
    };
    const Result<db::Rows> rows = co_await db::as_platform(analytics, read);
    if (!rows) co_return std::unexpected{rows.error()};
    std::map<TenantId, std::int64_t> sent;
    for (const db::Row row : *rows) sent.emplace(row.get<TenantId>("tenant_id"), row.get<std::int64_t>("sent"));
    if (sent.empty()) co_return std::size_t{0};
    const Result<std::size_t> counted = co_await queue.count_month(position, month, std::move(sent));
    if (counted && *counted > 0) log::info("ledger", "months_counted", {{"pool", pool.value()}, {"tenants", *counted}});
    co_return counted;
}

} // namespace penguin::control::ledger
