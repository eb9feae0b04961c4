#include "engine/policy/retry_schedule.h"

#include <gtest/gtest.h>

namespace penguin::policy {
namespace {

using namespace std::chrono_literals;

const WallTime kQueued = from_unix_ms(1'795'494'547'000);

TEST(RetrySchedule, TheLadderThenItsLastStep)
{
    const RetrySchedule schedule;
    const std::chrono::seconds waits[] = {5min, 15min, 30min, 1h, 2h, 4h, 4h, 4h};
    for (unsigned attempts = 1; attempts <= 8; ++attempts)
        EXPECT_EQ(next_attempt(schedule, attempts, kQueued, kQueued, std::nullopt, std::nullopt, 0.5),
                  kQueued + waits[attempts - 1])
            << attempts;
}

TEST(RetrySchedule, JitterStaysInsideItsShare)
{
    const RetrySchedule schedule;
    EXPECT_EQ(next_attempt(schedule, 1, kQueued, kQueued, std::nullopt, std::nullopt, 0.0), kQueued + 4min);
    EXPECT_LE(*next_attempt(schedule, 1, kQueued, kQueued, std::nullopt, std::nullopt, 0.999), kQueued + 6min);
}

TEST(RetrySchedule, TheServersHintIsNeverUndercut)
{
    const RetrySchedule schedule;
    EXPECT_EQ(next_attempt(schedule, 1, kQueued, kQueued, std::nullopt, 20min, 0.5), kQueued + 20min);
    EXPECT_EQ(next_attempt(schedule, 1, kQueued, kQueued, std::nullopt, 1min, 0.5), kQueued + 5min);
}

TEST(RetrySchedule, NobodyTriesAfterTheEndOfLife)
{
    const RetrySchedule schedule;
    EXPECT_EQ(next_attempt(schedule, 9, kQueued + 105h, kQueued, std::nullopt, std::nullopt, 0.5), std::nullopt);
    EXPECT_EQ(next_attempt(schedule, 1, kQueued, kQueued, kQueued + 5min, std::nullopt, 0.5), std::nullopt);
    EXPECT_EQ(end_of_life(schedule, kQueued, std::nullopt), kQueued + 108h);
    EXPECT_EQ(end_of_life(schedule, kQueued, kQueued + 200h), kQueued + 108h);
}

} // namespace
} // namespace penguin::policy
