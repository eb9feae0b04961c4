// The ranges that no mail may go to: RFC 6890 and its registries (IANA special-purpose addresses), and multicast.
#include "engine/dns/mx_routes.h"

#include <algorithm>
#include <array>

namespace penguin::dns {

namespace {

using asio::ip::address;
using asio::ip::address_v4;
using asio::ip::address_v6;

struct Range4 {
    std::array<std::uint8_t, 4> start;
    int bits;
};
constexpr Range4 kForbiddenV4[] = {
    {{0, 0, 0, 0}, 8},      {{10, 0, 0, 0}, 8},     {{100, 64, 0, 0}, 10}, {{127, 0, 0, 0}, 8},
    {{169, 254, 0, 0}, 16}, {{172, 16, 0, 0}, 12},  {{192, 0, 0, 0}, 24},  {{192, 0, 2, 0}, 24},
    {{192, 88, 99, 0}, 24}, {{192, 168, 0, 0}, 16}, {{198, 18, 0, 0}, 15}, {{198, 51, 100, 0}, 24},
    {{203, 0, 113, 0}, 24}, {{224, 0, 0, 0}, 4},    {{240, 0, 0, 0}, 4},
};

std::uint32_t mask_of(int bits) { return ~std::uint32_t{0} << (32 - bits); }

bool public_v4(const address_v4& target)
{
    return std::ranges::none_of(kForbiddenV4, [&](const Range4& range) {
        const std::uint32_t mask = mask_of(range.bits);
        return (target.to_uint() & mask) == (address_v4{range.start}.to_uint() & mask);
    });
}

// Only global unicast (2000::/3) is left after all that is reserved; in it, 2001::/23 (protocol assignments, Teredo),
// 2001:db8::/32 and 3fff::/20 (documentation) and 2002::/16 (6to4: would hide an IPv4 address) are not for mail.
bool public_v6(const address_v6& target)
{
    const auto octets = target.to_bytes();
    const auto group = [&](std::size_t index) { return octets[2 * index] << 8 | octets[2 * index + 1]; };
    if ((octets[0] & 0xE0) != 0x20) return false;
    if (group(0) == 0x2001 && (group(1) < 0x0200 || group(1) == 0x0DB8)) return false;
    if (group(0) == 0x2002) return false;
    return !(group(0) == 0x3FFF && group(1) < 0x1000);
}

template <class Network, class Address>
bool holds(const std::vector<Network>& networks, const Address& target)
{
    return std::ranges::any_of(networks, [&](const Network& network) {
        return network.address() == target ||
               Network{target, network.prefix_length()}.canonical() == network.canonical();
    });
}

} // namespace

Result<> TargetRule::allow(std::string_view network)
{
    const auto wrong = [&] { return fail(Errc::bad_value, "not a network: " + std::string{network}); };
    error_code code;
    if (!network.contains('/')) {
        const address host = asio::ip::make_address(std::string{network}, code);
        if (code) return wrong();
        if (host.is_v4())
            allowed_v4_.emplace_back(host.to_v4(), 32);
        else
            allowed_v6_.emplace_back(host.to_v6(), 128);
        return {};
    }
    if (network.contains(':')) {
        const auto parsed = asio::ip::make_network_v6(std::string{network}, code);
        if (code) return wrong();
        allowed_v6_.push_back(parsed);
        return {};
    }
    const auto parsed = asio::ip::make_network_v4(std::string{network}, code);
    if (code) return wrong();
    allowed_v4_.push_back(parsed);
    return {};
}

void TargetRule::forbid_own(const asio::ip::address& own) { own_.push_back(own); }

bool TargetRule::permits(const asio::ip::address& target) const
{
    // ::ffff:127.0.0.1 is 127.0.0.1 to the kernel: judge what is really connected to.
    if (target.is_v6() && target.to_v6().is_v4_mapped())
        return permits(address{asio::ip::make_address_v4(asio::ip::v4_mapped, target.to_v6())});
    const bool allowed = target.is_v4() ? holds(allowed_v4_, target.to_v4()) : holds(allowed_v6_, target.to_v6());
    if (allowed) return true;
    if (std::ranges::find(own_, target) != own_.end()) return false;
    return target.is_v4() ? public_v4(target.to_v4()) : public_v6(target.to_v6());
}

} // namespace penguin::dns
