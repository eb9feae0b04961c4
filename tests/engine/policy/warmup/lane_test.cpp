#include "engine/policy/warmup/lane.h"

#include <map>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace penguin::policy {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;

constexpr Day kDay{sys_days{std::chrono::year{2026} / 3 / 10}};

WarmupLane lane_of(const WarmupRule& rule)
{
    WarmupLane lane;
    lane.apply(rule);
    return lane;
}

// Whatever may go within [from, to) goes, looked at each `look`; gives the times.
std::vector<WallTime> drain(WarmupLane& lane, WallTime from, WallTime to, Duration look)
{
    std::vector<WallTime> sent;
    for (WallTime now = from; now < to; now += look)
        while (!lane.hold(now)) {
            lane.take(now);
            lane.done(true, now);
            sent.push_back(now);
        }
    return sent;
}

std::vector<std::size_t> by_hour(const std::vector<WallTime>& sent, WallTime from, std::size_t hours)
{
    std::vector<std::size_t> counts(hours);
    for (const WallTime at : sent) ++counts.at(static_cast<std::size_t>((at - from) / 1h));
    return counts;
}

TEST(WarmupLane, TheCapIsSpreadEvenlyOverTheSendingHours)
{
    WarmupLane lane = lane_of({.cap = 4'800, .start = kDay, .hour_from = 8, .hour_to = 18});
    const auto sent = drain(lane, kDay, kDay + 24h, 1s);
    EXPECT_EQ(sent.size(), 4'800U);
    const auto hours = by_hour(sent, kDay, 24);
    for (std::size_t hour = 0; hour < 24; ++hour) {
        const bool open = hour >= 8 && hour < 18;
        EXPECT_NEAR(static_cast<double>(hours[hour]), open ? 480 : 0, open ? 48 : 0) << hour;
    }
    EXPECT_EQ(lane.hold(kDay + 20h)->bound, WarmupBound::hours);
    EXPECT_EQ(lane.hold(kDay + 20h)->until, kDay + 32h) << "tomorrow at eight";
}

TEST(WarmupLane, ASmallCapIsOneMessageATime)
{
    WarmupLane lane = lane_of({.cap = 10, .start = kDay});
    const auto sent = drain(lane, kDay, kDay + 24h, 1min);
    ASSERT_EQ(sent.size(), 10U);
    for (std::size_t i = 1; i < sent.size(); ++i) EXPECT_GE(sent[i] - sent[i - 1], 2h + 20min) << i;
}

// Not the whole rest at once, however late it comes; and not more than twice the even part of an hour.
TEST(WarmupLane, WhatComesLateIsPacedToo)
{
    WarmupLane lane = lane_of({.cap = 2'400, .start = kDay});
    const auto sent = drain(lane, kDay + 20h, kDay + 24h, 1s);
    for (const std::size_t hour : by_hour(sent, kDay + 20h, 4)) EXPECT_LE(hour, 200U);
    EXPECT_GE(sent.size(), 780U);
    EXPECT_LE(drain(lane, kDay + 24h, kDay + 24h + 1min, 1s).size(), 4U) << "nor in the first minute of a day";
}

TEST(WarmupLane, APauseSavesUpOneMinute)
{
    WarmupLane lane = lane_of({.cap = 86'400, .start = kDay});
    EXPECT_LE(drain(lane, kDay + 1h, kDay + 1h + 1s, 1s).size(), 63U);
    lane.hold(kDay + 5h);
    const auto burst = drain(lane, kDay + 5h, kDay + 5h + 1s, 1s).size();
    EXPECT_GT(burst, 55U);
    EXPECT_LT(burst, 80U);
}

TEST(WarmupLane, WhatIsUnderWayCountsAndWhatNobodyHeardOfComesBack)
{
    WarmupLane lane = lane_of({.cap = 2, .start = kDay, .hour_times = 24});
    lane.take(kDay);
    lane.take(kDay);
    EXPECT_EQ(lane.hold(kDay + 23h), (WarmupHold{WarmupBound::day, 2, 2, kDay + 24h}));
    lane.done(false, kDay + 1min); // no connection
    EXPECT_EQ(lane.used(kDay + 1min), 1U);
    lane.done(true, kDay + 1min);
    EXPECT_EQ(lane.used(kDay + 1min), 1U);
    EXPECT_FALSE(lane.hold(kDay + 23h)) << "one is left";
    lane.take(kDay + 23h);
    EXPECT_EQ(lane.used(kDay + 25h), 1U) << "a new day; what is under way is of the day on which it ends";
    lane.done(true, kDay + 25h);
    EXPECT_EQ(lane.used(kDay + 25h), 1U);
}

TEST(WarmupLane, ACountThatWasKeptElsewhereComesBack)
{
    WarmupLane lane = lane_of({.cap = 100, .start = kDay, .hour_times = 24});
    lane.counted(kDay, 100, kDay + 5h);
    EXPECT_EQ(lane.hold(kDay + 5h)->bound, WarmupBound::day);
    lane.counted(kDay, 40, kDay + 6h);
    EXPECT_EQ(lane.used(kDay + 6h), 100U) << "never down: two who count may be behind each other";
    lane.counted(kDay, 100, kDay + 24h);
    EXPECT_EQ(lane.used(kDay + 24h), 0U) << "yesterday's";
}

TEST(WarmupLane, StopsStartsAndEnds)
{
    WarmupLane lane = lane_of({.cap = 10, .start = kDay + std::chrono::days{2}, .hour_from = 6, .hour_to = 7});
    EXPECT_EQ(lane.hold(kDay), (WarmupHold{WarmupBound::hours, 0, 10, kDay + 54h}));
    lane.apply({.cap = 10, .start = kDay, .stopped = kDay});
    EXPECT_EQ(lane.hold(kDay + 1h), (WarmupHold{WarmupBound::stopped, 0, 10, kDay + 24h}));
    lane.apply({.start = kDay, .stopped = kDay});
    EXPECT_EQ(lane.hold(kDay + 1h)->bound, WarmupBound::stopped) << "also one without a cap";
    lane.apply({.start = kDay});
    for (int i = 0; i < 1'000; ++i) lane.take(kDay + 1h);
    EXPECT_FALSE(lane.hold(kDay + 1h)) << "no cap any more";
}

TEST(WarmupLane, TheHourHasACapOfItsOwn)
{
    WarmupLane lane = lane_of({.cap = 24, .start = kDay, .hour_times = 1});
    lane.take(kDay + 1h);
    EXPECT_EQ(lane.hold(kDay + 1h + 59min), (WarmupHold{WarmupBound::hour, 1, 1, kDay + 2h}));
    EXPECT_FALSE(lane.hold(kDay + 2h));
}

// A thousand that wait are called one by one, at times when they probably may go.
TEST(WarmupLane, ThoseThatWaitAreCalledOneByOne)
{
    WarmupLane lane = lane_of({.cap = 86'400, .start = kDay});
    drain(lane, kDay, kDay + 1s, 1s);
    WallTime before = kDay;
    for (int i = 0; i < 1'000; ++i) {
        const WallTime at = lane.next_in_line(kDay + 1s);
        EXPECT_GT(at, before);
        EXPECT_EQ(lane.hold(kDay + 1s)->until <= at, true);
        before = at;
    }
    EXPECT_NEAR(std::chrono::duration<double>(before - kDay) / 1s, 1'000, 20) << "one a second";
}

TEST(WarmupLane, WhoeverWaitsLooksAgainWithinAnHour)
{
    WarmupLane lane = lane_of({.cap = 100, .start = kDay, .hour_from = 9, .hour_to = 17});
    std::map<WallTime, int> at;
    for (int i = 0; i < 10'000; ++i) {
        const WallTime next = lane.next_in_line(kDay + 16h);
        EXPECT_GT(next, kDay + 16h - 1s);
        EXPECT_LE(next, kDay + 16h + kLookAhead);
        ++at[next];
    }
    EXPECT_GE(at.size(), 3U) << "not all at once";
    lane.apply({.cap = 10, .start = kDay + std::chrono::days{30}});
    EXPECT_EQ(lane.next_in_line(kDay + 16h), kDay + 17h);
}

// Random rules, demand and looks: never over the cap, never outside of the hours.
TEST(WarmupLane, HoldsItsBoundsWhateverComes)
{
    std::mt19937_64 random{5};
    const auto pick = [&](int low, int high) { return std::uniform_int_distribution{low, high}(random); };
    for (int system = 0; system < 300; ++system) {
        WarmupRule rule{.cap = static_cast<std::uint64_t>(pick(1, 3'000)),
                        .start = kDay + std::chrono::days{pick(0, 1)}};
        rule.hour_from = static_cast<unsigned>(pick(0, 20));
        rule.hour_to = static_cast<unsigned>(pick(static_cast<int>(rule.hour_from) + 1, 24));
        rule.hour_times = pick(1, 3);
        WarmupLane lane = lane_of(rule);
        std::map<Day, std::uint64_t> days;
        int in_hand = 0;
        for (WallTime now = kDay; now < kDay + 48h; now += Duration{30s} * pick(1, 40)) {
            for (int waiting = pick(0, 30); waiting > 0; --waiting) {
                const auto hold = lane.hold(now);
                if (hold) {
                    EXPECT_GT(hold->until, now);
                    break;
                }
                lane.take(now);
                ++in_hand;
            }
            for (; in_hand > 0 && pick(0, 3) > 0; --in_hand) {
                const bool heard = pick(0, 9) > 0;
                lane.done(heard, now);
                if (heard) ++days[std::chrono::floor<std::chrono::days>(now)];
            }
            const auto hour = std::chrono::floor<std::chrono::hours>(now);
            if (!lane.hold(now)) {
                EXPECT_GE(hour - std::chrono::floor<std::chrono::days>(now), std::chrono::hours{rule.hour_from});
                EXPECT_LT(hour - std::chrono::floor<std::chrono::days>(now), std::chrono::hours{rule.hour_to});
            }
        }
        for (const auto& [day, count] : days) EXPECT_LE(count, *rule.cap) << system;
        EXPECT_FALSE(days.contains(rule.start - std::chrono::days{1}));
    }
}

} // namespace
} // namespace penguin::policy
