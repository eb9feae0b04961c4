#include "control/daemon/key_rotation.h"

#include <algorithm>
#include <iterator>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include "control/daemon/part_options.h"
#include "control/daemon/secrets.h"
#include "control/db/database.h"
#include "control/db/settings_version.h"
#include "dkim/key_ring.h"
#include "engine/base/log.h"

namespace penguin::control {

namespace {

constexpr const char* kTenants = "select id from control.tenants where id > $1 order by id limit $2";
constexpr const char* kNotYet =
    "select k.id, k.selector, k.version, k.sealed, d.name from control.dkim_keys k"
    " join control.domains d on d.tenant_id = k.tenant_id and d.id = k.domain_id"
    " where k.tenant_id = $1 and k.id > $2 and substring(k.sealed from 1 for octet_length($3::bytea)) <> $3::bytea"
    " order by k.id limit $4 for update of k";
constexpr const char* kUpdate = "update control.dkim_keys set sealed = $3 where tenant_id = $1 and id = $2";

struct Step {
    std::size_t seen = 0;
    Uuid last;
    KeyRotation done;
};

Result<std::string> again(const dkim::MasterKey& master, TenantId tenant, const db::Row& row)
{
    const Result<DomainName> domain = DomainName::parse(row.text("name"));
    if (!domain) return std::unexpected{domain.error()};
    const dkim::SecretOwner owner =
        dkim::owner_of(tenant, *domain, row.text("selector"), row.get<std::uint32_t>("version"));
    return dkim::seal_again(master, row.get<db::Bytes>("sealed").value, owner);
}

awaitable<Result<Step>> wrap_some(db::Transaction& tx, const dkim::MasterKey& master, TenantId tenant, Uuid after)
{
    db::Params params{tenant, after, db::Bytes{dkim::sealed_head(master)}, kSecretsAStep};
    const Result<db::Rows> rows = co_await tx.query(kNotYet, std::move(params));
    if (!rows) co_return std::unexpected{rows.error()};
    Step step{.seen = rows->size(), .last = after, .done = {}};
    std::vector<db::Statement> updates;
    for (const db::Row row : *rows) {
        step.last = row.get<Uuid>("id");
        const Result<std::string> sealed = again(master, tenant, row);
        if (sealed)
            updates.push_back({kUpdate, db::Params{tenant, step.last, db::Bytes{*sealed}}});
        else
            step.done.unopened.push_back(fmt::format("{} {}/{}: {}", tenant.value().text(), row.text("name"),
                                                     row.text("selector"), sealed.error().detail));
    }
    if (updates.empty()) co_return step;
    step.done.wrapped = updates.size();
    const auto written = co_await tx.query_all(std::move(updates));
    if (!written) co_return std::unexpected{written.error()};
    db::AuditEntry change{.time = wall_now(),
                          .action = "keys.wrapped_again",
                          .actor = "rotate-kek",
                          .tenant = tenant,
                          .resource = "dkim-keys",
                          .detail = fmt::format(R"({{"secrets":{}}})", step.done.wrapped)};
    const Result<> noted = co_await db::settings_changed(tx, std::move(change));
    if (!noted) co_return std::unexpected{noted.error()};
    co_return step;
}

awaitable<Result<>> rotate_tenant(db::PgPool& control, const dkim::MasterKey& master, TenantId tenant, KeyRotation& all)
{
    Uuid after;
    while (true) {
        Result<Step> step = co_await db::as_tenant(
            control, tenant, [&](db::Transaction& tx) { return wrap_some(tx, master, tenant, after); });
        if (!step) co_return std::unexpected{step.error()};
        all.wrapped += step->done.wrapped;
        std::ranges::move(step->done.unopened, std::back_inserter(all.unopened));
        if (step->seen < kSecretsAStep) co_return Result<>{};
        after = step->last;
    }
}

} // namespace

awaitable<Result<KeyRotation>> rotate_encryption_key(db::PgPool& control, const dkim::MasterKey& master)
{
    KeyRotation all;
    Uuid after;
    while (true) {
        const auto tenants = co_await db::as_platform(
            control, [after](db::Transaction& tx) { return tx.query(kTenants, db::Params{after, kTenantsAPage}); });
        if (!tenants) co_return std::unexpected{tenants.error()};
        for (const db::Row row : *tenants) {
            after = row.get<Uuid>("id");
            const Result<> done = co_await rotate_tenant(control, master, TenantId{after}, all);
            if (!done) co_return std::unexpected{done.error()};
        }
        if (tenants->size() < kTenantsAPage) co_return all;
    }
}

int run_key_rotation(const Config& config)
{
    const StateDir dir{config.node.state_dir};
    const auto failed = [](const Error& why) {
        log::error("daemon", "rotation_failed", {{"why", why.detail}});
        return 1;
    };
    if (config.keys.encryption_keys_file.empty())
        return failed({Errc::missing, "keys.encryption_keys_file names no file: there is no key to change to"});
    const Result<dkim::MasterKey> master = load_encryption_keys(config.keys, dir);
    if (!master) return failed(master.error());

    asio::io_context io;
    Registry metrics;
    db::Database database{io.get_executor(), tier_dsns(config.database, dir, DatabaseRole::api),
                          pool_options(config.database), metrics};
    Result<KeyRotation> rotation = fail(Errc::local_fault, "the rotation did not end");
    asio::co_spawn(io, rotate_encryption_key(database.control, *master),
                   [&](const std::exception_ptr& thrown, Result<KeyRotation> ended) {
                       if (!thrown) rotation = std::move(ended);
                       database.close();
                       io.stop();
                   });
    io.run();
    if (!rotation) return failed(rotation.error());
    for (const std::string& one : rotation->unopened) log::error("daemon", "secret_does_not_open", {{"secret", one}});
    log::info("daemon", "secrets_wrapped_again",
              {{"wrapped", rotation->wrapped}, {"left", rotation->unopened.size()}, {"key", master->wrapping().id()}});
    return rotation->unopened.empty() ? 0 : 1;
}

} // namespace penguin::control
