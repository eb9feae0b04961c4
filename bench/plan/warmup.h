// bench/plan/warmup.h
// How much a source address may send, from its first day on. A model of time and events: whoever has them, a forecast or a
// log, tells it day by day. No clock, no I/O.
//
//   WarmupPlan   the daily caps of an address, one a stage; a lane (an address at a provider) has its provider's share
//   LaneWarmup   stage of a lane. A day that used its cap to kUsedEnough and went well: one stage on. Less: it stays. A
//                day that went badly: stays, or one stage back. No mail for kIdleMost days: from the start
//   source       the schedules that mail services publish; advance rule: SparkPost; idle rule: SendGrid, Braze
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "bench/plan/demand.h"

namespace penguin::bench::plan {

inline constexpr double kUsedEnough = 0.9; // of the day's cap
inline constexpr std::chrono::days kIdleMost{30};

struct WarmupPlan {
    std::string_view name;
    std::vector<double> caps;   // messages a day of an address, by stage; the last one is its full rate
    double mailbox_day_max = 0; // messages a day of one sender address; 0: no limit
    std::string_view origin;
    double full_rate() const { return caps.back(); }
};

// cold, cautious, bulk. Errors: bad_value.
Result<WarmupPlan> warmup_named(std::string_view name);

enum class Signal : std::uint8_t { good, watch, bad }; // what the provider said of the day
struct DayEvents {
    double sent = 0;
    Signal signal = Signal::good;
};

class LaneWarmup {
public:
    LaneWarmup(const WarmupPlan& plan, double share) : plan_{&plan}, share_{share} {}

    double cap_on(std::chrono::sys_days day) const;
    void ended(std::chrono::sys_days day, const DayEvents& events);
    std::size_t stage() const { return stage_; }
    bool full() const { return stage_ + 1 == plan_->caps.size(); }

private:
    bool idle_too_long(std::chrono::sys_days day) const { return sent_before_ && day - last_sent_ > kIdleMost; }

    const WarmupPlan* plan_; // outlives this
    double share_;           // of the address's cap
    std::size_t stage_ = 0;
    bool sent_before_ = false;
    std::chrono::sys_days last_sent_{};
};

// A new mailbox: kMailboxFirst messages on its first day, kMailboxMore more each day, up to `most`.
inline constexpr double kMailboxFirst = 5;
inline constexpr double kMailboxMore = 2;
double mailbox_cap(std::chrono::days age, double most);

} // namespace penguin::bench::plan
