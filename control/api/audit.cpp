// GET /v1/audit
#include <fmt/format.h>

#include "control/api/answers.h"
#include "control/api/routes.h"
#include "control/audit/record_text.h"

namespace penguin::control::api {

namespace {

struct Filter {
    std::size_t limit = kPageDefault;
    std::optional<std::int64_t> before; // seq
    std::optional<std::string> action;
    std::optional<Uuid> tenant;
    std::optional<WallTime> since, until;
};

std::expected<Filter, Problem> read_filter(const Request& request)
{
    Issues issues;
    QueryReader query{request, issues};
    Filter filter{.limit = query.limit(),
                  .before = query.number_cursor(),
                  .action = query.text("action"),
                  .tenant = query.uuid("tenant"),
                  .since = query.time("since"),
                  .until = query.time("until")};
    query.finish();
    if (!issues.empty()) return Refused{std::move(issues).problem()};
    return filter;
}

awaitable<Answer> list(ApiDeps& deps, const Request& request)
{
    const auto filter = read_filter(request);
    if (!filter) co_return Refused{filter.error()};
    const auto rows =
        co_await db::as_platform(deps.database.control, [&](db::Transaction& tx) -> awaitable<Result<db::Rows>> {
            db::Params params{filter->before, filter->action, filter->tenant,
                              filter->since,  filter->until,  filter->limit + 1};
            co_return co_await tx.query(
                fmt::format("select {} from control.audit where ($1::bigint is null or seq < $1) "
                            "and ($2::text is null or action = $2) and ($3::uuid is null or tenant_id = $3) "
                            "and ($4::timestamptz is null or time >= $4) and ($5::timestamptz is null or time < $5) "
                            "order by seq desc limit $6",
                            audit::kRecordColumns),
                std::move(params));
        });
    if (!rows) co_return failed(request, rows.error());
    co_return page_of(
        *rows, filter->limit, [](const db::Row& row) { return audit::shape_of(audit::record_of(row)); },
        [](const db::Row& row) { return std::vector<std::string>{std::string{row.text("seq")}}; });
}

} // namespace

void register_audit(Router& router, ApiDeps& deps)
{
    RouteAdder routes{router, deps, Audience::platform};
    routes.add(Method::get, "/v1/audit", "audit:read", list);
}

} // namespace penguin::control::api
