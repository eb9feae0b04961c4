// control/audit/security_events.h
// The port from what refuses callers to who keeps it. Real: AuditLog; tests: a vector.
//
//   never  a credential or a part of one, the id of a key that was not proved
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/clock.h"
#include "engine/base/uuid.h"

namespace penguin::control::audit {

enum class SecurityAction : std::uint8_t {
    auth_failed,       // "auth.failed": a wrong credential
    auth_forged_token, // "auth.forged_token": a token that none of our keys has signed
    auth_throttled,    // "auth.throttled": too many of those before
    request_denied,    // "request.denied": a proved credential of the wrong audience, or without the scope
};
inline constexpr std::size_t kSecurityActions = static_cast<std::size_t>(SecurityAction::request_denied) + 1;
std::string_view name_of(SecurityAction action);

// Equal ones are counted together.
struct SecurityKind {
    SecurityAction action{};
    std::string peer;  // as the throttle counts: an IPv4 address, an IPv6 /64, "unix"
    std::string actor; // subject of the proved credential, or ""
    std::optional<TenantId> tenant{};
    std::string route{}; // "GET /v1/tenants/{tenant}", or ""
    std::string why{};
    friend auto operator<=>(const SecurityKind&, const SecurityKind&) = default;
};

struct SecurityEvent {
    SecurityKind kind;
    std::string request_id{}; // or ""
    WallTime time{};
};

class SecurityEvents {
public:
    virtual ~SecurityEvents() = default;
    // Cheap: does no I/O, never waits.
    virtual void note(SecurityEvent event) = 0;
};

} // namespace penguin::control::audit
