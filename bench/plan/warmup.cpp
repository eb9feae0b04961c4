#include "bench/plan/warmup.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace penguin::bench::plan {

namespace {

constexpr double kColdMailbox = 50; // messages a day

// Given for days 1 to 7 and as a range for days 8 to 14, then 15 to 25 % more a day, to 1,000.
std::vector<double> cold_caps()
{
    std::vector<double> caps{10, 15, 25, 40, 60, 80, 80, 100, 115, 130, 150, 165, 180, 200};
    constexpr double kGrowth = 1.2;
    constexpr double kFull = 1'000;
    while (caps.back() < kFull) caps.push_back(std::min(kFull, caps.back() * kGrowth));
    return caps;
}

std::vector<double> cautious_caps()
{
    struct Until {
        std::size_t day;
        double cap;
    };
    constexpr std::array kSteps{Until{3, 150},  Until{10, 200}, Until{30, 250}, Until{45, 350},
                                Until{60, 500}, Until{75, 600}, Until{90, 750}, Until{91, 1'000}};
    std::vector<double> caps;
    for (const Until& step : kSteps) caps.resize(step.day, step.cap);
    return caps;
}

std::vector<double> bulk_caps() { return {200, 500, 1'000, 2'000, 5'000, 10'000, 20'000, 40'000, 50'000}; }

} // namespace

Result<WarmupPlan> warmup_named(std::string_view name)
{
    if (name == "cold")
        return WarmupPlan{"cold", cold_caps(), kColdMailbox, "PenguinMails: unasked mail to businesses"};
    if (name == "cautious")
        return WarmupPlan{"cautious", cautious_caps(), kColdMailbox, "MailRush: unasked mail, 91 days"};
    if (name == "bulk")
        return WarmupPlan{"bulk", bulk_caps(), 0, "SparkPost's stages, up to the 50,000 a day that Amazon SES holds"};
    return fail(Errc::bad_value, fmt::format("--warmup: '{}' is none of cold, cautious, bulk", name));
}

double LaneWarmup::cap_on(std::chrono::sys_days day) const
{
    return plan_->caps[idle_too_long(day) ? 0 : stage_] * share_;
}

void LaneWarmup::ended(std::chrono::sys_days day, const DayEvents& events)
{
    if (idle_too_long(day)) stage_ = 0;
    const bool used = events.sent >= cap_on(day) * kUsedEnough;
    if (events.sent > 0) {
        sent_before_ = true;
        last_sent_ = day;
    }
    switch (events.signal) {
    case Signal::good:
        if (used && !full()) ++stage_;
        return;
    case Signal::watch: return;
    case Signal::bad:
        if (stage_ > 0) --stage_;
        return;
    }
}

double mailbox_cap(std::chrono::days age, double most)
{
    return std::min(most, kMailboxFirst + kMailboxMore * static_cast<double>(age.count()));
}

} // namespace penguin::bench::plan
