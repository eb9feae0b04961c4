// dkim/sealed_key.h
// Envelope encryption of secrets at rest. Each secret has a random data key; the data key is wrapped by the
// key-encryption key that the master key derives. What the secret belongs to is authenticated, so that a row cannot be
// moved or rolled back.
//
//   form    octet 1 (version) | 8 key id | 12 nonce, 32 wrapped data key, 16 tag | 12 nonce, secret, 16 tag
//   AAD     both times: version, key id, tenant, kind, id, version number, each with its length
//   limits  kSecretMax octets a secret
//   errors  malformed (not this form), denied (another key-encryption key, other owner, or changed octets), too_long,
//           local_fault
//   source  AES-256-GCM, NIST SP 800-38D
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "dkim/master_key.h"
#include "dkim/secret.h"
#include "engine/base/uuid.h"

namespace penguin::dkim {

inline constexpr std::size_t kSecretMax = 16'384; // octets

// What a secret belongs to.
struct SecretOwner {
    TenantId tenant;
    std::string kind;          // "dkim", "webhook", ...
    std::string id;            // of the row: for DKIM "<domain>/<selector>"
    std::uint32_t version = 1; // goes up when the secret of that id changes
};

// Wrapped by the key that `key` says wraps now (MasterKey::wrapping).
Result<std::string> seal(const MasterKey& key, std::string_view secret, const SecretOwner& owner);
Result<Secret> open_sealed(const MasterKey& key, std::string_view sealed, const SecretOwner& owner);

// What every secret begins with that the key which wraps now has wrapped: for those that a rotation has still to do.
std::string sealed_head(const MasterKey& key);
// The same secret, wrapped by the key that wraps now, under a data key of its own. Errors: those of both.
Result<std::string> seal_again(const MasterKey& key, std::string_view sealed, const SecretOwner& owner);

} // namespace penguin::dkim
