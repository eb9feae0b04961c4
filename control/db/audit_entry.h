// control/db/audit_entry.h
// One record for the audit log (control/audit/README.md), as the code that changes something says it. It is appended in the
// transaction of the change, so both happen or neither.
//
//   told     when it has committed: log line `audit changed`, penguin_audit_changes_total{action}
//   never    a credential or a part of one, the id of a key that was not proved, an address of a recipient
//   limits   those of control/migrations/control/0002_audit.sql. Text that is over them is cut, octets that PostgreSQL's text does
//            not take become '?', a detail that is too long becomes {"cut":true}: a record never stops the change that it is about
//   order    the last statement of a transaction that also calls settings_version.h: both lock a row to the commit
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "control/db/tenancy.h"

namespace penguin::control::db {

inline constexpr std::size_t kAuditNameMax = 64; // octets of action, peer, request_id
inline constexpr std::size_t kAuditActorMax = 256;
inline constexpr std::size_t kAuditResourceMax = 512;
inline constexpr std::size_t kAuditDetailMax = 4096;

struct AuditEntry {
    WallTime time{};
    std::string action; // "tenant.created"
    std::string actor;  // subject of the credential, or ""
    std::optional<TenantId> tenant{};
    std::string resource;     // "domain/acme.example"
    std::string peer{};       // address, "unix", or ""
    std::string request_id{}; // or ""
    std::string detail{"{}"}; // one JSON object in one line
    friend bool operator==(const AuditEntry&, const AuditEntry&) = default;
};

// For who has other statements to send with it: the record alone, and the telling when it is one of a change.
Statement audit_statement(const AuditEntry& entry);
void tell_at_commit(Transaction& tx, const AuditEntry& entry);
// Errors: denied when a tenant's transaction speaks of another tenant.
awaitable<Result<>> append_audit(Transaction& tx, AuditEntry entry);

} // namespace penguin::control::db
