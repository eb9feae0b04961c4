// control/auth/api_key.h
// API keys: what a client holds, and what we keep of it.
//
//   form    "pm_live_" + 32 hex digits (the id) + "_" + kSecretDigits of [0-9A-Za-z] (the secret, 238 bits)
//   Basic   the same pair as user (the id as UUID text) and password (the secret)
//   stored  HMAC-SHA-256 of id and secret under a key that the master key derives: a copied table opens nothing, and a hash
//           cannot be moved to another key's row. A slow hash would add nothing to a secret of 238 random bits.
//   errors  malformed
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "engine/base/uuid.h"

namespace penguin::control {

inline constexpr std::string_view kApiKeyPrefix = "pm_live_";
inline constexpr std::string_view kApiKeyHashLabel = "api-key-hash"; // for dkim::MasterKey::derive
inline constexpr std::size_t kSecretDigits = 40;
inline constexpr std::size_t kSecretGivenMax = 128; // octets of a password that we look at

struct ApiKey {
    Uuid id;
    std::string secret;

    static ApiKey make(WallTime now);
    static Result<ApiKey> parse(std::string_view text);         // "pm_live_..."
    static Result<ApiKey> from_basic(std::string_view encoded); // what follows "Basic "
    std::string text() const;
};

using ApiKeyHashKey = std::array<std::uint8_t, 32>;
std::string hash_of(const ApiKey& key, const ApiKeyHashKey& hash_key); // 32 octets

} // namespace penguin::control
