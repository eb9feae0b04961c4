// POST, GET, DELETE /v1/sources
#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>

#include "control/api/answers.h"
#include "control/api/names.h"
#include "control/api/routes.h"
#include "control/db/settings_version.h"

namespace penguin::control::api {

namespace {

constexpr const char* kColumns = "id, host(address) as address, ehlo_name, node, pool, created";

json::object shape(const db::Row& row)
{
    return {{"id", row.get<Uuid>("id").text()},   {"address", row.text("address")},
            {"ehlo_name", row.text("ehlo_name")}, {"pool", row.text("pool")},
            {"node", row.text("node")},           {"created_at", to_rfc3339(row.get<WallTime>("created"))}};
}

struct NewSource {
    std::string address;
    std::string ehlo_name;
    std::string pool;
    std::string node;
};

std::expected<NewSource, Problem> read_source(const Request& request)
{
    const auto document = http::parse_json(request.body);
    if (!document) return Refused{document.error()};
    const auto object = http::object_of(*document);
    if (!object) return Refused{object.error()};
    Issues issues;
    ObjectReader body{**object, issues};
    NewSource source;
    const std::string given{body.text("address", {.min = 1, .max = 64})};
    error_code code;
    const asio::ip::address address = asio::ip::make_address(given, code);
    const bool scoped = address.is_v6() && address.to_v6().scope_id() != 0;
    if (!given.empty() && (code || scoped || address.is_unspecified() || address.is_multicast()))
        body.issue("address", "bad_format", "must be an IPv4 or IPv6 address of a node");
    source.address = code ? std::string{} : address.to_string();
    if (const auto name = body.domain("ehlo_name")) source.ehlo_name = name->text();
    source.pool = read_pool_name(body, "pool");
    source.node = read_node_name(body, "node");
    body.finish();
    if (!issues.empty()) return Refused{std::move(issues).problem()};
    return source;
}

awaitable<Answer> create(ApiDeps& deps, const Request& request)
{
    const auto source = read_source(request);
    if (!source) co_return Refused{source.error()};
    const WallTime now = wall_now();
    const Uuid id = Uuid::v7(now);
    const auto made =
        co_await db::as_platform(deps.database.control, [&](db::Transaction& tx) -> awaitable<Result<db::Rows>> {
            db::Params pool{source->pool};
            const auto pools = co_await tx.query("select 1 from control.pools where name = $1", std::move(pool));
            if (!pools) co_return std::unexpected{pools.error()};
            if (pools->empty()) co_return fail(Errc::missing, "no such pool");
            db::Params params{id, source->address, source->ehlo_name, source->node, source->pool, now};
            auto rows = co_await tx.query(
                fmt::format("insert into control.sources (id, address, ehlo_name, node, pool, created) "
                            "values ($1, $2::inet, $3, $4, $5, $6) returning {}",
                            kColumns),
                std::move(params));
            if (!rows) co_return std::unexpected{rows.error()};
            db::AuditEntry change = change_of(request, "source.created", {}, "source/" + id.text(),
                                              {{"address", source->address},
                                               {"ehlo_name", source->ehlo_name},
                                               {"node", source->node},
                                               {"pool", source->pool}});
            const Result<> noted = co_await db::settings_changed(tx, std::move(change));
            if (!noted) co_return std::unexpected{noted.error()};
            co_return rows;
        });
    if (!made && made.error().code == Errc::conflict)
        co_return Refused{Problem{.code = Code::conflict, .detail = "There is a source with this address."}};
    if (!made && made.error().code == Errc::missing)
        co_return Refused{http::invalid("pool", "not_found", "there is no pool of that name")};
    if (!made) co_return failed(request, made.error());
    co_return json_response(201, shape(made->front()), {{"Location", "/v1/sources/" + id.text()}});
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
                fmt::format(
                    "select {} from control.sources where $1::uuid is null or id < $1 order by id desc limit $2",
                    kColumns),
                std::move(params));
        });
    if (!rows) co_return failed(request, rows.error());
    co_return page_of(*rows, limit, shape,
                      [](const db::Row& row) { return std::vector<std::string>{row.get<Uuid>("id").text()}; });
}

awaitable<Answer> get(ApiDeps& deps, const Request& request)
{
    const Result<Uuid> id = Uuid::parse(request.param("source"));
    if (!id) co_return Refused{http::not_found()};
    const auto rows =
        co_await db::as_platform(deps.database.control, [&](db::Transaction& tx) -> awaitable<Result<db::Rows>> {
            db::Params params{*id};
            co_return co_await tx.query(fmt::format("select {} from control.sources where id = $1", kColumns),
                                        std::move(params));
        });
    if (!rows) co_return failed(request, rows.error());
    if (rows->empty()) co_return Refused{http::not_found()};
    co_return json_response(200, shape(rows->front()));
}

awaitable<Answer> remove(ApiDeps& deps, const Request& request)
{
    const Result<Uuid> id = Uuid::parse(request.param("source"));
    if (!id) co_return Refused{http::not_found()};
    const auto deleted =
        co_await db::as_platform(deps.database.control, [&](db::Transaction& tx) -> awaitable<Result<>> {
            db::Params params{*id};
            const auto rows = co_await tx.query("delete from control.sources where id = $1", std::move(params));
            if (!rows) co_return std::unexpected{rows.error()};
            if (rows->affected() == 0) co_return fail(Errc::not_found, "no such source");
            co_return co_await db::settings_changed(tx,
                                                    change_of(request, "source.deleted", {}, "source/" + id->text()));
        });
    if (!deleted) co_return failed(request, deleted.error());
    co_return no_content();
}

} // namespace

void register_sources(Router& router, ApiDeps& deps)
{
    RouteAdder routes{router, deps, Audience::platform};
    routes.add_with_body(Method::post, "/v1/sources", "sources:write", create);
    routes.add(Method::get, "/v1/sources", "sources:read", list);
    routes.add(Method::get, "/v1/sources/{source}", "sources:read", get);
    routes.add(Method::del, "/v1/sources/{source}", "sources:write", remove);
}

} // namespace penguin::control::api
