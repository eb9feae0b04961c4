// What a soak says of its samples. Pure.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/soak/slope.h"
#include "bench/soak/verdict.h"

namespace penguin::bench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr double kStep = 5; // seconds
constexpr double kHour = 3'600;

// An hour of a load that leaves nothing behind: each value swings about its mean.
std::vector<SoakSample> steady_hour()
{
    std::vector<SoakSample> samples;
    for (double at = 0; at <= kHour; at += kStep) {
        const double swing = static_cast<long>(at / 60) % 2 == 0 ? 1 : -1;
        samples.push_back({.seconds = at,
                           .delivered = 1'000 * at,
                           .daemon_mb = 200 + swing,
                           .descriptors = 300 + swing,
                           .redis_mb = 40 + swing,
                           .dataset_mb = 10 + swing / 10,
                           .postgres_mb = 50 + 0.3 * at});
    }
    return samples;
}
constexpr SoakEnd kDrained{.dataset_before_mb = 1, .dataset_after_mb = 1.5};

std::vector<std::string> alarms_when(void (*grow)(SoakSample&), const SoakEnd& end = kDrained)
{
    std::vector<SoakSample> samples = steady_hour();
    for (SoakSample& sample : samples) grow(sample);
    return judge(samples, end).alarms;
}

TEST(Slope, OfALineIsItsSlopeAndSure)
{
    std::vector<Point> samples;
    for (double at = 0; at < kHour; at += kStep) samples.push_back({at, 7 + at / 1'000});
    const Slope slope = slope_of(samples).value();
    EXPECT_NEAR(slope.per_hour, 3.6, 1e-6);
    EXPECT_NEAR(slope.low, 3.6, 1e-6);
    EXPECT_NEAR(slope.high, 3.6, 1e-6);
    EXPECT_NEAR(slope.mean, 7 + (kHour - kStep) / 2'000, 1e-6);
}

// y = x + (1, -1, -1, 1, ...): worked out by hand with the usual formulas; t(0.975; 10) = 2.228139.
TEST(Slope, TheIntervalIsStudents)
{
    std::vector<Point> samples;
    for (int i = 0; i < 12; ++i)
        samples.push_back({60.0 * i, static_cast<double>(i) + (i % 4 == 0 || i % 4 == 3 ? 1.0 : -1.0)});
    const Slope slope = slope_of(samples).value();
    const double per_block = slope.per_hour / 60; // blocks of a minute
    const double half = (slope.high - slope.low) / 2 / 60;
    EXPECT_NEAR(per_block, 1.0, 1e-9); // the pattern has no slope of its own
    EXPECT_NEAR(half, 2.228139 * std::sqrt(12.0 / 10.0 / 143.0), 1e-5);
}

TEST(Slope, OfLessThanTenMinutesIsNothing)
{
    std::vector<Point> samples;
    for (double at = 0; at < 540; at += kStep) samples.push_back({at, at});
    EXPECT_FALSE(slope_of(samples));
    samples.push_back({541, 541});
    EXPECT_TRUE(slope_of(samples));
}

TEST(SoakVerdict, ASteadyHourHasNoAlarm)
{
    const SoakVerdict verdict = judge(steady_hour(), kDrained);
    EXPECT_THAT(verdict.alarms, IsEmpty());
    EXPECT_NEAR(verdict.postgres_octets_per_message, 300, 1);
    EXPECT_NEAR(verdict.slopes.at("descriptors").at("mean").to_number<double>(), 300, 1);
}

TEST(SoakVerdict, WhatHappensWhileItWarmsUpDoesNotCount)
{
    EXPECT_THAT(alarms_when([](SoakSample& sample) {
                    if (sample.seconds < kWarmUp * kHour) sample.daemon_mb = sample.seconds / 10;
                }),
                IsEmpty());
}

TEST(SoakVerdict, NamesWhatGrows)
{
    EXPECT_THAT(alarms_when([](SoakSample& sample) { sample.daemon_mb += 4 * sample.seconds / kHour; }),
                ElementsAre(HasSubstr("the daemon's memory may grow")));
    EXPECT_THAT(alarms_when([](SoakSample& sample) { sample.descriptors += 5 * sample.seconds / kHour; }),
                ElementsAre(HasSubstr("descriptors grow")));
    EXPECT_THAT(alarms_when([](SoakSample& sample) { sample.dataset_mb += 5 * sample.seconds / kHour; }),
                ElementsAre(HasSubstr("MB of data in Redis grow")));
    EXPECT_THAT(alarms_when([](SoakSample& sample) {
                    if (sample.seconds > kHour / 2) sample.postgres_mb += sample.seconds - kHour / 2;
                }),
                ElementsAre(HasSubstr("PostgreSQL took")));
}

TEST(SoakVerdict, RedisMustBeBackWhereItWas)
{
    const SoakEnd left{.dataset_before_mb = 1, .dataset_after_mb = 3.1};
    EXPECT_THAT(alarms_when([](SoakSample& /*as it is*/) {}, left), ElementsAre(HasSubstr("Redis holds 3.1 MB")));
}

TEST(SoakVerdict, AShortRunIsJudgedByItsEndOnly)
{
    std::vector<SoakSample> samples = steady_hour();
    samples.resize(60);
    for (SoakSample& sample : samples) sample.daemon_mb += sample.seconds;
    const SoakVerdict verdict = judge(samples, kDrained);
    EXPECT_THAT(verdict.alarms, IsEmpty());
    EXPECT_TRUE(verdict.slopes.at("daemon_mb").is_null());
}

} // namespace
} // namespace penguin::bench
