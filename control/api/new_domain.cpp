#include "control/api/new_domain.h"

#include <boost/asio/co_spawn.hpp>

#include "control/db/settings_version.h"
#include "dkim/key_pair.h"
#include "dkim/key_ring.h"

namespace penguin::control::api {

namespace {

struct SealedKey {
    Uuid id;
    std::string selector;
    dkim::Algorithm algorithm{};
    std::string public_base64;
    std::string sealed;
};

constexpr std::uint32_t kFirstVersion = 1;

// "pm" + 8 hex digits + "r" or "e". Two tenants may both have the domain until one proves that it is his, so their
// selectors must differ: the digits are random ones of the domain's id.
std::string selector_of(const Uuid& domain_id, dkim::Algorithm algorithm)
{
    return "pm" + domain_id.text().substr(28) + (algorithm == dkim::Algorithm::rsa_sha256 ? "r" : "e");
}

awaitable<Result<SealedKey>> make_key(ApiDeps& deps, TenantId tenant, DomainName domain, Uuid domain_id,
                                      dkim::Algorithm algorithm)
{
    // On a worker: an RSA key takes some 100 ms of CPU. The pointer is there because a KeyPair has no empty state.
    using Made = std::shared_ptr<Result<dkim::KeyPair>>;
    const auto work = [algorithm]() -> awaitable<Made> {
        co_return std::make_shared<Result<dkim::KeyPair>>(dkim::make_key_pair(algorithm));
    };
    const Made pair = co_await asio::co_spawn(deps.workers, work, asio::use_awaitable);
    if (!*pair) co_return std::unexpected{pair->error()};
    const std::string selector = selector_of(domain_id, algorithm);
    const dkim::SecretOwner owner = dkim::owner_of(tenant, domain, selector, kFirstVersion);
    Result<std::string> sealed = dkim::seal(deps.master, (*pair)->private_der.bytes(), owner);
    if (!sealed) co_return std::unexpected{sealed.error()};
    co_return SealedKey{Uuid::v7(wall_now()), selector, algorithm, (*pair)->public_base64, std::move(*sealed)};
}

std::vector<db::Statement> inserts(TenantId tenant, const StoredDomain& domain, const std::vector<SealedKey>& keys)
{
    std::vector<db::Statement> statements;
    statements.push_back(
        {"insert into control.domains (tenant_id, id, name, bounce_host, created) values ($1, $2, $3, $4, $5)",
         db::Params{tenant, domain.id, domain.name.text(), domain.bounce_host.text(), domain.created}});
    for (const SealedKey& key : keys) {
        statements.push_back(
            {"insert into control.dkim_keys (tenant_id, id, domain_id, selector, algorithm, public_key, sealed, "
             "version, created) "
             "values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
             db::Params{tenant, key.id, domain.id, key.selector, std::string{dkim::name_of(key.algorithm)},
                        key.public_base64, db::Bytes{key.sealed}, kFirstVersion, domain.created}});
    }
    return statements;
}

} // namespace

awaitable<Result<StoredDomain>> make_domain(ApiDeps& deps, const Request& request, TenantId tenant, NewDomain wanted)
{
    const WallTime now = wall_now();
    StoredDomain domain{.id = Uuid::v7(now),
                        .name = wanted.name,
                        .bounce_host = wanted.bounce_host,
                        .verified = std::nullopt,
                        .created = now,
                        .keys = {}};
    std::vector<dkim::Algorithm> algorithms(1, dkim::Algorithm::rsa_sha256);
    if (wanted.ed25519) algorithms.push_back(dkim::Algorithm::ed25519_sha256);
    std::vector<SealedKey> keys;
    for (const dkim::Algorithm algorithm : algorithms) {
        Result<SealedKey> key = co_await make_key(deps, tenant, domain.name, domain.id, algorithm);
        if (!key) co_return std::unexpected{key.error()};
        const bool rsa = algorithm == dkim::Algorithm::rsa_sha256;
        domain.keys.push_back({key->selector, rsa ? DkimAlgorithm::rsa : DkimAlgorithm::ed25519, key->public_base64});
        keys.push_back(std::move(*key));
    }
    const auto written =
        co_await db::as_tenant(deps.database.control, tenant, [&](db::Transaction& tx) -> awaitable<Result<>> {
            const auto rows = co_await tx.query_all(inserts(tenant, domain, keys));
            if (!rows) co_return std::unexpected{rows.error()};
            json::array selectors;
            for (const SealedKey& key : keys) selectors.emplace_back(json::string{key.selector});
            db::AuditEntry change = change_of(request, "domain.created", tenant, "domain/" + domain.name.text(),
                                              {{"selectors", std::move(selectors)}});
            co_return co_await db::settings_changed(tx, std::move(change));
        });
    if (!written) co_return std::unexpected{written.error()};
    co_return domain;
}

} // namespace penguin::control::api
