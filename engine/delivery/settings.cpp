#include "engine/delivery/settings.h"

#include "engine/mail/recipient_zone.h"

#include <algorithm>

namespace penguin::delivery {

namespace {

// FNV-1a, 64 bits: the set is not a table that others can fill, only our own suppression lists do.
std::uint64_t mix(std::uint64_t hash, std::string_view octets)
{
    for (const char c : octets) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
    return hash;
}

constexpr std::uint64_t kStart = 0xCBF29CE484222325ULL;

// The address as EmailAddress::folded gives it.
std::uint64_t hash_of(const TenantId& tenant, std::string_view address)
{
    const auto& bytes = tenant.value().bytes();
    const std::string_view id{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    return mix(mix(kStart, id), address);
}

std::uint64_t hash_of(std::string_view address) { return mix(kStart, address); }

} // namespace

LaneLimits narrowed(LaneLimits limits, const policy::Provider* provider)
{
    if (provider == nullptr) return limits;
    limits.connections = std::min(limits.connections, provider->connections.value_or(limits.connections));
    limits.messages_per_connection = std::min(
        limits.messages_per_connection, provider->messages_per_connection.value_or(limits.messages_per_connection));
    return limits;
}

void Suppressions::add(const TenantId& tenant, const EmailAddress& address)
{
    hashes_.insert(hash_of(tenant, address.folded()));
}

void Suppressions::add_global(const EmailAddress& address) { hashes_.insert(hash_of(address.folded())); }

bool Suppressions::covers(const TenantId& tenant, const EmailAddress& address) const
{
    if (hashes_.empty()) return false;
    const std::string folded = address.folded();
    return hashes_.contains(hash_of(tenant, folded)) || hashes_.contains(hash_of(folded));
}

std::optional<CampaignState> Settings::stopped(const TenantId& tenant, const std::optional<CampaignId>& campaign) const
{
    if (!campaign || campaigns.empty()) return std::nullopt;
    const auto found = campaigns.find({tenant, *campaign});
    return found == campaigns.end() ? std::nullopt : std::optional{found->second};
}

WallTime Settings::opens(const TenantId& tenant, const std::optional<CampaignId>& campaign, std::string_view vars,
                         WallTime at) const
{
    if (!campaign || windows.empty()) return at;
    const auto found = windows.find({tenant, *campaign});
    if (found == windows.end()) return at;
    const policy::SendingWindow& window = found->second;
    const auto own = window.of_recipients ? recipient_zone(vars) : std::nullopt;
    return window.opens(own.value_or(window.zone), at);
}

} // namespace penguin::delivery
