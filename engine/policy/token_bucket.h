// What a rate still permits: tokens come at a steady rate up to a most, and go by what is done.
#pragma once

#include <algorithm>
#include <chrono>

#include "engine/base/clock.h"

namespace penguin::policy {

class TokenBucket {
public:
    // Full at first. `burst`: the most it holds.
    TokenBucket(double per_second, double burst) : per_second_{per_second}, burst_{burst}, level_{burst} {}

    double level(SteadyTime now) const
    {
        const double seconds = std::chrono::duration<double>(std::max(now - at_, SteadyTime::duration{0})).count();
        return std::min(burst_, level_ + seconds * per_second_);
    }
    // May go below nothing: then that much must come before there is anything again.
    void take(double tokens, SteadyTime now)
    {
        level_ = level(now) - tokens;
        at_ = std::max(at_, now);
    }
    // More than the rate alone gives.
    void give(double tokens, SteadyTime now) { take(-tokens, now); }

private:
    double per_second_;
    double burst_;
    double level_;
    SteadyTime at_{};
};

} // namespace penguin::policy
