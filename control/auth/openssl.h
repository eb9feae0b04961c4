// control/auth/openssl.h
// The few calls of OpenSSL that tokens and keys need, with owners for what OpenSSL gives. Inside control/auth only.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include <openssl/types.h>

#include "engine/base/result.h"

namespace penguin::control {

struct FreeOpenSsl {
    void operator()(EVP_PKEY* key) const noexcept;
    void operator()(EVP_PKEY_CTX* context) const noexcept;
    void operator()(EVP_MD_CTX* context) const noexcept;
    void operator()(OSSL_PARAM* params) const noexcept;
    void operator()(OSSL_PARAM_BLD* builder) const noexcept;
    void operator()(BIGNUM* number) const noexcept;
};
template <class Object>
using OpenSsl = std::unique_ptr<Object, FreeOpenSsl>;

std::array<std::uint8_t, 32> hmac_sha256(const std::array<std::uint8_t, 32>& key, std::string_view text);
// Time depends on the length alone.
bool equal_in_constant_time(std::string_view a, std::string_view b);
// `count` characters of [0-9A-Za-z], each equally likely, from the kernel's randomness. Throws std::runtime_error without any.
std::string random_base62(std::size_t count);

// RFC 4648 5 without padding, as JOSE has it: no white space, no other character, no bits left over. Errors: malformed.
Result<std::string> from_base64url(std::string_view text);

} // namespace penguin::control
