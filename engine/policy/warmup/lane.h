// engine/policy/warmup/lane.h
// What a source under a warm-up plan may send at a provider: its cap of the day, paced over the sending hours. Pure: time comes in,
// whoever settles tells what was sent.
//
//   day      of UTC; its cap is counted in attempts that the provider heard of (MAIL or later), whatever it answered, and in
//            those under way
//   pace     what is left of the cap is spread over what is left of the hours, so an hour carries as much as the next while mail
//            waits; a pause saves up kPaceSaved, no more; an hour carries at most hour_times its even part
//   lost     a restart loses the pace, which then begins anew; the count comes back by `counted`
//   line     what must wait is given the times at which it probably may go, one by one, so that a thousand messages do not all
//            come back at the same moment; kLookAhead at most, so that a rule that changes is soon felt
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "engine/base/clock.h"

namespace penguin::policy {

using Day = std::chrono::sys_days;

inline constexpr std::chrono::minutes kPaceSaved{1};
inline constexpr std::chrono::hours kLookAhead{1};

// As the control plane says it, for one provider's share of one source.
struct WarmupRule {
    std::optional<std::uint64_t> cap; // messages a day; nothing: none any more
    Day start{};                      // nothing before
    std::optional<Day> stopped;       // nothing on this day
    unsigned hour_from = 0;           // of UTC
    unsigned hour_to = 24;            // behind the last
    double hour_times = 2;            // see WarmupPlan
    friend bool operator==(const WarmupRule&, const WarmupRule&) = default;
};

enum class WarmupBound : std::uint8_t {
    stopped, // for the rest of the day
    hours,   // outside of the sending hours, or before the first day
    day,     // the cap of the day is used
    hour,    // the cap of the hour
    pace,    // the next one's time has not come
};

struct WarmupHold {
    WarmupBound bound{};
    std::uint64_t used = 0; // of `most`; of the day, or of the hour
    std::uint64_t most = 0;
    WallTime until;
    friend bool operator==(const WarmupHold&, const WarmupHold&) = default;
};

class WarmupLane {
public:
    void apply(const WarmupRule& rule);
    // Somebody who keeps count says that so many were sent that day.
    void counted(Day day, std::uint64_t sent, WallTime now);

    // What holds the next message; nothing: it may go.
    std::optional<WarmupHold> hold(WallTime now);
    // It goes.
    void take(WallTime now);
    // It is back. `heard`: the provider heard of it, at `now`.
    void done(bool heard, WallTime now);
    // When the next of those that must wait should come again.
    WallTime next_in_line(WallTime now);

    std::uint64_t used(WallTime now);
    const WarmupRule& rule() const { return rule_; }
    bool idle() const { return in_hand_ == 0; }

private:
    struct Window {
        WallTime from, to;
    };
    std::optional<Window> window(Day day) const;
    WallTime opening_after(WallTime now) const;
    std::uint64_t hour_cap() const;
    Duration interval(WallTime now, std::uint64_t used, const Window& window) const;
    void turn(WallTime now);

    WarmupRule rule_;
    Day day_{};
    std::uint64_t counted_ = 0; // of day_
    std::uint64_t in_hand_ = 0;
    std::chrono::sys_time<std::chrono::hours> hour_{};
    std::uint64_t hour_used_ = 0; // of hour_
    WallTime next_{};             // when the pace lets the next one go
    WallTime line_{};             // the last time that was given to one that waits
};

} // namespace penguin::policy
