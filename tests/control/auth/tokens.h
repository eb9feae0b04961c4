// tests/control/auth/tokens.h
// Keys that sign tokens, honestly or not: a fresh pair a kind, its JWK, and tokens of any header and claims.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <openssl/types.h>

#include "control/auth/jwk.h"

namespace penguin::control::test {

class SigningKey {
public:
    enum class Kind : std::uint8_t { p256, rsa2048, rsa1024, ed25519, p384 };
    SigningKey(Kind kind, std::string kid);

    std::string jwk(std::string_view more = "") const; // one JSON object; `more` is put in as it is
    std::string token(std::string_view header,
                      std::string_view claims) const; // signed with this key, whatever the header says
    std::string public_pem() const;
    const std::string& kid() const { return kid_; }

private:
    Kind kind_;
    std::string kid_;
    std::shared_ptr<EVP_PKEY> key_;
};

std::string base64url(std::string_view bytes);
std::string jwks_of(const std::string& first, const std::string& second = "");
// HS256 with `secret`: what a forger makes of a public key.
std::string hmac_token(std::string_view header, std::string_view claims, std::string_view secret);

} // namespace penguin::control::test
