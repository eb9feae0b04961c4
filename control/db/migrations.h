// control/db/migrations.h
// Brings the schema of each tier to the version that this program knows. Forward only.
//
//   files    control/migrations/<tier>/NNNN_name.sql, embedded at build time, each run in a transaction of its own
//   by       the owner of the database (its DSN), under an advisory lock: two nodes may start at once
//   record   <schema>.migrations: number, name, SHA-256. A changed file is refused.
//   newer    what a newer program applied is accepted, so that an older one can start again in the middle of an upgrade; unless
//            a name ends in kIncompatible
//   roles    creates pm_api and pm_worker (login, no password: that is the operator's) when absent
//   blocks   it is for `migrate` and the start of the daemon, not for an io_context thread
//   errors   refused (changed or incompatible: the text says which), unavailable, timeout (lock), denied, local_fault
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/db/database.h"
#include "engine/base/result.h"

namespace penguin::control::db {

inline constexpr std::chrono::seconds kMigrationLockLimit{60}; // waiting for another node's migration
// Ends the name of a migration after which programs without it cannot work: 0007_drop_counts_incompatible.sql
inline constexpr std::string_view kIncompatible = "_incompatible";

struct Migration {
    Tier tier{};
    int number = 0;   // 1, 2, 3 ... without a gap
    std::string name; // "0001_tenants"
    std::string sql;
};

std::vector<Migration> embedded_migrations();

// Gives the names of those that it applied ("control/0001_tenants").
Result<std::vector<std::string>> migrate(const TierDsns& owner, const std::vector<Migration>& migrations);
// What `migrate` would do, without doing it; empty: up to date. For readiness and check-config.
Result<std::vector<std::string>> pending_migrations(const TierDsns& owner, const std::vector<Migration>& migrations);

} // namespace penguin::control::db
