// GET /v1/pauses, POST /v1/pauses/{pause}/resume: what reply rules have stopped, on whichever node
#include <fmt/format.h>

#include "control/api/answers.h"
#include "control/api/routes.h"
#include "control/db/settings_version.h"

namespace penguin::control::api {

namespace {

constexpr const char* kColumns = "id, scope, subject, place, rule, reply, node, since, until, resumed";

json::object shape(const db::Row& row)
{
    return {{"id", row.get<Uuid>("id").text()},
            {"scope", row.text("scope")},
            {"subject", row.text("subject")},
            {"place", row.text("place")},
            {"rule", row.text("rule")},
            {"reply", row.text("reply")},
            {"node", row.text("node")},
            {"since", to_rfc3339(row.get<WallTime>("since"))},
            {"until", to_rfc3339(row.get<WallTime>("until"))},
            {"resumed_at", time_or_null(row.get<std::optional<WallTime>>("resumed"))}};
}

awaitable<Answer> list(ApiDeps& deps, const Request& request)
{
    Issues issues;
    QueryReader query{request, issues};
    const std::size_t limit = query.limit();
    const std::optional<Uuid> after = query.uuid_cursor();
    query.finish();
    if (!issues.empty()) co_return Refused{std::move(issues).problem()};
    const auto rows =
        co_await db::as_platform(deps.database.control, [&](db::Transaction& tx) -> awaitable<Result<db::Rows>> {
            db::Params params{after, limit + 1};
            co_return co_await tx.query(
                fmt::format("select {} from control.pauses where resumed is null and until > now() "
                            "and ($1::uuid is null or id < $1) order by id desc limit $2",
                            kColumns),
                std::move(params));
        });
    if (!rows) co_return failed(request, rows.error());
    co_return page_of(*rows, limit, shape,
                      [](const db::Row& row) { return std::vector<std::string>{row.get<Uuid>("id").text()}; });
}

// Not before it began, whatever the clocks of the nodes say: so each node takes its own for older.
awaitable<Answer> resume(ApiDeps& deps, const Request& request)
{
    const Result<Uuid> id = Uuid::parse(request.param("pause"));
    if (!id) co_return Refused{http::not_found()};
    const std::string who = request.principal ? request.principal->subject : "";
    const auto resumed =
        co_await db::as_platform(deps.database.control, [&](db::Transaction& tx) -> awaitable<Result<db::Rows>> {
            db::Params params{*id, who};
            auto rows = co_await tx.query(
                fmt::format("update control.pauses set resumed = greatest(now(), since), resumed_by = $2 "
                            "where id = $1 and resumed is null and until > now() returning {}",
                            kColumns),
                std::move(params));
            if (!rows) co_return std::unexpected{rows.error()};
            if (rows->empty()) co_return fail(Errc::not_found, "no such pause");
            const db::Row row = rows->front();
            const Result<> noted =
                co_await db::pauses_changed(tx, change_of(request, "pause.resumed", {}, "pause/" + id->text(),
                                                          {{"scope", row.text("scope")},
                                                           {"subject", row.text("subject")},
                                                           {"place", row.text("place")},
                                                           {"rule", row.text("rule")},
                                                           {"until", to_rfc3339(row.get<WallTime>("until"))}}));
            if (!noted) co_return std::unexpected{noted.error()};
            co_return rows;
        });
    if (!resumed) co_return failed(request, resumed.error());
    co_return json_response(200, shape(resumed->front()));
}

} // namespace

void register_pauses(Router& router, ApiDeps& deps)
{
    RouteAdder routes{router, deps, Audience::platform};
    routes.add(Method::get, "/v1/pauses", "rules:read", list);
    routes.add(Method::post, "/v1/pauses/{pause}/resume", "rules:write", resume);
}

} // namespace penguin::control::api
