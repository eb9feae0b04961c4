// How something that was sampled grows with time, and how sure that is. Pure.
//
//   in      samples (x: seconds, y), in any order; they are averaged over kBlock first, because neighbours resemble each other
//   out     least squares through the blocks' means, with the 95 % interval of the slope (Student's t)
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "bench/harness/statistics.h"

namespace penguin::bench {

inline constexpr std::chrono::seconds kBlock{60};
inline constexpr std::size_t kBlocksMin = 10; // fewer say too little to be judged

struct Slope {
    double mean = 0;
    double per_hour = 0;
    double low = 0; // 95 % interval of per_hour
    double high = 0;
};
// Nothing when there are fewer than kBlocksMin blocks.
std::optional<Slope> slope_of(const std::vector<Point>& samples);

} // namespace penguin::bench
