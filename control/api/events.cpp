// GET /v1/events
#include <fmt/format.h>

#include "control/api/answers.h"
#include "control/api/event_rows.h"
#include "control/api/routes.h"
#include "control/db/tenancy.h"
#include "engine/queue/event.h"

namespace penguin::control::api {

namespace {

// A day's partition has no statistics in its first minute or more. Then the planner takes a tenant's events for few, and reads
// and sorts all of the day for a page (60 ms of 20,000). Without bitmaps it walks the index by position.
constexpr const char* kInOrderOfTheIndex = "set local enable_bitmapscan = off";

constexpr std::string_view kPage =
    "select {} from analytics.events where tenant_id = $1 and ($2::bigint is null or position < $2) "
    "and ($3::text is null or kind = $3) and ($4::uuid is null or batch_id = $4) "
    "and ($5::timestamptz is null or at >= $5) order by position desc limit $6";

struct Filter {
    std::size_t limit = kPageDefault;
    std::optional<std::int64_t> before; // position
    std::optional<std::string> kind;
    std::optional<Uuid> batch;
    std::optional<WallTime> since;
};

std::expected<Filter, Problem> read_filter(const Request& request)
{
    Issues issues;
    QueryReader query{request, issues};
    Filter filter{.limit = query.limit(),
                  .before = query.number_cursor(),
                  .kind = query.text("kind"),
                  .batch = query.uuid("batch"),
                  .since = query.time("since")};
    query.finish();
    if (filter.kind && !queue::parse_event_kind(*filter.kind))
        issues.add("kind", "bad_value", "must be one of delivered, deferred, bounced, expired, suppressed, cancelled");
    if (!issues.empty()) return Refused{std::move(issues).problem()};
    return filter;
}

awaitable<Answer> list(ApiDeps& deps, const Request& request)
{
    const auto filter = read_filter(request);
    if (!filter) co_return Refused{filter.error()};
    const TenantId tenant = *request.principal->tenant;
    const auto rows = co_await db::as_tenant(
        deps.database.analytics, tenant, [&](db::Transaction& tx) -> awaitable<Result<std::vector<db::Rows>>> {
            db::Params params{tenant, filter->before, filter->kind, filter->batch, filter->since, filter->limit + 1};
            std::vector<db::Statement> statements;
            statements.push_back({kInOrderOfTheIndex, {}});
            statements.push_back({fmt::format(fmt::runtime(kPage), kEventColumns), std::move(params)});
            co_return co_await tx.query_all(std::move(statements));
        });
    if (!rows) co_return failed(request, rows.error());
    co_return page_of(rows->back(), filter->limit, shape_of_event,
                      [](const db::Row& row) { return std::vector<std::string>{std::string{row.text("position")}}; });
}

} // namespace

void register_events(Router& router, ApiDeps& deps)
{
    RouteAdder routes{router, deps, Audience::tenant};
    routes.add(Method::get, "/v1/events", "events:read", list);
}

} // namespace penguin::control::api
