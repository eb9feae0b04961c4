// engine/dns/expiring_lru.h
// A bounded map whose values have an end: the one that was used longest ago makes room. Pure: time is passed in.
//
//   limits  entries_max (1 or more)
//   thread  one
#pragma once

#include <algorithm>
#include <list>
#include <unordered_map>
#include <utility>

#include "engine/base/clock.h"

namespace penguin::dns {

template <class Key, class Value>
class ExpiringLru {
public:
    explicit ExpiringLru(std::size_t entries_max) : entries_max_{std::max<std::size_t>(entries_max, 1)} {}

    // Null when it is not there or its time is over. Stays valid until the next call.
    const Value* get(const Key& key, SteadyTime now)
    {
        const auto found = index_.find(key);
        if (found == index_.end()) return nullptr;
        if (found->second->expires <= now) {
            order_.erase(found->second);
            index_.erase(found);
            return nullptr;
        }
        order_.splice(order_.begin(), order_, found->second);
        return &found->second->value;
    }

    void put(const Key& key, Value value, SteadyTime expires)
    {
        if (const auto found = index_.find(key); found != index_.end()) {
            found->second->value = std::move(value);
            found->second->expires = expires;
            order_.splice(order_.begin(), order_, found->second);
            return;
        }
        if (index_.size() == entries_max_) {
            index_.erase(order_.back().key);
            order_.pop_back();
        }
        order_.push_front({key, std::move(value), expires});
        index_.emplace(key, order_.begin());
    }

    std::size_t size() const { return index_.size(); }

private:
    struct Entry {
        Key key;
        Value value;
        SteadyTime expires;
    };
    std::size_t entries_max_;
    std::list<Entry> order_; // last used first
    std::unordered_map<Key, typename std::list<Entry>::iterator> index_;
};

} // namespace penguin::dns
