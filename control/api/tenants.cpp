// POST, GET, PATCH, DELETE /v1/tenants
#include <charconv>

#include <fmt/format.h>

#include "control/api/answers.h"
#include "control/api/routes.h"
#include "control/api/tenant_change.h"
#include "control/api/tenant_usage.h"
#include "control/db/settings_version.h"

namespace penguin::control::api {

namespace {

constexpr std::int64_t kCreatedMax = 4'102'444'800'000'000; // microseconds: the year 2100
constexpr const char* kColumns = "id, name, status, weight, pool, rate, monthly_quota, version, created";

json::object shape(const db::Row& row)
{
    return {{"id", row.get<Uuid>("id").text()},
            {"name", row.text("name")},
            {"weight", row.get<double>("weight")},
            {"pool", row.text("pool")},
            {"suspended", row.text("status") == "suspended"},
            {"rate", row.text("rate")},
            {"monthly_quota", row.get<std::int64_t>("monthly_quota")},
            {"version", row.get<std::int64_t>("version")},
            {"created_at", to_rfc3339(row.get<WallTime>("created"))}};
}

http::Fields etag_of(const db::Row& row) { return {{"ETag", fmt::format("\"{}\"", row.text("version"))}}; }

db::AuditEntry change_of_tenant(const Request& request, std::string_view action, Uuid id,
                                const json::object& detail = {})
{
    return change_of(request, action, TenantId{id}, "tenant/" + id.text(), detail);
}

// Errors: missing when the pool is not there.
awaitable<Result<>> check_pool(db::Transaction& tx, std::optional<std::string> pool)
{
    if (!pool) co_return Result<>{};
    db::Params params{*pool};
    const auto rows = co_await tx.query("select 1 from control.pools where name = $1", std::move(params));
    if (!rows) co_return std::unexpected{rows.error()};
    if (rows->empty()) co_return fail(Errc::missing, "no such pool");
    co_return Result<>{};
}

awaitable<Answer> create(ApiDeps& deps, const Request& request)
{
    const auto change = read_tenant_change(request, true);
    if (!change) co_return Refused{change.error()};
    const WallTime now = wall_now();
    const Uuid id = change->id.value_or(Uuid::v7(now));
    const auto made =
        co_await db::as_platform(deps.database.control, [&](db::Transaction& tx) -> awaitable<Result<db::Rows>> {
            const Result<> pool = co_await check_pool(tx, change->pool);
            if (!pool) co_return std::unexpected{pool.error()};
            db::Params params{id,
                              *change->name,
                              change->status.value_or("active"),
                              change->weight.value_or(1),
                              change->pool.value_or("default"),
                              now,
                              change->rate.value_or(std::string{queue::kUnlimited}),
                              change->monthly_quota.value_or(-1)};
            auto rows = co_await tx.query(
                fmt::format("insert into control.tenants (id, name, status, weight, pool, created, updated, rate, "
                            "monthly_quota) values ($1, $2, $3, $4, $5, $6, $6, $7, $8) returning {}",
                            kColumns),
                std::move(params));
            if (!rows) co_return std::unexpected{rows.error()};
            const Result<> noted =
                co_await db::settings_changed(tx, change_of_tenant(request, "tenant.created", id, told_of(*change)));
            if (!noted) co_return std::unexpected{noted.error()};
            co_return rows;
        });
    if (!made && made.error().code == Errc::conflict)
        co_return Refused{Problem{.code = Code::conflict, .detail = "There is a tenant with this id."}};
    if (!made && made.error().code == Errc::missing)
        co_return Refused{http::invalid("pool", "not_found", "there is no pool of that name")};
    if (!made) co_return failed(request, made.error());
    http::Fields headers = etag_of(made->front());
    headers.emplace_back("Location", "/v1/tenants/" + id.text());
    co_return json_response(201, shape(made->front()), std::move(headers));
}

// Newest first. The ids may be the platform's own, so they do not sort by time.
struct After {
    WallTime created;
    Uuid id;
};

std::optional<After> after_of(QueryReader& query, Issues& issues)
{
    const std::vector<std::string> key = query.cursor(2);
    if (key.empty()) return std::nullopt;
    const Result<Uuid> id = Uuid::parse(key[1]);
    std::int64_t microseconds = 0;
    const auto [end, code] = std::from_chars(key[0].data(), key[0].data() + key[0].size(), microseconds);
    const bool sound =
        code == std::errc{} && end == key[0].data() + key[0].size() && microseconds >= 0 && microseconds < kCreatedMax;
    if (id && sound) return After{WallTime{Duration{microseconds}}, *id};
    issues.add("cursor", "bad_format", "is not a cursor of this list");
    return std::nullopt;
}

awaitable<Answer> list(ApiDeps& deps, const Request& request)
{
    Issues issues;
    QueryReader query{request, issues};
    const std::size_t limit = query.limit();
    const std::optional<After> after = after_of(query, issues);
    query.finish();
    if (!issues.empty()) co_return Refused{std::move(issues).problem()};

    const auto rows =
        co_await db::as_platform(deps.database.control, [&](db::Transaction& tx) -> awaitable<Result<db::Rows>> {
            const After from = after.value_or(After{});
            db::Params params{!after, from.created, from.id, limit + 1};
            co_return co_await tx.query(fmt::format("select {} from control.tenants where status <> 'deleted' and "
                                                    "($1::bool or (created, id) < ($2, $3)) "
                                                    "order by created desc, id desc limit $4",
                                                    kColumns),
                                        std::move(params));
        });
    if (!rows) co_return failed(request, rows.error());
    co_return page_of(*rows, limit, shape, [](const db::Row& row) {
        const auto created = row.get<WallTime>("created").time_since_epoch().count();
        return std::vector<std::string>{std::to_string(created), row.get<Uuid>("id").text()};
    });
}

awaitable<Result<db::Rows>> find(ApiDeps& deps, Uuid id)
{
    co_return co_await db::as_platform(deps.database.control, [id](db::Transaction& tx) -> awaitable<Result<db::Rows>> {
        db::Params params{id};
        co_return co_await tx.query(
            fmt::format("select {} from control.tenants where id = $1 and status <> 'deleted'", kColumns),
            std::move(params));
    });
}

awaitable<Answer> get(ApiDeps& deps, const Request& request)
{
    const Result<Uuid> id = Uuid::parse(request.param("tenant"));
    if (!id) co_return Refused{http::not_found()};
    const auto rows = co_await find(deps, *id);
    if (!rows) co_return failed(request, rows.error());
    if (rows->empty()) co_return Refused{http::not_found()};
    const db::Row row = rows->front();
    json::object tenant = shape(row);
    const auto standing = co_await deps.standing(PoolName{row.get<std::string>("pool")}, TenantId{*id});
    tenant["usage"] = standing ? usage_of(*standing) : nullptr; // Redis is away: what it holds is not known
    co_return json_response(200, tenant, etag_of(row));
}

awaitable<Answer> update(ApiDeps& deps, const Request& request)
{
    const Result<Uuid> id = Uuid::parse(request.param("tenant"));
    if (!id) co_return Refused{http::not_found()};
    const auto change = read_tenant_change(request, false);
    if (!change) co_return Refused{change.error()};
    const std::optional<std::string> version = version_wanted(request);
    const auto made =
        co_await db::as_platform(deps.database.control, [&](db::Transaction& tx) -> awaitable<Result<db::Rows>> {
            db::Params which{*id};
            const auto found = co_await tx.query(
                "select version from control.tenants where id = $1 and status <> 'deleted' for update",
                std::move(which));
            if (!found) co_return std::unexpected{found.error()};
            if (found->empty()) co_return fail(Errc::not_found, "no such tenant");
            if (version && found->front().text("version") != *version) co_return fail(Errc::stale, "another version");
            const Result<> pool = co_await check_pool(tx, change->pool);
            if (!pool) co_return std::unexpected{pool.error()};
            db::Params params{*id,        change->name, change->weight,       change->pool, change->status,
                              wall_now(), change->rate, change->monthly_quota};
            auto rows = co_await tx.query(
                fmt::format("update control.tenants set name = coalesce($2::text, name), weight = coalesce($3::float8, "
                            "weight), "
                            "pool = coalesce($4::text, pool), status = coalesce($5::text, status), "
                            "rate = coalesce($7::text, rate), monthly_quota = coalesce($8::bigint, monthly_quota), "
                            "version = version + 1, updated = $6 where id = $1 returning {}",
                            kColumns),
                std::move(params));
            if (!rows) co_return std::unexpected{rows.error()};
            const Result<> noted =
                co_await db::settings_changed(tx, change_of_tenant(request, "tenant.updated", *id, told_of(*change)));
            if (!noted) co_return std::unexpected{noted.error()};
            co_return rows;
        });
    if (!made && made.error().code == Errc::missing)
        co_return Refused{http::invalid("pool", "not_found", "there is no pool of that name")};
    if (!made) co_return failed(request, made.error());
    co_return json_response(200, shape(made->front()), etag_of(made->front()));
}

// Messages that were accepted and have no final event yet. The two tiers are read one after the other, so a batch that
// ends in between counts as unfinished: the safe side.
awaitable<Result<bool>> has_unfinished(ApiDeps& deps, TenantId tenant)
{
    const auto finished = co_await db::as_tenant(
        deps.database.analytics, tenant, [tenant](db::Transaction& tx) -> awaitable<Result<std::int64_t>> {
            db::Params params{tenant};
            const auto rows = co_await tx.query(
                "select coalesce(sum(delivered + bounced + expired + suppressed + cancelled), 0)::bigint as n "
                "from analytics.batch_counts where tenant_id = $1",
                std::move(params));
            if (!rows) co_return std::unexpected{rows.error()};
            co_return rows->front().get<std::int64_t>("n");
        });
    if (!finished) co_return std::unexpected{finished.error()};
    const auto accepted = co_await db::as_tenant(
        deps.database.queue, tenant, [tenant](db::Transaction& tx) -> awaitable<Result<std::int64_t>> {
            db::Params params{tenant};
            const auto rows =
                co_await tx.query("select coalesce(sum(total), 0)::bigint as n from queue.batches where tenant_id = $1",
                                  std::move(params));
            if (!rows) co_return std::unexpected{rows.error()};
            co_return rows->front().get<std::int64_t>("n");
        });
    if (!accepted) co_return std::unexpected{accepted.error()};
    co_return *accepted > *finished;
}

awaitable<Result<>> delete_belongings(ApiDeps& deps, TenantId tenant, db::AuditEntry emptied)
{
    co_return co_await db::as_tenant(
        deps.database.control, tenant, [&emptied, tenant](db::Transaction& tx) -> awaitable<Result<>> {
            std::vector<db::Statement> statements;
            for (const char* table : {"api_keys", "domains", "suppressions", "campaigns"})
                statements.push_back(
                    {fmt::format("delete from control.{} where tenant_id = $1", table), db::Params{tenant}});
            const auto rows = co_await tx.query_all(std::move(statements));
            if (!rows) co_return std::unexpected{rows.error()};
            co_return co_await db::settings_changed(tx, emptied);
        });
}

// What belongs to the tenant goes first: a call that failed half-way can be repeated as long as the tenant is there. Two
// transactions, so two records.
awaitable<Answer> remove(ApiDeps& deps, const Request& request)
{
    const Result<Uuid> id = Uuid::parse(request.param("tenant"));
    if (!id) co_return Refused{http::not_found()};
    const auto found = co_await find(deps, *id);
    if (!found) co_return failed(request, found.error());
    if (found->empty()) co_return Refused{http::not_found()};
    const Result<bool> unfinished = co_await has_unfinished(deps, TenantId{*id});
    if (!unfinished) co_return failed(request, unfinished.error());
    if (*unfinished) co_return Refused{Problem{.code = Code::conflict, .detail = "The tenant has unfinished batches."}};
    db::AuditEntry emptied = change_of_tenant(request, "tenant.emptied", *id);
    const Result<> deleted = co_await delete_belongings(deps, TenantId{*id}, std::move(emptied));
    if (!deleted) co_return failed(request, deleted.error());
    const auto marked =
        co_await db::as_platform(deps.database.control, [&](db::Transaction& tx) -> awaitable<Result<>> {
            db::Params params{*id, wall_now()};
            const auto rows = co_await tx.query(
                "update control.tenants set status = 'deleted', version = version + 1, updated = $2 where id = $1",
                std::move(params));
            if (!rows) co_return std::unexpected{rows.error()};
            co_return co_await db::settings_changed(tx, change_of_tenant(request, "tenant.deleted", *id));
        });
    if (!marked) co_return failed(request, marked.error());
    co_return no_content();
}

} // namespace

void register_tenants(Router& router, ApiDeps& deps)
{
    RouteAdder routes{router, deps, Audience::platform};
    routes.add_with_body(Method::post, "/v1/tenants", "tenants:write", create);
    routes.add(Method::get, "/v1/tenants", "tenants:read", list);
    routes.add(Method::get, "/v1/tenants/{tenant}", "tenants:read", get);
    routes.add_with_body(Method::patch, "/v1/tenants/{tenant}", "tenants:write", update);
    routes.add(Method::del, "/v1/tenants/{tenant}", "tenants:write", remove);
}

} // namespace penguin::control::api
