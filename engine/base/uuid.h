// engine/base/uuid.h
// UUIDs: version 7 of RFC 9562 where we make them (they sort by time), any version where others do.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

#include "engine/base/clock.h"
#include "engine/base/result.h"
#include "engine/base/strong_type.h"

namespace penguin {

class Uuid {
public:
    constexpr Uuid() = default;
    // The 36-character form, either case. Errors: malformed.
    static Result<Uuid> parse(std::string_view text);
    // Time-ordered, 74 random bits from the kernel (RFC 9562 5.7).
    static Uuid v7(WallTime now);
    static Uuid from_bytes(const std::array<std::uint8_t, 16>& bytes) { return Uuid{bytes}; }

    std::string text() const; // 36 characters, lower case
    const std::array<std::uint8_t, 16>& bytes() const noexcept { return bytes_; }
    bool nil() const noexcept { return bytes_ == std::array<std::uint8_t, 16>{}; }
    friend auto operator<=>(const Uuid&, const Uuid&) = default;

private:
    explicit constexpr Uuid(const std::array<std::uint8_t, 16>& bytes) : bytes_{bytes} {}
    std::array<std::uint8_t, 16> bytes_{};
};

} // namespace penguin

template <>
struct std::hash<penguin::Uuid> {
    std::size_t operator()(const penguin::Uuid& uuid) const noexcept
    {
        std::size_t high = 0;
        std::size_t low = 0;
        std::memcpy(&high, uuid.bytes().data(), sizeof high);
        std::memcpy(&low, uuid.bytes().data() + 8, sizeof low);
        return high * 0x9E3779B97F4A7C15ULL ^ low;
    }
};

namespace penguin {

// The ids of the glossary. A campaign, mailbox, batch ... of one kind never passes for another.
using TenantId = StrongType<Uuid, struct TenantTag>;
using CampaignId = StrongType<Uuid, struct CampaignTag>;
using MailboxId = StrongType<Uuid, struct MailboxTag>;
using BatchId = StrongType<Uuid, struct BatchTag>;
using SourceId = StrongType<Uuid, struct SourceTag>;

// Campaigns are named by their tenants: what another tenant calls by the same id is another one.
struct CampaignKey {
    TenantId tenant;
    CampaignId id;
    friend auto operator<=>(const CampaignKey&, const CampaignKey&) = default;
};

// Text that names something whose form its owner decides.
using PoolName = StrongType<std::string, struct PoolTag>;     // [a-z0-9-]{1,32}
using NodeName = StrongType<std::string, struct NodeTag>;     // [a-zA-Z0-9.-]{1,64}
using ContentId = StrongType<std::string, struct ContentTag>; // SHA-256 in hex, unique within a tenant
using SiteName = StrongType<std::string, struct SiteTag>;     // the MX hosts' common name, see dns/mx_routes.h

} // namespace penguin
