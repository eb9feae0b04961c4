#include "bench/plan/forecast.h"

#include <gtest/gtest.h>

namespace penguin::bench::plan {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

const WarmupPlan kThreeStages{.name = "test", .caps = {10, 20, 40}};
const std::vector<Share> kHalves{{"google", 0.5}, {"yahoo", 0.5}};

sys_days day(int number) { return sys_days{days{number}}; }

TEST(LaneWarmup, ADayThatUsedItsCapGoesOneStageOn)
{
    LaneWarmup lane{kThreeStages, 0.5};
    EXPECT_EQ(lane.cap_on(day(1)), 5);
    lane.ended(day(1), {.sent = 4.5}); // 90 %
    EXPECT_EQ(lane.cap_on(day(2)), 10);
    lane.ended(day(2), {.sent = 8.9});
    EXPECT_EQ(lane.cap_on(day(3)), 10);
    lane.ended(day(3), {.sent = 10});
    lane.ended(day(4), {.sent = 20});
    EXPECT_TRUE(lane.full());
    EXPECT_EQ(lane.cap_on(day(5)), 20);
}

TEST(LaneWarmup, ADayThatWentBadlyHoldsOrStepsBack)
{
    LaneWarmup lane{kThreeStages, 1};
    lane.ended(day(1), {.sent = 10});
    lane.ended(day(2), {.sent = 20, .signal = Signal::watch});
    EXPECT_EQ(lane.cap_on(day(3)), 20);
    lane.ended(day(3), {.sent = 20, .signal = Signal::bad});
    EXPECT_EQ(lane.cap_on(day(4)), 10);
    lane.ended(day(4), {.sent = 10, .signal = Signal::bad});
    EXPECT_EQ(lane.cap_on(day(5)), 10) << "no stage below the first";
}

TEST(LaneWarmup, AMonthWithoutMailStartsAgain)
{
    LaneWarmup lane{kThreeStages, 1};
    lane.ended(day(1), {.sent = 10});
    EXPECT_EQ(lane.cap_on(day(31)), 20);
    EXPECT_EQ(lane.cap_on(day(32)), 10);
    lane.ended(day(32), {.sent = 10});
    EXPECT_EQ(lane.cap_on(day(33)), 20);
}

TEST(WarmupPlans, NeverShrinkAndSayWhereTheyComeFrom)
{
    for (const char* name : {"cold", "cautious", "bulk"}) {
        const WarmupPlan plan = warmup_named(name).value();
        EXPECT_TRUE(std::ranges::is_sorted(plan.caps)) << name;
        EXPECT_FALSE(plan.origin.empty()) << name;
    }
    EXPECT_EQ(warmup_named("cautious").value().caps.size(), 91U);
    EXPECT_EQ(warmup_named("cautious").value().caps[9], 200);  // day 10
    EXPECT_EQ(warmup_named("cautious").value().caps[10], 250); // day 11
    EXPECT_EQ(warmup_named("cold").value().full_rate(), 1'000);
    EXPECT_FALSE(warmup_named("hot"));
}

TEST(MailboxCap, GrowsByTwoADay)
{
    EXPECT_EQ(mailbox_cap(days{0}, 50), 5);
    EXPECT_EQ(mailbox_cap(days{10}, 50), 25);
    EXPECT_EQ(mailbox_cap(days{100}, 50), 50);
    EXPECT_EQ(mailbox_cap(days{0}, 3), 3);
}

Forecast of(double cold, double warm, double mail, std::vector<Setback> setbacks = {}, Mailboxes mailboxes = {})
{
    return forecast(kThreeStages, kHalves, {.cold = cold, .warm = warm, .mailboxes = mailboxes}, mail, setbacks);
}

TEST(Forecast, ColdAddressesReachTheRateByStages)
{
    const Forecast forecast = of(10, 0, 400);
    ASSERT_EQ(forecast.days.size(), 3U);
    EXPECT_EQ(forecast.full_rate_on, 3);
    EXPECT_EQ(forecast.days[0], (ForecastDay{1, 100, 0, 100, "warm-up"}));
    EXPECT_EQ(forecast.days[1], (ForecastDay{2, 200, 0, 200, "warm-up"}));
    EXPECT_EQ(forecast.days[2], (ForecastDay{3, 400, 0, 400, "demand"}));
}

TEST(Forecast, WarmAddressesCarryWhatColdOnesMayNot)
{
    const Forecast forecast = of(5, 5, 300);
    EXPECT_EQ(forecast.days[0].sent, 5 * 10 + 5 * 40);
    EXPECT_EQ(forecast.full_rate_on, 2);
    EXPECT_EQ(of(0, 10, 400).full_rate_on, 1);
}

TEST(Forecast, ASetbackAtOneProviderDelaysOnlyItsLane)
{
    const Forecast forecast = of(10, 0, 400, {{"google", 2, Signal::bad}});
    EXPECT_EQ(forecast.days[2].sent, 50 + 200);
    EXPECT_EQ(forecast.full_rate_on, 5);
}

TEST(Forecast, ASetbackAfterTheFullRateIsStillTold)
{
    const Forecast forecast = of(10, 0, 400, {{"google", 4, Signal::bad}});
    EXPECT_EQ(forecast.full_rate_on, 3);
    ASSERT_GE(forecast.days.size(), 4U);
    EXPECT_EQ(forecast.days.back().day, 4);
}

TEST(Forecast, TooFewAddressesNeverCarryIt)
{
    const Forecast forecast = of(5, 0, 400);
    EXPECT_EQ(forecast.full_rate_on, 0);
    EXPECT_EQ(forecast.days.back().sent, 200);
    EXPECT_LT(forecast.days.size(), 10U) << "ends when nothing grows any more";
}

TEST(Forecast, NewMailboxesHoldItBack)
{
    // 40 mailboxes: 200 messages on day 1, 80 more each day, 400 at most.
    const Mailboxes mailboxes{.day_max = 10, .needed = 40, .there = 40};
    const Forecast forecast = of(0, 0, 400, {}, mailboxes);
    EXPECT_EQ(forecast.days[0].mailboxes_carry, 200);
    const Forecast growing = of(40, 0, 400, {}, mailboxes);
    EXPECT_EQ(growing.days[0].limit, "mailboxes");
    EXPECT_EQ(growing.days[0].sent, 200);
    EXPECT_EQ(growing.days[1].sent, 280);
    EXPECT_EQ(growing.full_rate_on, 4); // 200, 280, 360, 400
}

} // namespace
} // namespace penguin::bench::plan
