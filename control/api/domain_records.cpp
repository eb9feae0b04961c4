#include "control/api/domain_records.h"

#include "control/db/tenancy.h"
#include "dkim/key_pair.h"

namespace penguin::control::api {

namespace {

constexpr const char* kFindDomain = "select id, name, bounce_host, verified, created from control.domains "
                                    "where tenant_id = $1 and name = $2";
constexpr const char* kFindKeys = R"(
    select k.selector, k.algorithm, k.public_key
      from control.dkim_keys k join control.domains d on d.tenant_id = k.tenant_id and d.id = k.domain_id
     where k.tenant_id = $1 and d.name = $2 and k.active
     order by k.algorithm desc, k.selector)";

Result<StoredDomain> stored(const db::Row& row)
{
    const Result<DomainName> name = DomainName::parse(row.text("name"));
    const Result<DomainName> bounce_host = DomainName::parse(row.text("bounce_host"));
    if (!name || !bounce_host) return fail(Errc::local_fault, "a domain of the store does not parse");
    return StoredDomain{.id = row.get<Uuid>("id"),
                        .name = *name,
                        .bounce_host = *bounce_host,
                        .verified = row.get<std::optional<WallTime>>("verified"),
                        .created = row.get<WallTime>("created"),
                        .keys = {}};
}

Result<DkimRecord> key_of(const db::Row& row)
{
    const Result<dkim::Algorithm> algorithm = dkim::parse_algorithm(row.text("algorithm"));
    if (!algorithm) return fail(Errc::local_fault, "a DKIM key of the store has an unknown algorithm");
    return DkimRecord{.selector = row.get<std::string>("selector"),
                      .algorithm =
                          *algorithm == dkim::Algorithm::rsa_sha256 ? DkimAlgorithm::rsa : DkimAlgorithm::ed25519,
                      .public_key_base64 = row.get<std::string>("public_key")};
}

awaitable<Result<std::string>> pool_of(ApiDeps& deps, TenantId tenant)
{
    co_return co_await db::as_tenant(
        deps.database.control, tenant, [tenant](db::Transaction& tx) -> awaitable<Result<std::string>> {
            db::Params params{tenant};
            const auto rows = co_await tx.query("select pool from control.tenants where id = $1", std::move(params));
            if (!rows) co_return std::unexpected{rows.error()};
            if (rows->empty()) co_return fail(Errc::not_found, "no such tenant");
            co_return rows->front().get<std::string>("pool");
        });
}

} // namespace

awaitable<Result<StoredDomain>> find_domain(ApiDeps& deps, TenantId tenant, DomainName name)
{
    const auto found = co_await db::as_tenant(deps.database.control, tenant,
                                              [&](db::Transaction& tx) -> awaitable<Result<std::vector<db::Rows>>> {
                                                  std::vector<db::Statement> statements;
                                                  statements.push_back({kFindDomain, db::Params{tenant, name.text()}});
                                                  statements.push_back({kFindKeys, db::Params{tenant, name.text()}});
                                                  co_return co_await tx.query_all(std::move(statements));
                                              });
    if (!found) co_return std::unexpected{found.error()};
    if (found->front().empty()) co_return fail(Errc::not_found, "no such domain");
    Result<StoredDomain> domain = stored(found->front().front());
    if (!domain) co_return domain;
    for (const db::Row row : found->back()) {
        Result<DkimRecord> key = key_of(row);
        if (!key) co_return std::unexpected{key.error()};
        domain->keys.push_back(std::move(*key));
    }
    co_return domain;
}

awaitable<Result<std::vector<asio::ip::address>>> sending_addresses(ApiDeps& deps, TenantId tenant)
{
    using Addresses = std::vector<asio::ip::address>;
    const Result<std::string> pool = co_await pool_of(deps, tenant);
    if (!pool) co_return std::unexpected{pool.error()};
    co_return co_await db::as_platform(deps.database.control, [&](db::Transaction& tx) -> awaitable<Result<Addresses>> {
        db::Params params{*pool, kSendingAddressesMax};
        const auto rows = co_await tx.query(
            "select host(address) as address from control.sources where pool = $1 order by address limit $2",
            std::move(params));
        if (!rows) co_return std::unexpected{rows.error()};
        Addresses addresses;
        for (const db::Row row : *rows) addresses.push_back(asio::ip::make_address(row.get<std::string>("address")));
        co_return addresses;
    });
}

DomainSetup setup_of(const ApiDeps& deps, const StoredDomain& domain, std::vector<asio::ip::address> addresses)
{
    return DomainSetup{.domain = domain.name,
                       .bounce_host = domain.bounce_host,
                       .bounce_mx = deps.domains.bounce_mx,
                       .dkim = domain.keys,
                       .sending_addresses = std::move(addresses),
                       .spf_include = deps.domains.spf_include,
                       .dmarc_reports = deps.domains.dmarc_reports};
}

json::object shape_of(const DnsRecord& record)
{
    return {{"purpose", name_of(record.purpose)},  {"type", name_of(record.type)},
            {"name", record.name.text()},          {"value", record.value},
            {"presentation", record.presentation}, {"required", record.required}};
}

json::object shape_of(const StoredDomain& domain, const std::vector<DnsRecord>& records)
{
    json::array keys;
    for (const DkimRecord& key : domain.keys)
        keys.push_back({{"selector", key.selector}, {"algorithm", name_of(key.algorithm)}});
    json::array shown;
    for (const DnsRecord& record : records) shown.emplace_back(shape_of(record));
    return {{"name", domain.name.text()},
            {"verified", domain.verified.has_value()},
            {"verified_at", time_or_null(domain.verified)},
            {"bounce_host", domain.bounce_host.text()},
            {"dkim_keys", std::move(keys)},
            {"records", std::move(shown)},
            {"created_at", to_rfc3339(domain.created)}};
}

} // namespace penguin::control::api
