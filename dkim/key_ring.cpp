#include "dkim/key_ring.h"

#include <tuple>

#include <fmt/format.h>
#include <openssl/evp.h>

namespace penguin::dkim {

namespace {

std::string owner_text(const SigningKey& key) { return key.domain.text() + "/" + key.selector; }

bool same_key(const SigningKey& a, const SigningKey& b)
{
    return a.tenant == b.tenant && a.domain == b.domain && a.selector == b.selector && a.algorithm == b.algorithm &&
           a.version == b.version && a.sealed == b.sealed;
}

// While two selectors are live for a rotation, the newer one signs.
bool is_newer(const SigningKey& a, const SigningKey& b)
{
    return std::tie(a.version, a.selector) > std::tie(b.version, b.selector);
}

// The copies of one thread, for all rings: a KeyId is never used twice.
class ThreadKeys {
public:
    EVP_PKEY* find(KeyId id)
    {
        const auto found = index_.find(id);
        if (found == index_.end()) return nullptr;
        keys_.splice(keys_.begin(), keys_, found->second);
        return keys_.front().second.get();
    }

    EVP_PKEY* add(KeyId id, KeyHandle key)
    {
        keys_.emplace_front(id, std::move(key));
        index_[id] = keys_.begin();
        if (keys_.size() > KeyRing::kThreadKeysMax) {
            index_.erase(keys_.back().first);
            keys_.pop_back();
        }
        return keys_.front().second.get();
    }

private:
    std::list<std::pair<KeyId, KeyHandle>> keys_; // most lately used first
    std::unordered_map<KeyId, std::list<std::pair<KeyId, KeyHandle>>::iterator> index_;
};

thread_local ThreadKeys this_threads_keys;

} // namespace

SecretOwner owner_of(TenantId tenant, const DomainName& domain, std::string_view selector, std::uint32_t version)
{
    return {tenant, "dkim", domain.text() + "/" + std::string{selector}, version};
}

std::size_t KeyRing::OwnerHash::operator()(const Owner& owner) const noexcept
{
    return std::hash<TenantId>{}(owner.tenant) * 31 ^ std::hash<DomainName>{}(owner.domain);
}

KeyRing::KeyRing(const MasterKey& master) : master_{master}, map_{std::make_shared<const Map>()} {}

std::shared_ptr<const LiveKey> KeyRing::live(const SigningKey& key, const std::shared_ptr<const LiveKey>& before)
{
    static std::atomic<KeyId> last{0};
    if (before && same_key(before->key, key)) return before;
    return std::make_shared<const LiveKey>(LiveKey{++last, key});
}

std::unordered_set<KeyId> KeyRing::replace(const std::vector<SigningKey>& keys)
{
    std::unordered_map<Owner, std::pair<const SigningKey*, const SigningKey*>, OwnerHash> newest;
    for (const SigningKey& key : keys) {
        auto& [rsa, ed25519] = newest[{key.tenant, key.domain}];
        const SigningKey*& slot = key.algorithm == Algorithm::rsa_sha256 ? rsa : ed25519;
        if (slot == nullptr || is_newer(key, *slot)) slot = &key;
    }
    const std::scoped_lock lock{map_mutex_};
    auto next = std::make_shared<Map>();
    std::unordered_set<KeyId> ids;
    for (const auto& [owner, chosen] : newest) {
        const auto before = map_->find(owner);
        DomainKeys domain = before == map_->end() ? DomainKeys{} : before->second;
        domain.rsa = chosen.first == nullptr ? nullptr : live(*chosen.first, domain.rsa);
        domain.ed25519 = chosen.second == nullptr ? nullptr : live(*chosen.second, domain.ed25519);
        if (domain.rsa) ids.insert(domain.rsa->id);
        if (domain.ed25519) ids.insert(domain.ed25519->id);
        next->emplace(owner, std::move(domain));
    }
    map_ = std::move(next);
    return ids;
}

std::optional<DomainKeys> KeyRing::find(TenantId tenant, const DomainName& domain) const
{
    std::shared_ptr<const Map> map;
    {
        const std::scoped_lock lock{map_mutex_};
        map = map_;
    }
    const auto found = map->find({tenant, domain});
    if (found == map->end()) return std::nullopt;
    return found->second;
}

Result<EVP_PKEY*> KeyRing::open(const LiveKey& key)
{
    if (EVP_PKEY* mine = this_threads_keys.find(key.id)) return mine;
    Result<std::shared_ptr<EVP_PKEY>> shared = shared_key(key);
    if (!shared) return std::unexpected{shared.error()};
    KeyHandle copy{EVP_PKEY_dup(shared->get())};
    if (!copy) return fail(Errc::local_fault, fmt::format("DKIM key {}: no memory", owner_text(key.key)));
    return this_threads_keys.add(key.id, std::move(copy));
}

Result<std::shared_ptr<EVP_PKEY>> KeyRing::shared_key(const LiveKey& key)
{
    {
        const std::scoped_lock lock{opened_mutex_};
        if (const auto found = opened_index_.find(key.id); found != opened_index_.end()) {
            opened_.splice(opened_.begin(), opened_, found->second);
            return opened_.front().second;
        }
    }
    // Two threads may do this at once for one key: dearer once, but no thread waits for another's decryption.
    const auto wrong = [&](const Error& why) {
        return fail(Errc::local_fault, fmt::format("DKIM key {}: {}", owner_text(key.key), why.detail));
    };
    Result<Secret> der = open_sealed(master_, key.key.sealed,
                                     owner_of(key.key.tenant, key.key.domain, key.key.selector, key.key.version));
    if (!der) return wrong(der.error());
    Result<KeyHandle> opened = open_private_key(key.key.algorithm, der->bytes());
    if (!opened) return wrong(opened.error());
    std::shared_ptr<EVP_PKEY> shared{opened->release(), FreeKey{}};

    const std::scoped_lock lock{opened_mutex_};
    if (const auto found = opened_index_.find(key.id); found != opened_index_.end()) return found->second->second;
    opened_.emplace_front(key.id, shared);
    opened_index_[key.id] = opened_.begin();
    if (opened_.size() > kOpenKeysMax) {
        opened_index_.erase(opened_.back().first);
        opened_.pop_back();
    }
    return shared;
}

} // namespace penguin::dkim
