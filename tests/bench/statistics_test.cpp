#include "bench/harness/statistics.h"

#include <gtest/gtest.h>

namespace penguin::bench {
namespace {

TEST(Percentile, IsTheSmallestValueThatThatManyAreNotAbove)
{
    const std::vector<double> values{50, 10, 40, 20, 30, 60, 70, 80, 90, 100};
    EXPECT_EQ(percentile(values, 0.5), 50);
    EXPECT_EQ(percentile(values, 0.95), 100);
    EXPECT_EQ(percentile(values, 0.9), 90);
    EXPECT_EQ(percentile(values, 0), 10);
    EXPECT_EQ(percentile(values, 1), 100);
    EXPECT_EQ(percentile(values, 7), 100);
}

TEST(Percentile, OfOneIsIt) { EXPECT_EQ(percentile({3}, 0.99), 3); }

TEST(Percentile, OfNoneIsZero) { EXPECT_EQ(percentile({}, 0.5), 0); }

TEST(Median, IsTheMiddleOrBetweenTheTwoInTheMiddle)
{
    EXPECT_EQ(median({9, 1, 5}), 5);
    EXPECT_EQ(median({9, 1, 5, 7}), 6);
    EXPECT_EQ(median({}), 0);
}

TEST(Spread, IsTheRangeOverTheMedian)
{
    EXPECT_DOUBLE_EQ(spread({100, 90, 110}), 0.2);
    EXPECT_EQ(spread({100}), 0);
    EXPECT_EQ(spread({}), 0);
    EXPECT_EQ(spread({0, 0}), 0);
}

} // namespace
} // namespace penguin::bench
