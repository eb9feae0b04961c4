// POST, GET, DELETE /v1/pools
#include <fmt/format.h>

#include "control/api/answers.h"
#include "control/api/names.h"
#include "control/api/routes.h"
#include "control/db/settings_version.h"

namespace penguin::control::api {

namespace {

constexpr const char* kColumns = "name, description, created";

json::object shape(const db::Row& row)
{
    return {{"name", row.text("name")},
            {"description", row.text("description")},
            {"created_at", to_rfc3339(row.get<WallTime>("created"))}};
}

awaitable<Answer> create(ApiDeps& deps, const Request& request)
{
    const auto document = http::parse_json(request.body);
    if (!document) co_return Refused{document.error()};
    const auto object = http::object_of(*document);
    if (!object) co_return Refused{object.error()};
    Issues issues;
    ObjectReader body{**object, issues};
    const std::string name{read_pool_name(body, "name")};
    const std::string description{body.optional_text("description", {.max = 500}).value_or("")};
    body.finish();
    if (!issues.empty()) co_return Refused{std::move(issues).problem()};

    const auto made =
        co_await db::as_platform(deps.database.control, [&](db::Transaction& tx) -> awaitable<Result<db::Rows>> {
            db::Params params{name, description, wall_now()};
            auto rows = co_await tx.query(
                fmt::format("insert into control.pools (name, description, created) values ($1, $2, $3) returning {}",
                            kColumns),
                std::move(params));
            if (!rows) co_return std::unexpected{rows.error()};
            const Result<> noted =
                co_await db::settings_changed(tx, change_of(request, "pool.created", {}, "pool/" + name));
            if (!noted) co_return std::unexpected{noted.error()};
            co_return rows;
        });
    if (!made && made.error().code == Errc::conflict)
        co_return Refused{Problem{.code = Code::conflict, .detail = "There is a pool of that name."}};
    if (!made) co_return failed(request, made.error());
    co_return json_response(201, shape(made->front()), {{"Location", "/v1/pools/" + name}});
}

awaitable<Answer> list(ApiDeps& deps, const Request& request)
{
    Issues issues;
    QueryReader query{request, issues};
    const std::size_t limit = query.limit();
    const std::vector<std::string> after = query.cursor(1);
    query.finish();
    if (!issues.empty()) co_return Refused{std::move(issues).problem()};
    const auto rows =
        co_await db::as_platform(deps.database.control, [&](db::Transaction& tx) -> awaitable<Result<db::Rows>> {
            db::Params params{after.empty() ? std::string{} : after.front(), limit + 1};
            co_return co_await tx.query(
                fmt::format("select {} from control.pools where name > $1 order by name limit $2", kColumns),
                std::move(params));
        });
    if (!rows) co_return failed(request, rows.error());
    co_return page_of(*rows, limit, shape,
                      [](const db::Row& row) { return std::vector<std::string>{std::string{row.text("name")}}; });
}

awaitable<Answer> get(ApiDeps& deps, const Request& request)
{
    const std::string& name = request.param("pool");
    const auto rows =
        co_await db::as_platform(deps.database.control, [&](db::Transaction& tx) -> awaitable<Result<db::Rows>> {
            db::Params params{name};
            co_return co_await tx.query(fmt::format("select {} from control.pools where name = $1", kColumns),
                                        std::move(params));
        });
    if (!rows) co_return failed(request, rows.error());
    if (rows->empty()) co_return Refused{http::not_found()};
    co_return json_response(200, shape(rows->front()));
}

awaitable<Answer> remove(ApiDeps& deps, const Request& request)
{
    const std::string& name = request.param("pool");
    const auto deleted =
        co_await db::as_platform(deps.database.control, [&](db::Transaction& tx) -> awaitable<Result<>> {
            db::Params which{name};
            const auto users =
                co_await tx.query("select 1 from control.sources where pool = $1 union all "
                                  "select 1 from control.tenants where pool = $1 and status <> 'deleted' limit 1",
                                  std::move(which));
            if (!users) co_return std::unexpected{users.error()};
            if (!users->empty()) co_return fail(Errc::conflict, "A source or a tenant uses the pool.");
            db::Params params{name};
            const auto rows = co_await tx.query("delete from control.pools where name = $1", std::move(params));
            if (!rows) co_return std::unexpected{rows.error()};
            if (rows->affected() == 0) co_return fail(Errc::not_found, "no such pool");
            co_return co_await db::settings_changed(tx, change_of(request, "pool.deleted", {}, "pool/" + name));
        });
    if (!deleted) co_return failed(request, deleted.error());
    co_return no_content();
}

} // namespace

void register_pools(Router& router, ApiDeps& deps)
{
    RouteAdder routes{router, deps, Audience::platform};
    routes.add_with_body(Method::post, "/v1/pools", "pools:write", create);
    routes.add(Method::get, "/v1/pools", "pools:read", list);
    routes.add(Method::get, "/v1/pools/{pool}", "pools:read", get);
    routes.add(Method::del, "/v1/pools/{pool}", "pools:write", remove);
}

} // namespace penguin::control::api
