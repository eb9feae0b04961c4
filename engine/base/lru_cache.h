// engine/base/lru_cache.h
// A bounded map that forgets what was not used for longest. Not thread-safe.
//
//   limits  the sum of the costs of what it keeps stays at or below `cost_max`; one entry above it is not kept at all
#pragma once

#include <cstddef>
#include <list>
#include <unordered_map>
#include <utility>

namespace penguin {

template <class Key, class Value, class Hash = std::hash<Key>>
class LruCache {
public:
    explicit LruCache(std::size_t cost_max) : cost_max_{cost_max} {}

    // Null when it is not there. Counts as a use. Valid until the next call of put or erase.
    Value* get(const Key& key)
    {
        const auto found = places_.find(key);
        if (found == places_.end()) return nullptr;
        entries_.splice(entries_.begin(), entries_, found->second);
        return &found->second->value;
    }

    void put(const Key& key, Value value, std::size_t cost = 1)
    {
        erase(key);
        if (cost > cost_max_) return;
        entries_.push_front({key, std::move(value), cost});
        places_.emplace(key, entries_.begin());
        cost_ += cost;
        while (cost_ > cost_max_) erase(Key{entries_.back().key});
    }

    void erase(const Key& key)
    {
        const auto found = places_.find(key);
        if (found == places_.end()) return;
        cost_ -= found->second->cost;
        entries_.erase(found->second);
        places_.erase(found);
    }

    std::size_t size() const noexcept { return places_.size(); }
    std::size_t cost() const noexcept { return cost_; }

private:
    struct Entry {
        Key key;
        Value value;
        std::size_t cost;
    };
    std::size_t cost_max_;
    std::size_t cost_ = 0;
    std::list<Entry> entries_; // last used first
    std::unordered_map<Key, typename std::list<Entry>::iterator, Hash> places_;
};

} // namespace penguin
