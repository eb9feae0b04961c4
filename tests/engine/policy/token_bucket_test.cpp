#include "engine/policy/token_bucket.h"

#include <gtest/gtest.h>

namespace penguin::policy {
namespace {

using namespace std::chrono_literals;

const SteadyTime kStart{std::chrono::hours{1}};

TEST(TokenBucket, IsFullAtFirstAndNeverFuller)
{
    const TokenBucket bucket{10, 5};
    EXPECT_DOUBLE_EQ(bucket.level(kStart), 5);
    EXPECT_DOUBLE_EQ(bucket.level(kStart + 1h), 5);
}

TEST(TokenBucket, FillsAtItsRate)
{
    TokenBucket bucket{10, 5};
    bucket.take(5, kStart);
    EXPECT_DOUBLE_EQ(bucket.level(kStart), 0);
    EXPECT_DOUBLE_EQ(bucket.level(kStart + 100ms), 1);
    EXPECT_DOUBLE_EQ(bucket.level(kStart + 10s), 5);
}

TEST(TokenBucket, WhatWasTakenTooMuchComesFirst)
{
    TokenBucket bucket{10, 5};
    bucket.take(7, kStart);
    EXPECT_DOUBLE_EQ(bucket.level(kStart), -2);
    EXPECT_DOUBLE_EQ(bucket.level(kStart + 300ms), 1);
}

TEST(TokenBucket, WhatIsGivenCountsUpToTheMost)
{
    TokenBucket bucket{10, 5};
    bucket.take(5, kStart);
    bucket.give(2, kStart);
    EXPECT_DOUBLE_EQ(bucket.level(kStart), 2);
    bucket.give(9, kStart);
    EXPECT_DOUBLE_EQ(bucket.level(kStart), 5);
    bucket.take(5, kStart);
    EXPECT_DOUBLE_EQ(bucket.level(kStart), 0);
}

TEST(TokenBucket, AnEarlierTimeGivesNothingTwice)
{
    TokenBucket bucket{10, 5};
    bucket.take(5, kStart);
    bucket.take(0, kStart - 1s);
    EXPECT_DOUBLE_EQ(bucket.level(kStart + 100ms), 1);
}

} // namespace
} // namespace penguin::policy
