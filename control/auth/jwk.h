// control/auth/jwk.h
// The public keys that may sign tokens: a JSON Web Key Set, each key bound to its one algorithm.
//
//   in      {"keys": [...]} of kty EC (P-256), RSA (2048 to 8192 bits), OKP (Ed25519). Private members are not needed and
//           not read; keys for another use ("use": "enc") and key types that we do not know are passed over.
//   out     VerifyKey by its kid; the algorithm follows from the key, never from a token (RFC 8725 3.1)
//   limits  kJwksMax octets, kKeysMax keys, kKidMax octets a kid
//   errors  malformed: not a key set, a broken key, a kid missing or used twice, no usable key
//   source  RFC 7517, RFC 7518 6, RFC 8037
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/types.h>

#include "engine/base/result.h"

namespace penguin::control {

inline constexpr std::size_t kJwksMax = 256 * 1024; // octets
inline constexpr std::size_t kKeysMax = 64;
inline constexpr std::size_t kKidMax = 256; // octets

enum class TokenAlgorithm : std::uint8_t { es256, rs256, eddsa };
std::string_view name_of(TokenAlgorithm algorithm); // "ES256", "RS256", "EdDSA"

struct VerifyKey {
    std::string kid;
    TokenAlgorithm algorithm{};
    std::shared_ptr<EVP_PKEY> key;

    // `signature` in JOSE's form: ES256 is r and s, 32 octets each.
    bool verifies(std::string_view text, std::string_view signature) const;
};

class Jwks {
public:
    static Result<Jwks> parse(std::string_view json);
    // Null when there is none.
    const VerifyKey* find(std::string_view kid) const;
    std::size_t size() const noexcept { return keys_.size(); }

private:
    std::vector<VerifyKey> keys_;
};

} // namespace penguin::control
