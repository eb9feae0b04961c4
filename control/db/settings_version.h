// control/db/settings_version.h
// Tells the nodes' snapshots that something changed. Every transaction of the control tier that changes what a snapshot
// holds (tenants, domains, DKIM keys, sources and their warm-up, pools, campaigns, rules, pauses, suppressions) calls one of these before it ends. Who changes
// settings says what it was, for the audit log.
// The counter's row stays locked until the commit, so versions become visible in their order.
#pragma once

#include <chrono>

#include "control/db/audit_entry.h"
#include "control/db/tenancy.h"

namespace penguin::control::db {

// How long a cancelled campaign is in the snapshots: longer than mail that was accepted before may wait (30 days until its
// not_before, and 30 more until it expires).
inline constexpr std::chrono::hours kCancelledKept{61 * 24};

awaitable<Result<>> settings_changed(Transaction& tx, AuditEntry what);
// For pauses (control.pauses), which a snapshot reads alone. `what`: what a person did; nothing: a rule did it, and its row says so.
awaitable<Result<>> pauses_changed(Transaction& tx, std::optional<AuditEntry> what);
// Puts addresses on the tenant's list (nothing: everybody's). Folded as EmailAddress::folded says. Those that are there
// already stay as they are. Gives how many are new.
struct NewSuppression {
    std::optional<TenantId> tenant;
    std::string address;      // folded
    std::string reason;       // "bounce", "complaint", "manual", ...
    std::string source_event; // event id, or ""
};
awaitable<Result<std::size_t>> add_suppressions(Transaction& tx, std::vector<NewSuppression> suppressions,
                                                WallTime now);
// Errors: not_found.
awaitable<Result<>> remove_suppression(Transaction& tx, std::optional<TenantId> tenant, std::string address);

} // namespace penguin::control::db
