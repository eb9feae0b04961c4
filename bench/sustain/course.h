// What a sender's course at a provider with limits says: how near it came to what the provider sustains. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "bench/sink/sink_profile.h"

namespace penguin::bench {

struct CourseSample { // all count from the beginning
    double at_s = 0;
    std::uint64_t taken = 0;
    std::uint64_t refused = 0; // messages beyond a limit of rate, volume or reputation
    std::uint64_t connections_refused = 0;
};

struct CourseFigures {
    double share = 0;                    // of the sustainable rate, once `find_s` are over
    double deferred = 0;                 // refused / (refused + taken), from then on
    std::optional<double> found_after_s; // from when on every kCourseWindowS had kFound of the rate; nothing: never
};

inline constexpr double kCourseWindowS = 120; // two of the windows that providers count in
inline constexpr double kFound = 0.8;

// `samples` by time; `rate`: messages a second.
CourseFigures figures_of(std::span<const CourseSample> samples, double rate, double find_s);

// Messages a second that the profile takes of a sender that it does not know. Errors: bad_value (it has no message-rate).
Result<double> sustainable_rate(const SinkProfile& profile);

} // namespace penguin::bench
