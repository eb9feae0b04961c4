// control/submit/tenant_groups.h
// Who shares transactions with whom. What comes alone goes at once; what comes while a group of its tenant is under way waits
// and forms the next one. So nobody waits for others to come, and the busier a tenant is, the larger its groups are. Pure.
//
//   use     join() says first: run groups of take() until it gives none, which ends the tenant's turn
//   limits  kGroupMax in a group; kWaitingOfTenantMax wait of a tenant, kWaitingMax of all: then join() says full
#pragma once

#include <algorithm>
#include <deque>
#include <unordered_map>
#include <vector>

#include "engine/base/uuid.h"

namespace penguin::control::submit {

inline constexpr std::size_t kGroupMax = 64;            // submissions
inline constexpr std::size_t kWaitingOfTenantMax = 512; // as many as the server's connections by default
inline constexpr std::size_t kWaitingMax = 2'048;

template <class Item>
class TenantGroups {
public:
    enum class Place : std::uint8_t { first, waiting, full };

    Place join(TenantId tenant, Item item)
    {
        const auto [place, idle] = waiting_.try_emplace(tenant);
        if (count_ >= kWaitingMax || place->second.size() >= kWaitingOfTenantMax) {
            if (idle) waiting_.erase(place);
            return Place::full;
        }
        place->second.push_back(std::move(item));
        ++count_;
        return idle ? Place::first : Place::waiting;
    }

    // The next group in the order in which they came; empty: none waits, and who joins next is first again.
    std::vector<Item> take(TenantId tenant)
    {
        std::vector<Item> group;
        const auto place = waiting_.find(tenant);
        if (place == waiting_.end()) return group;
        std::deque<Item>& line = place->second;
        for (std::size_t left = std::min(kGroupMax, line.size()); left > 0; --left) {
            group.push_back(std::move(line.front()));
            line.pop_front();
        }
        count_ -= group.size();
        if (group.empty()) waiting_.erase(place);
        return group;
    }

    std::size_t waiting() const { return count_; }

private:
    std::unordered_map<TenantId, std::deque<Item>> waiting_; // here: a group is under way
    std::size_t count_ = 0;
};

} // namespace penguin::control::submit
