#include "control/submit/campaign_sweep.h"

#include "control/db/tenancy.h"
#include "engine/base/log.h"

namespace penguin::control::submit {

struct CampaignSweep::Due {
    CampaignKey campaign;
    PoolName pool; // the tenant's own: plain producers' entries have no batch
    bool last = false;
};

namespace {

// $1 lease in seconds, $2 age in seconds from which a sweep is the last
constexpr std::string_view kClaim = R"(
update control.campaigns c set sweep_after = now() + make_interval(secs => $1)
from (select tenant_id, id from control.campaigns where sweep_after <= now()
      order by sweep_after limit 1 for update skip locked) due
where c.tenant_id = due.tenant_id and c.id = due.id
returning c.tenant_id, c.id, now() - c.changed > make_interval(secs => $2) as last,
          coalesce((select t.pool from control.tenants t where t.id = c.tenant_id), 'default') as pool)";

// $3 the last batch of the page before
constexpr std::string_view kMark = R"(
with page as (
    select tenant_id, id from queue.batches where tenant_id = $1 and campaign_id = $2 and id > $3 order by id limit $4
), marked as (
    update queue.batches b set state = 'cancelling' from page p
    where b.tenant_id = p.tenant_id and b.id = p.id and b.state = 'accepted'
)
select id from page order by id desc limit 1)";

constexpr std::string_view kPools = "select distinct pool from queue.batches where tenant_id = $1 and campaign_id = $2";

constexpr std::string_view kFinish =
    "update control.campaigns set sweep_after = null where tenant_id = $1 and id = $2 and state = 'cancelled'";

} // namespace

CampaignSweep::CampaignSweep(db::Database& database, std::function<queue::SendQueue&(const PoolName&)> queue_of,
                             Registry& metrics)
    : database_{database},
      queue_of_{std::move(queue_of)},
      cancelled_{metrics.counter("penguin_campaigns_cancelled_messages_total",
                                 "Messages taken out of the queue because their campaign is cancelled")},
      failed_{metrics.counter("penguin_campaigns_sweep_failures_total", "Sweeps that ended with an error")}
{
}

awaitable<void> CampaignSweep::run()
{
    bool more = true;
    std::string problem;
    while (more && !stopped_) {
        const Result<bool> swept = co_await look();
        if (!swept) {
            failed_.add();
            if (swept.error().detail != problem)
                log::warning("submit", "campaigns_not_swept", {{"why", swept.error().detail}});
        }
        problem = swept ? "" : swept.error().detail;
        if (!swept || !*swept) more = co_await sleep_for(kSweepLook);
    }
}

awaitable<Result<bool>> CampaignSweep::look()
{
    const Result<std::optional<Due>> due = co_await claim();
    if (!due) co_return std::unexpected{due.error()};
    if (!*due) co_return false;
    const Result<> swept = co_await sweep(**due);
    if (!swept) co_return std::unexpected{swept.error()};
    co_return true;
}

awaitable<Result<std::optional<CampaignSweep::Due>>> CampaignSweep::claim()
{
    const auto ask = [](db::Transaction& tx) {
        const std::chrono::duration<double> lease = kSweepAgain;
        const std::chrono::duration<double> last = kSweepLast;
        return tx.query(std::string{kClaim}, db::Params{lease.count(), last.count()});
    };
    const Result<db::Rows> rows = co_await db::as_platform(database_.control, ask);
    if (!rows) co_return std::unexpected{rows.error()};
    std::optional<Due> due;
    for (const db::Row row : *rows)
        due = Due{{row.get<TenantId>("tenant_id"), row.get<CampaignId>("id")},
                  row.get<PoolName>("pool"),
                  row.get<bool>("last")};
    co_return due;
}

awaitable<Result<>> CampaignSweep::sweep(const Due& due)
{
    if (Result<> marked = co_await mark_batches(due.campaign); !marked) co_return marked;
    Result<std::set<PoolName>> pools = co_await pools_of(due.campaign);
    if (!pools) co_return std::unexpected{pools.error()};
    pools->insert(due.pool);
    std::size_t cancelled = 0;
    for (const PoolName& pool : *pools) {
        const Result<std::size_t> some = co_await queue_of_(pool).cancel(due.campaign);
        if (!some) co_return std::unexpected{some.error()};
        cancelled += *some;
    }
    cancelled_.add(cancelled);
    log::info("submit", "campaign_swept",
              {{"tenant", due.campaign.tenant.value().text()},
               {"campaign", due.campaign.id.value().text()},
               {"cancelled", cancelled}});
    if (!due.last) co_return Result<>{};
    co_return co_await finish(due.campaign);
}

awaitable<Result<>> CampaignSweep::mark_batches(CampaignKey campaign)
{
    for (std::optional<BatchId> last = BatchId{}; last;) {
        const auto mark = [&](db::Transaction& tx) {
            return tx.query(std::string{kMark}, db::Params{campaign.tenant, campaign.id, *last, kBatchesMarked});
        };
        const Result<db::Rows> rows = co_await db::as_platform(database_.queue, mark);
        if (!rows) co_return std::unexpected{rows.error()};
        last.reset();
        for (const db::Row row : *rows) last = row.get<BatchId>("id");
    }
    co_return Result<>{};
}

awaitable<Result<std::set<PoolName>>> CampaignSweep::pools_of(CampaignKey campaign)
{
    const auto ask = [&](db::Transaction& tx) {
        return tx.query(std::string{kPools}, db::Params{campaign.tenant, campaign.id});
    };
    const Result<db::Rows> rows = co_await db::as_platform(database_.queue, ask);
    if (!rows) co_return std::unexpected{rows.error()};
    std::set<PoolName> pools;
    for (const db::Row row : *rows) pools.insert(row.get<PoolName>("pool"));
    co_return pools;
}

awaitable<Result<>> CampaignSweep::finish(CampaignKey campaign)
{
    const auto write = [&](db::Transaction& tx) {
        return tx.query(std::string{kFinish}, db::Params{campaign.tenant, campaign.id});
    };
    const Result<db::Rows> rows = co_await db::as_platform(database_.control, write);
    if (!rows) co_return std::unexpected{rows.error()};
    co_return Result<>{};
}

} // namespace penguin::control::submit
