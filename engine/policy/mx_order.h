// engine/policy/mx_order.h
// The order in which an attempt tries the hosts of a route (RFC 5321 5.1): preference first, equal ones shuffled.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

namespace penguin::policy {

// preferences  of the hosts of a route, ascending
// random       a uniform random bit generator
// Gives the places in the order to try.
template <class Random>
std::vector<std::size_t> mx_order(std::span<const std::uint16_t> preferences, Random& random)
{
    std::vector<std::size_t> order(preferences.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    for (auto first = order.begin(); first != order.end();) {
        const auto last =
            std::find_if(first, order.end(), [&](std::size_t at) { return preferences[at] != preferences[*first]; });
        std::shuffle(first, last, random);
        first = last;
    }
    return order;
}

} // namespace penguin::policy
