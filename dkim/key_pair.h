// dkim/key_pair.h
// DKIM keys: made here, sealed by the caller, published in DNS by the tenant.
//
//   out     private key as PKCS#8 DER (a Secret), public key as the p= of its DNS record
//   errors  local_fault (OpenSSL), malformed (not a key of that algorithm)
//   source  RFC 6376 3.6.1, RFC 8463 4
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <openssl/types.h>

#include "dkim/sealed_key.h"

namespace penguin::dkim {

enum class Algorithm : std::uint8_t { rsa_sha256, ed25519_sha256 };

std::string_view name_of(Algorithm algorithm);            // "rsa-sha256", "ed25519-sha256": the a= tag
Result<Algorithm> parse_algorithm(std::string_view text); // malformed

struct FreeKey {
    void operator()(EVP_PKEY* key) const noexcept;
};
using KeyHandle = std::unique_ptr<EVP_PKEY, FreeKey>;

struct KeyPair {
    Algorithm algorithm{};
    Secret private_der;
    std::string public_base64;
};

inline constexpr int kRsaBits = 2048;

Result<KeyPair> make_key_pair(Algorithm algorithm); // RSA takes some 100 ms: not on a shard's thread
Result<KeyHandle> open_private_key(Algorithm algorithm, std::string_view der);
Result<std::string> public_base64_of(Algorithm algorithm, EVP_PKEY* key);

// The TXT record at <selector>._domainkey.<domain>: "v=DKIM1; k=rsa; p=...".
std::string dns_record(Algorithm algorithm, std::string_view public_base64);

} // namespace penguin::dkim
