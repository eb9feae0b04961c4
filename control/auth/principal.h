// control/auth/principal.h
// Who calls, once the credential is proved: a tenant or the platform, never both, and what it may do.
//
//   scopes  the words of kTenantScopes and kPlatformScopes; others in a token are ignored
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "engine/base/clock.h"
#include "engine/base/uuid.h"

namespace penguin::control {

inline constexpr std::array<std::string_view, 12> kTenantScopes{
    "domains:read", "domains:write", "keys:read",      "keys:write",      "suppressions:read", "suppressions:write",
    "batches:read", "batches:write", "campaigns:read", "campaigns:write", "messages:read",     "events:read"};
inline constexpr std::array<std::string_view, 12> kPlatformScopes{
    "tenants:read", "tenants:write", "pools:read",  "pools:write", "sources:read", "sources:write",
    "keys:read",    "keys:write",    "queue:write", "audit:read",  "rules:read",   "rules:write"};

struct Principal {
    std::optional<TenantId> tenant; // nothing: the platform
    std::set<std::string, std::less<>> scopes;
    std::string subject; // for the log: `sub` of a token, or the id of an API key
    std::set<std::string, std::less<>> amr;
    std::optional<WallTime> auth_time;

    bool platform() const { return !tenant; }
    bool may(std::string_view scope) const { return scopes.contains(scope); }
};

inline bool is_tenant_scope(std::string_view scope)
{
    return std::ranges::find(kTenantScopes, scope) != kTenantScopes.end();
}

} // namespace penguin::control
