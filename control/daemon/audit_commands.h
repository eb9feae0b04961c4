// control/daemon/audit_commands.h
// `penguin-mta audit export` and `audit verify`: the audit log out of the database, and whether it is whole, without one.
//
//   export   JSON lines on stdout, oldest first, kRecordsAPage at a time; reads as the owner, as `migrate` does
//   verify   reads such lines from a file or stdin; needs no configuration. One line: what was found, or the first fault
//   exit     0; 1 when the log is not whole or something failed
#pragma once

#include <iosfwd>
#include <string>

#include "control/daemon/config.h"
#include "control/db/pg_pool.h"

namespace penguin::control {

inline constexpr std::size_t kRecordsAPage = 1'000;

// Gives how many. Errors: unavailable, timeout, denied; local_fault when `out` takes no more.
awaitable<Result<std::size_t>> write_audit(db::PgPool& owner, std::ostream& out);
int run_audit_export(const Config& config);
// `file` "-" or "": stdin. `head` "": none was kept.
int run_audit_verify(const std::string& file, const std::string& head);
int verify_audit(std::istream& in, const std::string& head, std::ostream& out);

} // namespace penguin::control
