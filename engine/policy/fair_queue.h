// Whose message goes next, of those that wait for one lane: deficit round robin over tenants by weight inside each priority,
// and shares for the priorities. Plain values.
//
//   tenants     take turns. A turn is worth the tenant's weight, a message costs what the heaviest tenant that waits weighs, and
//               what is left is kept: so weights 3 and 1 give three messages and one, and no turn gives two. A tenant's
//               messages keep their order. One with nothing waiting keeps nothing and comes in behind the others
//   priorities  of ten messages 7 are high, 2 normal, 1 low; what one has no use for goes to the highest that waits. So high
//               goes first, no two others in a row, and none starves
//   cost        a message of a tenant that waits: constant for equal weights, else at most one round of the tenants
//   limits      none of its own: it holds what is put in, which the dispatcher's site window bounds
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <list>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

namespace penguin::policy {

// One priority.
template <class Tenant, class Item>
class TenantTurns {
public:
    bool empty() const { return turns_.empty(); }

    void push(const Tenant& tenant, double weight, Item item)
    {
        const auto flow = flow_of(tenant, weight);
        flow->items.push_back(std::move(item));
    }
    // One that had its turn and could not use it: it has the next, for nothing.
    void put_back(const Tenant& tenant, double weight, Item item)
    {
        const auto flow = flow_of(tenant, weight);
        flow->items.push_front(std::move(item));
        flow->credit += price() - flow->weight;
        turns_.splice(turns_.begin(), turns_, flow);
    }
    // There must be one.
    Item pop()
    {
        const auto flow = next_with_credit();
        flow->credit =
            std::min(flow->credit - price(), price()); // a heavier tenant that left left nothing to burst with
        Item item = std::move(flow->items.front());
        flow->items.pop_front();
        if (flow->items.empty())
            leave(flow);
        else
            turns_.splice(turns_.end(), turns_, flow);
        return item;
    }

private:
    struct Flow {
        Tenant tenant;
        double weight = 1;
        double credit = 0;
        std::list<Item> items;
    };
    using Turns = std::list<Flow>;

    double price() const { return weights_.rbegin()->first; }

    // The heaviest tenant can pay at each of its turns, so this ends within one round.
    typename Turns::iterator next_with_credit()
    {
        constexpr double kRounding = 1e-9;
        while (true) {
            const auto flow = turns_.begin();
            flow->credit += flow->weight;
            if (flow->credit >= price() * (1 - kRounding)) return flow;
            turns_.splice(turns_.end(), turns_, flow);
        }
    }

    typename Turns::iterator flow_of(const Tenant& tenant, double weight)
    {
        const auto [known, is_new] = flows_.try_emplace(tenant);
        if (is_new) known->second = turns_.insert(turns_.end(), Flow{.tenant = tenant, .weight = weight});
        if (!is_new && known->second->weight == weight) return known->second;
        if (!is_new) forget_weight(std::exchange(known->second->weight, weight));
        ++weights_[weight];
        return known->second;
    }

    void leave(typename Turns::iterator flow)
    {
        forget_weight(flow->weight);
        flows_.erase(flow->tenant);
        turns_.erase(flow);
    }

    void forget_weight(double weight)
    {
        const auto of = weights_.find(weight);
        if (--of->second == 0) weights_.erase(of);
    }

    Turns turns_; // tenants with something waiting, the next one first
    std::unordered_map<Tenant, typename Turns::iterator> flows_;
    std::map<double, std::size_t> weights_; // weight -> how many of them have it
};

template <class Tenant, class Item>
class FairQueue {
public:
    static constexpr std::size_t kPriorities = 3; // 0 high, 1 normal, 2 low

    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }

    // `weight`: above 0.
    void push(const Tenant& tenant, double weight, std::size_t priority, Item item)
    {
        by_priority_[priority].push(tenant, weight, std::move(item));
        ++size_;
    }
    // One that `pop` gave: the next of its priority again.
    void put_back(const Tenant& tenant, double weight, std::size_t priority, Item item)
    {
        by_priority_[priority].put_back(tenant, weight, std::move(item));
        ++size_;
    }
    // There must be one.
    Item pop()
    {
        --size_;
        turn_ = (turn_ + 7) % 10; // no factor in common with ten, so that ten turns meet all ten values, spread out
        const std::size_t wanted = turn_ < 7 ? 0 : turn_ < 9 ? 1 : 2;
        if (!by_priority_[wanted].empty()) return by_priority_[wanted].pop();
        return std::ranges::find_if(by_priority_, [](const auto& one) { return !one.empty(); })->pop();
    }
    // All, as `pop` would give them.
    std::vector<Item> take_all()
    {
        std::vector<Item> all;
        all.reserve(size_);
        while (!empty()) all.push_back(pop());
        return all;
    }

private:
    std::array<TenantTurns<Tenant, Item>, kPriorities> by_priority_;
    std::size_t size_ = 0;
    unsigned turn_ = 0;
};

} // namespace penguin::policy
