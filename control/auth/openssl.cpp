#include "control/auth/openssl.h"

#include <algorithm>
#include <stdexcept>

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>

#include "engine/mail/base64.h"

namespace penguin::control {

void FreeOpenSsl::operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
void FreeOpenSsl::operator()(EVP_PKEY_CTX* context) const noexcept { EVP_PKEY_CTX_free(context); }
void FreeOpenSsl::operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
void FreeOpenSsl::operator()(OSSL_PARAM* params) const noexcept { OSSL_PARAM_free(params); }
void FreeOpenSsl::operator()(OSSL_PARAM_BLD* builder) const noexcept { OSSL_PARAM_BLD_free(builder); }
void FreeOpenSsl::operator()(BIGNUM* number) const noexcept { BN_free(number); }

std::array<std::uint8_t, 32> hmac_sha256(const std::array<std::uint8_t, 32>& key, std::string_view text)
{
    std::array<std::uint8_t, 32> digest{};
    unsigned int length = digest.size();
    const auto* octets = reinterpret_cast<const unsigned char*>(text.data());
    if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), octets, text.size(), digest.data(), &length) ==
        nullptr)
        throw std::runtime_error{"OpenSSL has no HMAC-SHA-256"};
    return digest;
}

bool equal_in_constant_time(std::string_view a, std::string_view b)
{
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string random_base62(std::size_t count)
{
    constexpr std::string_view digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    constexpr unsigned kFair = 256 - 256 % 62; // octets from here on would favour the first digits
    std::string text;
    while (text.size() < count) {
        unsigned char octet = 0;
        if (RAND_bytes(&octet, 1) != 1) throw std::runtime_error{"OpenSSL has no randomness"};
        if (octet < kFair) text.push_back(digits[octet % 62]);
    }
    return text;
}

Result<std::string> from_base64url(std::string_view text)
{
    if (text.find_first_of("+/=") != std::string_view::npos) return fail(Errc::malformed, "not base64url");
    std::string standard{text};
    std::ranges::replace(standard, '-', '+');
    std::ranges::replace(standard, '_', '/');
    standard.append((4 - standard.size() % 4) % 4, '=');
    Result<std::string> bytes = from_base64(standard);
    if (!bytes) return bytes;
    // The one encoding of these bytes and no other, else one token would have several texts.
    if (to_base64(*bytes) != standard) return fail(Errc::malformed, "not canonical base64url");
    return bytes;
}

} // namespace penguin::control
