#include "control/daemon/schema.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "control/daemon/part_options.h"
#include "control/db/migrations.h"
#include "engine/base/log.h"

namespace penguin::control {

namespace {

Result<> check(const DatabaseConfig& database, const StateDir& dir)
{
    const db::TierDsns worker = tier_dsns(database, dir, DatabaseRole::worker);
    const Result<std::vector<std::string>> pending = db::pending_migrations(worker, db::embedded_migrations());
    if (!pending && (pending.error().code == Errc::unavailable || pending.error().code == Errc::timeout)) {
        log::warning("daemon", "schema_not_checked", {{"why", pending.error().detail}});
        return {};
    }
    if (!pending) return std::unexpected{pending.error()};
    if (pending->empty()) return {};
    return fail(Errc::refused,
                fmt::format("the database lacks {}: run `penguin-mta migrate` (it needs [database] owner_dsn), "
                            "then start again",
                            fmt::join(*pending, ", ")));
}

} // namespace

Result<> ready_schema(const DatabaseConfig& database, const StateDir& dir)
{
    if (!database.embedded()) return check(database, dir);
    const Result<std::vector<std::string>> applied = migrate_schema(database, dir);
    if (!applied) return std::unexpected{applied.error()};
    return {};
}

Result<std::vector<std::string>> migrate_schema(const DatabaseConfig& database, const StateDir& dir)
{
    for (const std::string_view tier : DatabaseConfig::kTiers)
        if (!database.embedded() && database.of(tier).owner_dsn.empty())
            return fail(Errc::missing,
                        fmt::format("no owner_dsn for the tier {}: migrate needs the owner of the schema", tier));
    return db::migrate(tier_dsns(database, dir, DatabaseRole::owner), db::embedded_migrations());
}

} // namespace penguin::control
