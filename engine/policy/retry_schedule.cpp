#include "engine/policy/retry_schedule.h"

#include <algorithm>
#include <cassert>

namespace penguin::policy {

WallTime end_of_life(const RetrySchedule& schedule, WallTime queued, std::optional<WallTime> expires)
{
    const WallTime by_schedule = queued + schedule.life;
    return expires ? std::min(*expires, by_schedule) : by_schedule;
}

std::optional<WallTime> next_attempt(const RetrySchedule& schedule, unsigned attempts, WallTime now, WallTime queued,
                                     std::optional<WallTime> expires, std::optional<Duration> hint, double random)
{
    assert(attempts > 0 && !schedule.ladder.empty());
    const std::size_t step = std::min<std::size_t>(attempts - 1, schedule.ladder.size() - 1);
    const double factor = 1 + schedule.jitter * (2 * random - 1);
    auto wait = std::chrono::duration_cast<Duration>(schedule.ladder[step] * factor);
    if (hint) wait = std::max(wait, *hint);
    const WallTime at = now + wait;
    if (at >= end_of_life(schedule, queued, expires)) return std::nullopt;
    return at;
}

} // namespace penguin::policy
