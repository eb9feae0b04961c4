#include "dkim/key_pair.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "engine/mail/base64.h"

namespace penguin::dkim {

namespace {

int type_of(Algorithm algorithm)
{
    switch (algorithm) {
    case Algorithm::rsa_sha256: return EVP_PKEY_RSA;
    case Algorithm::ed25519_sha256: return EVP_PKEY_ED25519;
    }
    return EVP_PKEY_NONE;
}

// What OpenSSL's i2d functions write, and the buffer given back.
template <class Write>
std::string der_of(Write write)
{
    unsigned char* der = nullptr;
    const int size = write(&der);
    if (size <= 0) return {};
    std::string out{reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)};
    OPENSSL_clear_free(der, static_cast<std::size_t>(size));
    return out;
}

std::string private_der_of(EVP_PKEY* key)
{
    PKCS8_PRIV_KEY_INFO* info = EVP_PKEY2PKCS8(key);
    if (info == nullptr) return {};
    std::string der = der_of([&](unsigned char** out) { return i2d_PKCS8_PRIV_KEY_INFO(info, out); });
    PKCS8_PRIV_KEY_INFO_free(info);
    return der;
}

} // namespace

void FreeKey::operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }

std::string_view name_of(Algorithm algorithm)
{
    switch (algorithm) {
    case Algorithm::rsa_sha256: return "rsa-sha256";
    case Algorithm::ed25519_sha256: return "ed25519-sha256";
    }
    return {};
}

Result<Algorithm> parse_algorithm(std::string_view text)
{
    for (const Algorithm algorithm : {Algorithm::rsa_sha256, Algorithm::ed25519_sha256})
        if (text == name_of(algorithm)) return algorithm;
    return fail(Errc::malformed, "neither rsa-sha256 nor ed25519-sha256");
}

Result<KeyPair> make_key_pair(Algorithm algorithm)
{
    const KeyHandle key{algorithm == Algorithm::rsa_sha256
                            ? EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<std::size_t>(kRsaBits))
                            : EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")};
    if (!key) return fail(Errc::local_fault, "making a DKIM key failed");
    Secret der{private_der_of(key.get())};
    Result<std::string> public_key = public_base64_of(algorithm, key.get());
    if (!public_key) return std::unexpected{public_key.error()};
    if (der.bytes().empty()) return fail(Errc::local_fault, "writing a DKIM key failed");
    return KeyPair{algorithm, std::move(der), std::move(*public_key)};
}

Result<KeyHandle> open_private_key(Algorithm algorithm, std::string_view der)
{
    // By type, not by OpenSSL 3's guessing decoder: a third of its price.
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    KeyHandle key{d2i_PrivateKey(type_of(algorithm), nullptr, &at, static_cast<long>(der.size()))};
    if (!key) return fail(Errc::malformed, "not a private key in DER");
    if (EVP_PKEY_get_base_id(key.get()) != type_of(algorithm))
        return fail(Errc::malformed, "a private key of another algorithm");
    return key;
}

Result<std::string> public_base64_of(Algorithm algorithm, EVP_PKEY* key)
{
    std::string bytes;
    if (algorithm == Algorithm::rsa_sha256) {
        bytes = der_of([&](unsigned char** out) { return i2d_PUBKEY(key, out); });
    } else {
        std::size_t size = 32;
        bytes.resize(size);
        if (EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(bytes.data()), &size) != 1) bytes.clear();
    }
    if (bytes.empty()) return fail(Errc::local_fault, "reading a public key failed");
    return to_base64(bytes);
}

std::string dns_record(Algorithm algorithm, std::string_view public_base64)
{
    const std::string_view type = algorithm == Algorithm::rsa_sha256 ? "rsa" : "ed25519";
    return "v=DKIM1; k=" + std::string{type} + "; p=" + std::string{public_base64};
}

} // namespace penguin::dkim
