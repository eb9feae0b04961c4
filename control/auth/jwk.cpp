#include "control/auth/jwk.h"

#include <algorithm>
#include <optional>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "control/auth/openssl.h"
#include "control/json/strict_json.h"

namespace penguin::control {

namespace {

namespace json = boost::json;
using Pkey = std::shared_ptr<EVP_PKEY>;

constexpr int kRsaBitsMin = 2048;
constexpr int kRsaBitsMax = 8192;
constexpr std::size_t kP256Octets = 32;
constexpr std::size_t kEd25519Octets = 32;

const unsigned char* octets(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

Result<std::string> octets_of(const json::object& object, std::string_view name)
{
    const auto text = text_member(object, name);
    if (!text) return fail(Errc::malformed, fmt::format("no member {}", name));
    Result<std::string> bytes = from_base64url(*text);
    if (!bytes) return fail(bytes.error(), name);
    return bytes;
}

OpenSsl<BIGNUM> number_of(std::string_view bytes)
{
    return OpenSsl<BIGNUM>{BN_bin2bn(octets(bytes), static_cast<int>(bytes.size()), nullptr)};
}

Pkey owned(EVP_PKEY* key)
{
    return key == nullptr ? Pkey{} : Pkey{key, [](EVP_PKEY* mine) { EVP_PKEY_free(mine); }};
}

Pkey from_params(const char* type, OSSL_PARAM_BLD* builder)
{
    const OpenSsl<OSSL_PARAM> params{OSSL_PARAM_BLD_to_param(builder)};
    const OpenSsl<EVP_PKEY_CTX> context{EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr)};
    EVP_PKEY* key = nullptr;
    if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
        return {};
    return owned(key);
}

Result<Pkey> ec_key(const json::object& jwk)
{
    const Result<std::string> x = octets_of(jwk, "x");
    const Result<std::string> y = octets_of(jwk, "y");
    if (!x) return std::unexpected{x.error()};
    if (!y) return std::unexpected{y.error()};
    if (x->size() != kP256Octets || y->size() != kP256Octets)
        return fail(Errc::malformed, "x and y of P-256 have 32 octets");
    const std::string point = "\x04" + *x + *y; // uncompressed form
    const OpenSsl<OSSL_PARAM_BLD> builder{OSSL_PARAM_BLD_new()};
    if (!builder || OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1)
        return fail(Errc::local_fault, "OpenSSL");
    Pkey key = from_params("EC", builder.get());
    const OpenSsl<EVP_PKEY_CTX> context{key ? EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr) : nullptr};
    if (!context || EVP_PKEY_public_check(context.get()) != 1) return fail(Errc::malformed, "not a point of P-256");
    return key;
}

Result<Pkey> rsa_key(const json::object& jwk)
{
    const Result<std::string> n = octets_of(jwk, "n");
    const Result<std::string> e = octets_of(jwk, "e");
    if (!n) return std::unexpected{n.error()};
    if (!e) return std::unexpected{e.error()};
    if (n->size() > kRsaBitsMax / 8 || e->size() > 8) return fail(Errc::malformed, "the RSA key is too large");
    const OpenSsl<BIGNUM> modulus = number_of(*n);
    const OpenSsl<BIGNUM> exponent = number_of(*e);
    const OpenSsl<OSSL_PARAM_BLD> builder{OSSL_PARAM_BLD_new()};
    if (!builder || !modulus || !exponent ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1)
        return fail(Errc::local_fault, "OpenSSL");
    if (BN_num_bits(modulus.get()) < kRsaBitsMin) return fail(Errc::malformed, "an RSA key has 2048 bits or more");
    if (BN_is_odd(modulus.get()) != 1 || BN_is_odd(exponent.get()) != 1 || BN_is_one(exponent.get()) == 1)
        return fail(Errc::malformed, "not an RSA key");
    Pkey key = from_params("RSA", builder.get());
    if (!key) return fail(Errc::malformed, "not an RSA key");
    return key;
}

Result<Pkey> ed25519_key(const json::object& jwk)
{
    const Result<std::string> x = octets_of(jwk, "x");
    if (!x) return std::unexpected{x.error()};
    if (x->size() != kEd25519Octets) return fail(Errc::malformed, "x of Ed25519 has 32 octets");
    Pkey key = owned(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, octets(*x), x->size()));
    if (!key) return fail(Errc::malformed, "not an Ed25519 key");
    return key;
}

// Nothing: a kind of key that we do not know.
std::optional<TokenAlgorithm> algorithm_of(const json::object& jwk)
{
    const auto type = text_member(jwk, "kty").value_or("");
    const auto curve = text_member(jwk, "crv").value_or("");
    if (type == "EC" && curve == "P-256") return TokenAlgorithm::es256;
    if (type == "RSA") return TokenAlgorithm::rs256;
    if (type == "OKP" && curve == "Ed25519") return TokenAlgorithm::eddsa;
    return std::nullopt;
}

bool is_for_verifying(const json::object& jwk, TokenAlgorithm algorithm)
{
    if (text_member(jwk, "use").value_or("sig") != "sig") return false;
    if (text_member(jwk, "alg").value_or(name_of(algorithm)) != name_of(algorithm)) return false;
    const json::value* operations = jwk.if_contains("key_ops");
    if (operations == nullptr) return true;
    return operations->is_array() && std::ranges::any_of(operations->get_array(), [](const json::value& operation) {
               return operation.is_string() && operation.get_string() == "verify";
           });
}

Result<Pkey> key_of(const json::object& jwk, TokenAlgorithm algorithm)
{
    switch (algorithm) {
    case TokenAlgorithm::es256: return ec_key(jwk);
    case TokenAlgorithm::rs256: return rsa_key(jwk);
    case TokenAlgorithm::eddsa: return ed25519_key(jwk);
    }
    return fail(Errc::local_fault, "no such algorithm");
}

// JOSE has r and s side by side, OpenSSL wants DER.
std::string der_of(std::string_view signature)
{
    ECDSA_SIG* pair = ECDSA_SIG_new();
    BIGNUM* r = BN_bin2bn(octets(signature), kP256Octets, nullptr);
    BIGNUM* s = BN_bin2bn(octets(signature) + kP256Octets, kP256Octets, nullptr);
    ECDSA_SIG_set0(pair, r, s);
    std::string der(static_cast<std::size_t>(i2d_ECDSA_SIG(pair, nullptr)), '\0');
    auto* out = reinterpret_cast<unsigned char*>(der.data());
    i2d_ECDSA_SIG(pair, &out);
    ECDSA_SIG_free(pair);
    return der;
}

} // namespace

std::string_view name_of(TokenAlgorithm algorithm)
{
    switch (algorithm) {
    case TokenAlgorithm::es256: return "ES256";
    case TokenAlgorithm::rs256: return "RS256";
    case TokenAlgorithm::eddsa: return "EdDSA";
    }
    return "unknown";
}

bool VerifyKey::verifies(std::string_view text, std::string_view signature) const
{
    std::string converted;
    if (algorithm == TokenAlgorithm::es256) {
        if (signature.size() != 2 * kP256Octets) return false;
        converted = der_of(signature);
        signature = converted;
    }
    const OpenSsl<EVP_MD_CTX> context{EVP_MD_CTX_new()};
    const EVP_MD* digest = algorithm == TokenAlgorithm::eddsa ? nullptr : EVP_sha256();
    return context && EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key.get()) == 1 &&
           EVP_DigestVerify(context.get(), octets(signature), signature.size(), octets(text), text.size()) == 1;
}

Result<Jwks> Jwks::parse(std::string_view text)
{
    if (text.size() > kJwksMax) return fail(Errc::malformed, "the key set is too large");
    const auto document = parse_strict_json(text);
    if (!document || !document->is_object()) return fail(Errc::malformed, "not a JSON object without double members");
    const json::value* keys = document->get_object().if_contains("keys");
    if (keys == nullptr || !keys->is_array()) return fail(Errc::malformed, "no array keys");
    if (keys->get_array().size() > kKeysMax) return fail(Errc::malformed, fmt::format("more than {} keys", kKeysMax));
    Jwks jwks;
    for (const json::value& value : keys->get_array()) {
        if (!value.is_object()) return fail(Errc::malformed, "a key is an object");
        const json::object& jwk = value.get_object();
        const auto algorithm = algorithm_of(jwk);
        if (!algorithm || !is_for_verifying(jwk, *algorithm)) continue;
        const std::string kid{text_member(jwk, "kid").value_or("")};
        if (kid.empty() || kid.size() > kKidMax) return fail(Errc::malformed, "a key has a kid of 1 to 256 octets");
        if (jwks.find(kid) != nullptr) return fail(Errc::malformed, "two keys have the kid " + kid);
        Result<Pkey> key = key_of(jwk, *algorithm);
        if (!key) return fail(key.error(), "key " + kid);
        jwks.keys_.push_back(VerifyKey{kid, *algorithm, std::move(*key)});
    }
    if (jwks.keys_.empty()) return fail(Errc::malformed, "no key for ES256, RS256 or EdDSA");
    return jwks;
}

const VerifyKey* Jwks::find(std::string_view kid) const
{
    const auto found = std::ranges::find(keys_, kid, &VerifyKey::kid);
    return found == keys_.end() ? nullptr : &*found;
}

} // namespace penguin::control
