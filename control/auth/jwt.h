// control/auth/jwt.h
// Proves a JSON Web Token and reads who it speaks for.
//
//   in      the compact form; the header's kid only chooses a key of ours. jku, x5u, jwk and x5c are never followed; a crit
//           that names anything is refused.
//   out     Principal: tenant from `tenant_id` (a UUID), or the platform from "platform": true; scopes from `scope` or
//           `scopes`; amr, auth_time
//   limits  kTokenMax octets; kLeeway between clocks
//   errors  TokenRefused, with a detail for our log alone: a client is never told why
//   source  RFC 7519, RFC 7515, RFC 8725, RFC 9068 (typ)
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "control/auth/jwk.h"
#include "control/auth/principal.h"

namespace penguin::control {

inline constexpr std::size_t kTokenMax = 8 * 1024; // octets
inline constexpr std::chrono::seconds kLeeway{60};

struct JwtRules {
    std::string issuer;          // `iss`, equal
    std::string audience;        // `aud`, equal or one of the array
    std::string type = "at+jwt"; // `typ`, without case and without "application/"
};

enum class TokenFault : std::uint8_t {
    no_token, // not the octets of one, or of another kind (typ, crit)
    forged,   // none of our keys has signed it: the kid, the alg or the signature
    claims,   // one of ours, and expired, for somebody else ...
};
struct TokenRefused {
    TokenFault fault{};
    std::string detail;       // never a part of the token
    bool unknown_key = false; // it may be signed with a key that has come since we read the set
};

std::expected<Principal, TokenRefused> verify_jwt(std::string_view token, const Jwks& keys, const JwtRules& rules,
                                                  WallTime now);

} // namespace penguin::control
