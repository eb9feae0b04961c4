// POST, GET, DELETE /v1/api-keys (a tenant's own) and /v1/tenants/{tenant}/api-keys (by the platform)
#include <fmt/format.h>

#include "control/api/answers.h"
#include "control/api/routes.h"
#include "control/auth/api_key.h"
#include "control/db/tenancy.h"

namespace penguin::control::api {

namespace {

constexpr std::size_t kScopesMax = 20;
constexpr const char* kColumns = "id, name, scopes, created, expires";

json::object shape(const db::Row& row)
{
    json::array scopes;
    for (const std::string& scope : row.get<std::vector<std::string>>("scopes")) scopes.emplace_back(scope);
    return {{"id", row.get<Uuid>("id").text()},
            {"name", row.text("name")},
            {"scopes", std::move(scopes)},
            {"created_at", to_rfc3339(row.get<WallTime>("created"))},
            {"expires_at", time_or_null(row.get<std::optional<WallTime>>("expires"))}};
}

struct NewKey {
    std::string name;
    std::vector<std::string> scopes;
    std::optional<WallTime> expires;
};

// A tenant cannot give away more than it holds itself; the platform can give a tenant every scope of a tenant.
void read_scopes(ObjectReader& body, const Principal& principal, std::vector<std::string>& scopes)
{
    const json::array* given = body.array("scopes", 1, kScopesMax);
    if (given == nullptr) return;
    for (std::size_t i = 0; i < given->size(); ++i) {
        const json::string* text = (*given)[i].if_string();
        const std::string_view scope = text == nullptr ? std::string_view{} : text_of(*text);
        const std::string field = fmt::format("scopes[{}]", i);
        if (!is_tenant_scope(scope))
            body.issues().add(field, "bad_value", "is not a scope of a tenant");
        else if (!principal.platform() && !principal.may(scope))
            body.issues().add(field, "scope_not_held", "is not a scope of your own credential");
        else if (std::ranges::find(scopes, scope) == scopes.end())
            scopes.emplace_back(scope);
    }
}

std::expected<NewKey, Problem> read_new_key(const Request& request)
{
    const auto document = http::parse_json(request.body);
    if (!document) return Refused{document.error()};
    const auto object = http::object_of(*document);
    if (!object) return Refused{object.error()};
    Issues issues;
    ObjectReader body{**object, issues};
    NewKey key;
    key.name = body.text("name", {.min = 1, .max = 200});
    read_scopes(body, *request.principal, key.scopes);
    key.expires = body.optional_time("expires_at");
    if (key.expires && *key.expires <= wall_now()) body.issue("expires_at", "out_of_range", "is in the past");
    body.finish();
    if (!issues.empty()) return Refused{std::move(issues).problem()};
    return key;
}

// Whose keys: the caller's, or the tenant's that the platform names.
std::optional<TenantId> tenant_of(const Request& request)
{
    if (request.principal->tenant) return request.principal->tenant;
    const Result<Uuid> id = Uuid::parse(request.param("tenant"));
    if (!id) return std::nullopt;
    return TenantId{*id};
}

// A tenant's transaction sees that tenant's own row.
awaitable<Result<>> check_tenant(db::Transaction& tx, TenantId tenant)
{
    db::Params params{tenant};
    const auto rows =
        co_await tx.query("select 1 from control.tenants where id = $1 and status <> 'deleted'", std::move(params));
    if (!rows) co_return std::unexpected{rows.error()};
    if (rows->empty()) co_return fail(Errc::not_found, "no such tenant");
    co_return Result<>{};
}

awaitable<Answer> create(ApiDeps& deps, const Request& request)
{
    const std::optional<TenantId> tenant = tenant_of(request);
    if (!tenant) co_return Refused{http::not_found()};
    const auto wanted = read_new_key(request);
    if (!wanted) co_return Refused{wanted.error()};
    const WallTime now = wall_now();
    const ApiKey key = ApiKey::make(now);
    const std::string hash = hash_of(key, deps.master.derive(kApiKeyHashLabel));
    const auto made =
        co_await db::as_tenant(deps.database.control, *tenant, [&](db::Transaction& tx) -> awaitable<Result<db::Rows>> {
            const Result<> known = co_await check_tenant(tx, *tenant);
            if (!known) co_return std::unexpected{known.error()};
            db::Params params{*tenant, key.id, wanted->name, db::Bytes{hash}, wanted->scopes, now, wanted->expires};
            auto rows = co_await tx.query(
                fmt::format("insert into control.api_keys (tenant_id, id, name, hash, scopes, created, expires) "
                            "values ($1, $2, $3, $4, $5, $6, $7) returning {}",
                            kColumns),
                std::move(params));
            if (!rows) co_return rows;
            json::array scopes;
            for (const std::string& scope : wanted->scopes) scopes.emplace_back(json::string{scope});
            const Result<> noted = co_await db::append_audit(
                tx, change_of(request, "api_key.created", tenant, "api-key/" + key.id.text(),
                              {{"scopes", std::move(scopes)}, {"expires_at", time_or_null(wanted->expires)}}));
            if (!noted) co_return std::unexpected{noted.error()};
            co_return rows;
        });
    if (!made) co_return failed(request, made.error());
    json::object body = shape(made->front());
    body["secret"] = key.secret;
    body["key"] = key.text();
    const std::string where =
        request.principal->platform() ? fmt::format("/v1/tenants/{}/api-keys", tenant->value().text()) : "/v1/api-keys";
    co_return json_response(201, body, {{"Location", where + "/" + key.id.text()}});
}

awaitable<Answer> list(ApiDeps& deps, const Request& request)
{
    const std::optional<TenantId> tenant = tenant_of(request);
    if (!tenant) co_return Refused{http::not_found()};
    Issues issues;
    QueryReader query{request, issues};
    const std::size_t limit = query.limit();
    const std::optional<Uuid> after = query.uuid_cursor();
    query.finish();
    if (!issues.empty()) co_return Refused{std::move(issues).problem()};
    const auto rows =
        co_await db::as_tenant(deps.database.control, *tenant, [&](db::Transaction& tx) -> awaitable<Result<db::Rows>> {
            const Result<> known = co_await check_tenant(tx, *tenant);
            if (!known) co_return std::unexpected{known.error()};
            db::Params params{*tenant, after, limit + 1};
            co_return co_await tx.query(
                fmt::format("select {} from control.api_keys where tenant_id = $1 and revoked is null "
                            "and ($2::uuid is null or id < $2) order by id desc limit $3",
                            kColumns),
                std::move(params));
        });
    if (!rows) co_return failed(request, rows.error());
    co_return page_of(*rows, limit, shape,
                      [](const db::Row& row) { return std::vector<std::string>{row.get<Uuid>("id").text()}; });
}

awaitable<Answer> get(ApiDeps& deps, const Request& request)
{
    const Result<Uuid> id = Uuid::parse(request.param("key"));
    if (!id) co_return Refused{http::not_found()};
    const TenantId tenant = *request.principal->tenant;
    const auto rows =
        co_await db::as_tenant(deps.database.control, tenant, [&](db::Transaction& tx) -> awaitable<Result<db::Rows>> {
            db::Params params{tenant, *id};
            co_return co_await tx.query(
                fmt::format("select {} from control.api_keys where tenant_id = $1 and id = $2 and revoked is null",
                            kColumns),
                std::move(params));
        });
    if (!rows) co_return failed(request, rows.error());
    if (rows->empty()) co_return Refused{http::not_found()};
    co_return json_response(200, shape(rows->front()));
}

// The row stays, so that the log can still say whose key it was.
awaitable<Answer> remove(ApiDeps& deps, const Request& request)
{
    const std::optional<TenantId> tenant = tenant_of(request);
    const Result<Uuid> id = Uuid::parse(request.param("key"));
    if (!tenant || !id) co_return Refused{http::not_found()};
    const auto revoked =
        co_await db::as_tenant(deps.database.control, *tenant, [&](db::Transaction& tx) -> awaitable<Result<>> {
            db::Params params{*tenant, *id, wall_now()};
            const auto rows = co_await tx.query(
                "update control.api_keys set revoked = $3 where tenant_id = $1 and id = $2 and revoked is null",
                std::move(params));
            if (!rows) co_return std::unexpected{rows.error()};
            if (rows->affected() == 0) co_return fail(Errc::not_found, "no such key");
            co_return co_await db::append_audit(tx,
                                                change_of(request, "api_key.revoked", tenant, "api-key/" + id->text()));
        });
    if (!revoked) co_return failed(request, revoked.error());
    co_return no_content();
}

} // namespace

void register_api_keys(Router& router, ApiDeps& deps)
{
    RouteAdder own{router, deps, Audience::tenant};
    own.add_with_body(Method::post, "/v1/api-keys", "keys:write", create);
    own.add(Method::get, "/v1/api-keys", "keys:read", list);
    own.add(Method::get, "/v1/api-keys/{key}", "keys:read", get);
    own.add(Method::del, "/v1/api-keys/{key}", "keys:write", remove);
    RouteAdder platform{router, deps, Audience::platform};
    platform.add_with_body(Method::post, "/v1/tenants/{tenant}/api-keys", "keys:write", create);
    platform.add(Method::get, "/v1/tenants/{tenant}/api-keys", "keys:read", list);
    platform.add(Method::del, "/v1/tenants/{tenant}/api-keys/{key}", "keys:write", remove);
}

} // namespace penguin::control::api
