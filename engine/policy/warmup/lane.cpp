#include "engine/policy/warmup/lane.h"

#include <algorithm>
#include <cmath>

namespace penguin::policy {

namespace {

using namespace std::chrono_literals;

Day day_of(WallTime time) { return std::chrono::floor<std::chrono::days>(time); }

} // namespace

void WarmupLane::apply(const WarmupRule& rule)
{
    if (rule == rule_) return;
    rule_ = rule;
    line_ = {};
}

void WarmupLane::turn(WallTime now)
{
    if (const Day today = day_of(now); today > day_) {
        day_ = today;
        counted_ = 0;
    }
    if (const auto hour = std::chrono::floor<std::chrono::hours>(now); hour > hour_) {
        hour_ = hour;
        hour_used_ = 0;
    }
}

void WarmupLane::counted(Day day, std::uint64_t sent, WallTime now)
{
    turn(now);
    if (day == day_) counted_ = std::max(counted_, sent);
}

std::uint64_t WarmupLane::used(WallTime now)
{
    turn(now);
    return counted_ + in_hand_;
}

std::optional<WarmupLane::Window> WarmupLane::window(Day day) const
{
    if (day < rule_.start || day == rule_.stopped) return std::nullopt;
    return Window{day + std::chrono::hours{rule_.hour_from}, day + std::chrono::hours{rule_.hour_to}};
}

WallTime WarmupLane::opening_after(WallTime now) const
{
    Day day = std::max(day_of(now), rule_.start);
    if (const auto today = window(day); today && today->from > now) return today->from;
    do day += std::chrono::days{1};
    while (!window(day));
    return window(day)->from;
}

std::uint64_t WarmupLane::hour_cap() const
{
    const double even = static_cast<double>(*rule_.cap) / (rule_.hour_to - rule_.hour_from);
    return static_cast<std::uint64_t>(std::ceil(even * rule_.hour_times));
}

// Between two messages: what is left of the hours, over what is left of the cap.
Duration WarmupLane::interval(WallTime now, std::uint64_t used, const Window& window) const
{
    const auto left = static_cast<std::int64_t>(*rule_.cap > used ? *rule_.cap - used : 1);
    const Duration least = Duration{1h} / static_cast<std::int64_t>(hour_cap());
    return std::max((window.to - std::max(now, window.from)) / left, least);
}

std::optional<WarmupHold> WarmupLane::hold(WallTime now)
{
    turn(now);
    const std::uint64_t used = counted_ + in_hand_;
    const std::uint64_t most = rule_.cap.value_or(0);
    const auto today = window(day_);
    if (day_ == rule_.stopped) return WarmupHold{WarmupBound::stopped, used, most, opening_after(now)};
    if (!today) return WarmupHold{WarmupBound::hours, used, most, opening_after(now)};
    if (!rule_.cap) return std::nullopt;
    if (now < today->from || now >= today->to) return WarmupHold{WarmupBound::hours, used, most, opening_after(now)};
    if (used >= most) return WarmupHold{WarmupBound::day, used, most, opening_after(now)};
    if (hour_used_ >= hour_cap()) {
        const WallTime next_hour = hour_ + 1h;
        const WallTime until = next_hour < today->to ? next_hour : opening_after(now);
        return WarmupHold{WarmupBound::hour, hour_used_, hour_cap(), until};
    }
    if (now < next_) return WarmupHold{WarmupBound::pace, used, most, next_};
    return std::nullopt;
}

void WarmupLane::take(WallTime now)
{
    turn(now);
    const std::uint64_t used = counted_ + in_hand_;
    if (const auto today = window(day_); today && rule_.cap)
        next_ = std::max(next_, now - kPaceSaved) + interval(now, used, *today);
    ++in_hand_;
    ++hour_used_;
}

void WarmupLane::done(bool heard, WallTime now)
{
    turn(now);
    if (in_hand_ > 0) --in_hand_;
    if (heard) {
        ++counted_;
        return;
    }
    if (hour_used_ > 0) --hour_used_;
    next_ = std::min(next_, now); // another one may go in its place
}

WallTime WarmupLane::next_in_line(WallTime now)
{
    const auto held = hold(now);
    const WallTime earliest = held ? held->until : now;
    const WallTime last = now + kLookAhead;
    if (earliest >= last || !rule_.cap) return std::min(earliest, last);
    // Behind the last look there is no telling; the second half of it is shared by all who would come later.
    if (line_ > last) line_ = std::max(earliest, now + kLookAhead / 2);
    const WallTime given = std::max(line_, earliest);
    const bool today = day_of(given) == day_;
    const auto open = window(day_of(given));
    const Duration step = !open   ? Duration{0}
                          : today ? interval(now, counted_ + in_hand_, *open)
                                  : interval(open->from, 0, *open);
    line_ = open ? given + step : opening_after(given);
    if (open && line_ >= open->to) line_ = opening_after(line_);
    return std::min(given, last);
}

} // namespace penguin::policy
