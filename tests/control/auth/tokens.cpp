#include "tokens.h"

#include <algorithm>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include "engine/mail/base64.h"

namespace penguin::control::test {

namespace {

EVP_PKEY* make(SigningKey::Kind kind)
{
    switch (kind) {
    case SigningKey::Kind::p256: return EVP_EC_gen("P-256");
    case SigningKey::Kind::p384: return EVP_EC_gen("P-384");
    case SigningKey::Kind::rsa2048: return EVP_RSA_gen(2048);
    case SigningKey::Kind::rsa1024: return EVP_RSA_gen(1024);
    case SigningKey::Kind::ed25519: return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
    }
    return nullptr;
}

std::string number(EVP_PKEY* key, const char* name, std::size_t octets)
{
    BIGNUM* value = nullptr;
    EVP_PKEY_get_bn_param(key, name, &value);
    if (octets == 0) octets = static_cast<std::size_t>(BN_num_bytes(value));
    std::string bytes(octets, '\0');
    BN_bn2binpad(value, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(octets));
    BN_free(value);
    return base64url(bytes);
}

std::string raw_public(EVP_PKEY* key)
{
    std::string bytes(32, '\0');
    std::size_t length = bytes.size();
    EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(bytes.data()), &length);
    return base64url(bytes);
}

// DER -> r and s, each of `octets` octets.
std::string jose_form(const std::string& der, int octets)
{
    const auto* in = reinterpret_cast<const unsigned char*>(der.data());
    ECDSA_SIG* pair = d2i_ECDSA_SIG(nullptr, &in, static_cast<long>(der.size()));
    std::string bytes(static_cast<std::size_t>(2 * octets), '\0');
    auto* out = reinterpret_cast<unsigned char*>(bytes.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, octets);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + octets, octets);
    ECDSA_SIG_free(pair);
    return bytes;
}

} // namespace

std::string base64url(std::string_view bytes)
{
    std::string text = to_base64(bytes);
    std::ranges::replace(text, '+', '-');
    std::ranges::replace(text, '/', '_');
    std::erase(text, '=');
    return text;
}

std::string jwks_of(const std::string& first, const std::string& second)
{
    return R"({"keys": [)" + first + (second.empty() ? "" : "," + second) + "]}";
}

SigningKey::SigningKey(Kind kind, std::string kid)
    : kind_{kind},
      kid_{std::move(kid)},
      key_{make(kind), [](EVP_PKEY* key) { EVP_PKEY_free(key); }}
{
}

std::string SigningKey::jwk(std::string_view more) const
{
    std::string fields = R"("kid": ")" + kid_ + "\"";
    if (!more.empty()) fields += ", " + std::string{more};
    switch (kind_) {
    case Kind::p256:
        return R"({"kty": "EC", "crv": "P-256", "x": ")" + number(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, 32) +
               R"(", "y": ")" + number(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, 32) + "\", " + fields + "}";
    case Kind::p384:
        return R"({"kty": "EC", "crv": "P-384", "x": ")" + number(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, 48) +
               R"(", "y": ")" + number(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, 48) + "\", " + fields + "}";
    case Kind::rsa2048:
    case Kind::rsa1024:
        return R"({"kty": "RSA", "n": ")" + number(key_.get(), OSSL_PKEY_PARAM_RSA_N, 0) + R"(", "e": ")" +
               number(key_.get(), OSSL_PKEY_PARAM_RSA_E, 0) + "\", " + fields + "}";
    case Kind::ed25519:
        return R"({"kty": "OKP", "crv": "Ed25519", "x": ")" + raw_public(key_.get()) + "\", " + fields + "}";
    }
    return {};
}

std::string SigningKey::token(std::string_view header, std::string_view claims) const
{
    const std::string text = base64url(header) + "." + base64url(claims);
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EVP_DigestSignInit(context, nullptr, kind_ == Kind::ed25519 ? nullptr : EVP_sha256(), nullptr, key_.get());
    std::size_t length = 0;
    const auto* octets = reinterpret_cast<const unsigned char*>(text.data());
    EVP_DigestSign(context, nullptr, &length, octets, text.size());
    std::string signature(length, '\0');
    EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &length, octets, text.size());
    signature.resize(length);
    EVP_MD_CTX_free(context);
    if (kind_ == Kind::p256) signature = jose_form(signature, 32);
    if (kind_ == Kind::p384) signature = jose_form(signature, 48);
    return text + "." + base64url(signature);
}

std::string SigningKey::public_pem() const
{
    BIO* out = BIO_new(BIO_s_mem());
    PEM_write_bio_PUBKEY(out, key_.get());
    char* data = nullptr;
    const long length = BIO_get_mem_data(out, &data);
    std::string pem{data, static_cast<std::size_t>(length)};
    BIO_free(out);
    return pem;
}

std::string hmac_token(std::string_view header, std::string_view claims, std::string_view secret)
{
    const std::string text = base64url(header) + "." + base64url(claims);
    std::string digest(32, '\0');
    unsigned length = 32;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         reinterpret_cast<unsigned char*>(digest.data()), &length);
    return text + "." + base64url(digest);
}

} // namespace penguin::control::test
