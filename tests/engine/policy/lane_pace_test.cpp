#include "engine/policy/lane_pace.h"

#include <cmath>
#include <deque>

#include <gtest/gtest.h>

namespace penguin::policy {
namespace {

using namespace std::chrono_literals;

const WallTime kStart = from_unix_ms(1'795'494'547'000);

bool admits(LanePace& pace, WallTime now)
{
    if (pace.room(now) == 0) return false;
    pace.go(now);
    return true;
}

// A lane that sends what it may to a site, on a clock of its own.
class Trial {
public:
    // `takes`: whether the site takes one more at this time.
    template <class Site>
    void run(Site&& takes, Duration time)
    {
        for (const WallTime end = now_ + time; now_ < end; now_ += 50ms) {
            for (unsigned each = 0; each < kInHand; ++each) {
                const bool probe = pace_.open();
                if (!admits(pace_, now_)) break;
                if (takes(now_)) {
                    ++taken_;
                    if (auto step = pace_.taken(now_, probe)) steps_.push_back(*step);
                } else {
                    ++refused_;
                    pace_.refused(now_, probe, std::nullopt);
                }
            }
        }
    }
    void count_from_now() { taken_ = refused_ = 0; }

    LanePace pace_;
    WallTime now_ = kStart;
    std::size_t taken_ = 0;
    std::size_t refused_ = 0;
    std::vector<LanePace::Step> steps_;

private:
    static constexpr unsigned kInHand = 10; // in 50 ms: 200/s are what the connections carry
};

// So many in any span of its length.
class Quota {
public:
    Quota(std::size_t most, Duration span) : most_{most}, span_{span} {}
    bool operator()(WallTime now)
    {
        while (!taken_.empty() && taken_.front() + span_ <= now) taken_.pop_front();
        if (taken_.size() >= most_) return false;
        taken_.push_back(now);
        return true;
    }

private:
    std::size_t most_;
    Duration span_;
    std::deque<WallTime> taken_;
};

// Tokens that come at a rate.
class Bucket {
public:
    Bucket(double rate, double burst) : rate_{rate}, burst_{burst}, level_{burst} {}
    bool operator()(WallTime now)
    {
        level_ = std::min(burst_, level_ + rate_ * std::chrono::duration<double>(now - at_).count());
        at_ = now;
        if (level_ < 1) return false;
        level_ -= 1;
        return true;
    }

private:
    double rate_;
    double burst_;
    double level_;
    WallTime at_ = kStart;
};

TEST(LanePace, WithoutARefusalNothingIsHeld)
{
    Trial trial;
    trial.run([](WallTime) { return true; }, 10min);
    EXPECT_EQ(trial.taken_, 120'000U);
    EXPECT_EQ(trial.pace_.rate(), std::nullopt);
    EXPECT_TRUE(trial.pace_.quiet(trial.now_));
    EXPECT_TRUE(trial.steps_.empty());
}

TEST(LanePace, FindsWhatASiteTakesInAMinuteAndStaysBelow)
{
    Trial trial;
    Quota site{200, 1min};
    trial.run(site, 10min);
    trial.count_from_now();
    trial.run(site, 30min);
    EXPECT_GE(trial.taken_, 30U * 200 * 8 / 10);
    EXPECT_LE(trial.refused_, trial.taken_ / 50);
}

TEST(LanePace, FindsTheRateOfABucketThatFillsAllTheTime)
{
    for (const double rate : {0.5, 5.0, 50.0}) {
        Trial trial;
        Bucket site{rate, 4 * rate + 20};
        trial.run(site, 10min);
        trial.count_from_now();
        trial.run(site, 30min);
        EXPECT_GE(static_cast<double>(trial.taken_), 30 * 60 * rate * 0.8) << rate;
        EXPECT_LE(trial.refused_, trial.taken_ / 50) << rate;
    }
}

TEST(LanePace, ShrinksAtMostOnceAMinute)
{
    Trial trial;
    Bucket site{3, 200};
    trial.run(site, 59s);
    ASSERT_EQ(trial.steps_.size(), 1U);
    EXPECT_EQ(trial.steps_[0].from, std::nullopt);
    trial.run(site, 20min);
    for (std::size_t i = 1; i < trial.steps_.size(); ++i)
        EXPECT_EQ(trial.steps_[i].from, trial.steps_[i - 1].to) << "each step tells where it comes from";
}

TEST(LanePace, ASiteThatTakesNothingIsAskedSeldom)
{
    Trial trial;
    trial.run([](WallTime) { return false; }, 1h);
    EXPECT_LE(trial.refused_, 20U);
    EXPECT_EQ(trial.pace_.rate(), std::nullopt) << "that it takes nothing is no rate";
}

TEST(LanePace, TheServersOwnTimeCounts)
{
    LanePace pace;
    ASSERT_TRUE(admits(pace, kStart));
    EXPECT_TRUE(pace.refused(kStart, false, 15min));
    EXPECT_EQ(pace.until(kStart + 1min), kStart + 15min);
    EXPECT_FALSE(admits(pace, kStart + 14min));
    EXPECT_TRUE(admits(pace, kStart + 15min));
    EXPECT_FALSE(admits(pace, kStart + 15min)) << "one finds out";
    pace.probe_abandoned();
    EXPECT_TRUE(admits(pace, kStart + 15min));
}

TEST(LanePace, WhatWasOnItsWayChangesNothing)
{
    LanePace pace;
    for (int i = 0; i < 10; ++i) pace.taken(kStart, false);
    EXPECT_TRUE(pace.refused(kStart + 1s, false, std::nullopt));
    const auto until = pace.until(kStart + 1s);
    EXPECT_FALSE(pace.refused(kStart + 1s, false, std::nullopt));
    EXPECT_EQ(pace.taken(kStart + 1s, false), std::nullopt);
    EXPECT_EQ(pace.until(kStart + 1s), until);
}

TEST(LanePace, TheRateIsWhatWasTakenByTheTimeUntilItTakesMore)
{
    LanePace pace;
    for (int i = 0; i < 100; ++i) pace.taken(kStart, false);
    pace.refused(kStart + 1s, false, std::nullopt);
    ASSERT_TRUE(admits(pace, kStart + 10s));
    const auto step = pace.taken(kStart + 10s, true);
    ASSERT_TRUE(step);
    EXPECT_DOUBLE_EQ(step->to, 100 / 10.0 * LanePace::kDecrease);
    EXPECT_EQ(pace.rate(), step->to);
}

// As Gmail's procedure wants: nothing for ten minutes. What the site took before is still known then.
TEST(LanePace, WhatWasTakenBeforeALongPauseIsKept)
{
    LanePace pace;
    for (int i = 0; i < 180; ++i) pace.taken(kStart, false);
    pace.refused(kStart + 1s, false, std::nullopt);
    EXPECT_FALSE(pace.quiet(kStart + 10min));
    ASSERT_TRUE(admits(pace, kStart + 10min));
    EXPECT_DOUBLE_EQ(pace.taken(kStart + 10min, true)->to, 3 * LanePace::kDecrease);
}

TEST(LanePace, KeepsItsMessagesApart)
{
    LanePace pace;
    for (int i = 0; i < 60; ++i) pace.taken(kStart, false);
    pace.refused(kStart, false, std::nullopt);
    ASSERT_TRUE(admits(pace, kStart + 60s));
    pace.taken(kStart + 60s, true);
    ASSERT_DOUBLE_EQ(*pace.rate(), LanePace::kDecrease);
    EXPECT_EQ(pace.room(kStart + 61s), 1U);
    ASSERT_TRUE(admits(pace, kStart + 61s));
    EXPECT_FALSE(admits(pace, kStart + 61s));
    const auto apart = std::chrono::microseconds{static_cast<std::int64_t>(1e6 / LanePace::kDecrease)};
    EXPECT_EQ(pace.until(kStart + 61s), kStart + 61s + apart - LanePace::kBurst);
    EXPECT_EQ(pace.room(kStart + 61s), 0U);
}

TEST(LanePace, IsForgottenADayAfterTheLastRefusal)
{
    LanePace pace;
    for (int i = 0; i < 60; ++i) pace.taken(kStart, false);
    pace.refused(kStart, false, std::nullopt);
    ASSERT_TRUE(admits(pace, kStart + 60s));
    pace.taken(kStart + 60s, true);
    EXPECT_FALSE(pace.quiet(kStart + 23h));
    EXPECT_TRUE(pace.quiet(kStart + 24h));
    pace.taken(kStart + 24h, false);
    EXPECT_EQ(pace.rate(), std::nullopt);
}

} // namespace
} // namespace penguin::policy
