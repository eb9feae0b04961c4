// How many messages of one site a node holds: enough for its connections, or for what it took in the last half second when
// that is more. So a fast site is never short of mail between two claims, and a slow one holds little of the node's hand.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

#include "engine/base/clock.h"

namespace penguin::policy {

class SiteWindow {
public:
    static constexpr std::chrono::milliseconds kSpan{250}; // of one count

    // A message of the site is done.
    void done(SteadyTime now)
    {
        turn(now);
        ++current_;
    }
    // Messages; `least`: for the connections that it may have.
    std::size_t size(std::size_t least, SteadyTime now) const
    {
        const auto age = now - began_;
        const std::size_t last = age < kSpan ? last_ : age < 2 * kSpan ? current_ : 0;
        return std::max(least, 2 * last);
    }

private:
    void turn(SteadyTime now)
    {
        const auto age = now - began_;
        if (age < kSpan) return;
        last_ = age < 2 * kSpan ? current_ : 0;
        current_ = 0;
        began_ = now;
    }

    SteadyTime began_{};
    std::size_t current_ = 0; // since `began_`
    std::size_t last_ = 0;    // in the span before
};

} // namespace penguin::policy
