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

// Octets that are wiped when they go.
class Secret {
public:
    explicit Secret(std::string bytes) : bytes_{std::move(bytes)} {}
    Secret(Secret&& other) noexcept : bytes_{std::move(other.bytes_)} { other.bytes_.clear(); }
    Secret& operator=(Secret&& other) noexcept;
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    ~Secret();
    std::string_view bytes() const noexcept { return bytes_; }

private:
    std::string bytes_;
};

Result<std::string> seal(const MasterKey& key, std::string_view secret, const SecretOwner& owner);
Result<Secret> open_sealed(const MasterKey& key, std::string_view sealed, const SecretOwner& owner);

} // namespace penguin::dkim
