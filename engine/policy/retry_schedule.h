// engine/policy/retry_schedule.h
// When a deferred message is tried again: a ladder of waits with jitter, inside the message's life.
//
//   source  RFC 5321 4.5.4.1 (at least 30 minutes is advised for a host that fails; bulk senders start lower), DESIGN 9
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "engine/base/clock.h"

namespace penguin::policy {

struct RetrySchedule {
    // Wait after the first attempt, the second ...; the last one repeats.
    std::vector<std::chrono::seconds> ladder{std::chrono::minutes{5},  std::chrono::minutes{15},
                                             std::chrono::minutes{30}, std::chrono::hours{1},
                                             std::chrono::hours{2},    std::chrono::hours{4}};
    double jitter = 0.2;                                 // share of the wait, to either side
    std::chrono::seconds life = std::chrono::hours{108}; // from acceptance or not_before; a message may ask for less
};

// attempts  that were made, 1 or more
// random    0 <= random < 1
// hint      the server's own wait: the time is never before it
// Nothing: its life is over by then, the message expires.
std::optional<WallTime> next_attempt(const RetrySchedule& schedule, unsigned attempts, WallTime now, WallTime queued,
                                     std::optional<WallTime> expires, std::optional<Duration> hint, double random);

// When nobody will try any more.
WallTime end_of_life(const RetrySchedule& schedule, WallTime queued, std::optional<WallTime> expires);

} // namespace penguin::policy
