// engine/policy/thresholds.h
// "3 within an hour": counts of what was seen, each in the span that its first one began.
//
//   Time    any clock's time point
//   limits  kCountsMax counts: what has run out makes room; where there is still none, all begin anew
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <unordered_map>

#include "engine/policy/reply_rule.h"

namespace penguin::policy {

inline constexpr std::size_t kCountsMax = 10'000;

template <class Time>
class Thresholds {
public:
    // One more of `what`: how many in `span` with it.
    unsigned seen(const std::string& what, std::chrono::seconds span, Time now)
    {
        if (counts_.size() >= kCountsMax && !counts_.contains(what)) tidy(now);
        if (counts_.size() >= kCountsMax && !counts_.contains(what)) counts_.clear();
        Count& count = counts_[what];
        if (count.seen == 0 || now >= count.ends) count = {.ends = now + span};
        return ++count.seen;
    }
    // One more of `what`: whether that reaches the threshold. Then it is counted anew.
    bool reached(const std::string& what, const Trigger& trigger, Time now)
    {
        if (seen(what, trigger.within, now) < trigger.count) return false;
        counts_.erase(what);
        return true;
    }
    // Nothing is being counted.
    bool none(Time now) const
    {
        return std::ranges::all_of(counts_, [now](const auto& entry) { return entry.second.ends <= now; });
    }
    void tidy(Time now)
    {
        std::erase_if(counts_, [now](const auto& entry) { return entry.second.ends <= now; });
    }

private:
    struct Count {
        Time ends{};
        unsigned seen = 0;
    };
    std::unordered_map<std::string, Count> counts_;
};

} // namespace penguin::policy
