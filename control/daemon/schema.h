// control/daemon/schema.h
// The tables: brought up to date in our own PostgreSQL, only looked at in another one.
//   blocks  do not call on a loop's thread
//   errors  refused (older than this program: detail says to run migrate; changed; newer and incompatible), unavailable, timeout,
//           denied
#pragma once

#include <string>
#include <vector>

#include "control/daemon/config.h"
#include "control/daemon/state_dir.h"

namespace penguin::control {

// Before `serve` begins. A PostgreSQL that cannot be reached is no error when it is not ours: mail is sent from the last
// snapshot of the settings until it comes back.
Result<> ready_schema(const DatabaseConfig& database, const StateDir& dir);

// `penguin-mta migrate`: names what was applied.
Result<std::vector<std::string>> migrate_schema(const DatabaseConfig& database, const StateDir& dir);

} // namespace penguin::control
