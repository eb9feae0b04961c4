#include "bench/sustain/course.h"

#include <vector>

#include <gtest/gtest.h>

namespace penguin::bench {
namespace {

// A sample each 10 s of who is taken so many a second, up to `until_s`.
void go_on(std::vector<CourseSample>& samples, double until_s, double taken_a_s, double refused_a_s)
{
    const CourseSample from = samples.back();
    for (double time = from.at_s + 10; time <= until_s; time += 10)
        samples.push_back({time, from.taken + static_cast<std::uint64_t>(taken_a_s * (time - from.at_s)),
                           from.refused + static_cast<std::uint64_t>(refused_a_s * (time - from.at_s))});
}

TEST(Course, WhoFindsTheRateIsJudgedByWhatComesAfter)
{
    std::vector<CourseSample> samples{{}};
    go_on(samples, 300, 1, 1);
    go_on(samples, 900, 9, 0.1);
    const CourseFigures figures = figures_of(samples, 10, 600);
    EXPECT_NEAR(figures.share, 0.9, 1e-9);
    EXPECT_NEAR(figures.deferred, 0.1 / 9.1, 1e-3);
    ASSERT_TRUE(figures.found_after_s.has_value());
    EXPECT_EQ(figures.found_after_s.value(), 410); // 11 of 12 parts of the window at 9, one at 1: 8.33
}

TEST(Course, WhoLosesTheRateAgainHasNotFoundIt)
{
    std::vector<CourseSample> samples{{}};
    go_on(samples, 600, 10, 0);
    go_on(samples, 900, 1, 9);
    const CourseFigures figures = figures_of(samples, 10, 600);
    EXPECT_NEAR(figures.share, 0.1, 1e-9);
    EXPECT_NEAR(figures.deferred, 0.9, 1e-9);
    EXPECT_FALSE(figures.found_after_s.has_value());
}

TEST(Course, NothingSaysNothing)
{
    EXPECT_EQ(figures_of({}, 10, 600).share, 0);
    const std::vector<CourseSample> still{{}, {.at_s = 900}};
    const CourseFigures figures = figures_of(still, 10, 600);
    EXPECT_EQ(figures.share, 0);
    EXPECT_EQ(figures.deferred, 0);
    EXPECT_FALSE(figures.found_after_s.has_value());
}

TEST(Course, WhatAProfileSustainsIsItsRateForASenderThatItDoesNotKnow)
{
    SinkProfile profile{.name = "x"};
    EXPECT_EQ(sustainable_rate(profile).error().code, Errc::bad_value);
    profile.message_rate = ProviderLimit{.max = 200, .per = std::chrono::seconds{60}, .answer = {}};
    EXPECT_NEAR(sustainable_rate(profile).value(), 10.0 / 3, 1e-9);
    profile.reputation = ProviderReputation{};
    profile.reputation->rules.treatment[static_cast<std::size_t>(Grade::medium)].allowed = 0.5;
    EXPECT_NEAR(sustainable_rate(profile).value(), 5.0 / 3, 1e-9);
}

} // namespace
} // namespace penguin::bench
