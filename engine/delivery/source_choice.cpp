#include "engine/delivery/source_choice.h"

#include <algorithm>

namespace penguin::delivery {

namespace {

bool reaches_some_host(const SourceSettings& source, const dns::Route& route)
{
    return std::ranges::any_of(route.hosts, [&](const dns::RouteHost& host) {
        return std::ranges::any_of(host.addresses,
                                   [&](const auto& address) { return can_reach(source.address, address); });
    });
}

// splitmix64: every bit of the input moves every bit of the weight.
std::uint64_t weight_of(std::uint64_t value)
{
    value += 0x9E3779B97F4A7C15ULL;
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
    return value ^ (value >> 31);
}

} // namespace

bool can_reach(const boost::asio::ip::address& source, const boost::asio::ip::address& target)
{
    return source.is_v4() == target.is_v4();
}

std::optional<SourceSettings> choose_source(std::span<const SourceSettings> sources, const PoolName& pool,
                                            const dns::Route& route, const Uuid& sender)
{
    const std::uint64_t key = std::hash<Uuid>{}(sender) ^ weight_of(std::hash<SiteName>{}(route.site));
    const SourceSettings* best = nullptr;
    std::uint64_t best_weight = 0;
    for (const SourceSettings& source : sources) {
        if (source.pool != pool || !reaches_some_host(source, route)) continue;
        const std::uint64_t weight = weight_of(key ^ weight_of(std::hash<SourceId>{}(source.id)));
        if (best != nullptr && weight <= best_weight) continue;
        best = &source;
        best_weight = weight;
    }
    if (best == nullptr) return std::nullopt;
    return *best;
}

} // namespace penguin::delivery
