#include "control/auth/pg_api_keys.h"

#include "control/db/tenancy.h"

namespace penguin::control {

namespace {

constexpr const char* kFind = R"(
    select k.tenant_id, k.hash, k.scopes, k.expires
      from control.api_keys k join control.tenants t on t.id = k.tenant_id
     where k.id = $1 and k.revoked is null and t.status <> 'deleted'
    union all
    select null, k.hash, k.scopes, k.expires
      from control.platform_keys k
     where k.id = $1 and k.revoked is null)";

StoredApiKey stored(const db::Row& row)
{
    StoredApiKey key{.tenant = row.get<std::optional<TenantId>>("tenant_id"),
                     .hash = row.get<db::Bytes>("hash").value,
                     .expires = row.get<std::optional<WallTime>>("expires")};
    for (std::string& scope : row.get<std::vector<std::string>>("scopes")) key.scopes.insert(std::move(scope));
    return key;
}

} // namespace

awaitable<Result<StoredApiKey>> PgApiKeys::find(Uuid id)
{
    co_return co_await db::as_platform(control_, [id](db::Transaction& tx) -> awaitable<Result<StoredApiKey>> {
        db::Params params{id};
        const Result<db::Rows> rows = co_await tx.query(kFind, std::move(params));
        if (!rows) co_return std::unexpected{rows.error()};
        if (rows->empty()) co_return fail(Errc::not_found, "no such API key");
        co_return stored(rows->front());
    });
}

} // namespace penguin::control
