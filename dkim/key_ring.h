// dkim/key_ring.h
// The signing keys that are live now, found by tenant and domain; opened when first used.
//
//   in       the snapshot's sealed keys, replaced whole; a key that did not change keeps its identity (KeyId)
//   out      for a domain: the newest RSA key and the newest Ed25519 key; an opened key for this thread
//   limits   kOpenKeysMax opened keys for all threads, kThreadKeysMax copies a thread; the least used goes first
//   threads  any. A thread signs with a copy of its own (EVP_PKEY_dup): a shared one costs 15 %
//   errors   local_fault (cannot be unsealed or is no key of its algorithm: detail says which)
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "dkim/key_pair.h"
#include "engine/mail/domain_name.h"

namespace penguin::dkim {

struct SigningKey {
    TenantId tenant;
    DomainName domain;
    std::string selector;
    Algorithm algorithm{};
    std::string sealed; // by seal() with owner_of(key)
    std::uint32_t version = 1;
};

// The owner that a DKIM key is sealed for.
SecretOwner owner_of(TenantId tenant, const DomainName& domain, std::string_view selector, std::uint32_t version);

using KeyId = std::uint64_t; // names one key within the process; never used again

struct LiveKey {
    KeyId id = 0;
    SigningKey key;
};

struct DomainKeys {
    std::shared_ptr<const LiveKey> rsa;     // may be empty
    std::shared_ptr<const LiveKey> ed25519; // may be empty
};

class KeyRing {
public:
    static constexpr std::size_t kOpenKeysMax = 4096;
    static constexpr std::size_t kThreadKeysMax = 256;

    explicit KeyRing(const MasterKey& master);

    // The ids of the keys that are live from now on.
    std::unordered_set<KeyId> replace(const std::vector<SigningKey>& keys);
    // Empty when the domain has none.
    std::optional<DomainKeys> find(TenantId tenant, const DomainName& domain) const;
    // Valid on this thread until its next call of open.
    Result<EVP_PKEY*> open(const LiveKey& key);

private:
    struct Owner {
        TenantId tenant;
        DomainName domain;
        friend bool operator==(const Owner&, const Owner&) = default;
    };
    struct OwnerHash {
        std::size_t operator()(const Owner& owner) const noexcept;
    };
    using Map = std::unordered_map<Owner, DomainKeys, OwnerHash>;
    using Opened = std::pair<KeyId, std::shared_ptr<EVP_PKEY>>;

    static std::shared_ptr<const LiveKey> live(const SigningKey& key, const std::shared_ptr<const LiveKey>& before);
    Result<std::shared_ptr<EVP_PKEY>> shared_key(const LiveKey& key);

    const MasterKey master_;
    mutable std::mutex map_mutex_;
    std::shared_ptr<const Map> map_;

    std::mutex opened_mutex_;
    std::list<Opened> opened_; // most lately used first
    std::unordered_map<KeyId, std::list<Opened>::iterator> opened_index_;
};

} // namespace penguin::dkim
