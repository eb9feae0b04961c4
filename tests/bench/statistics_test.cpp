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

TEST(Exponent, OfAPowerLawIsExact)
{
    EXPECT_NEAR(*exponent_of({{1, 3}, {10, 300}, {100, 30'000}, {1'000, 3'000'000}}), 2, 1e-12);
    EXPECT_NEAR(*exponent_of({{1, 8}, {4, 4}, {16, 2}}), -0.5, 1e-12);
}

TEST(Exponent, OfWhatStaysTheSameIsZero)
{
    EXPECT_NEAR(*exponent_of({{1'000, 90}, {10'000, 90}, {1e6, 90}}), 0, 1e-12);
}

TEST(Exponent, OfTwoPointsIsTheLineThroughThem) { EXPECT_NEAR(*exponent_of({{10, 5}, {1'000, 50}}), 0.5, 1e-12); }

TEST(Exponent, LiesBetweenWhatPointsBesideALineSay)
{
    const double slope = *exponent_of({{1, 100}, {10, 130}, {100, 100}, {1'000, 130}});
    EXPECT_GT(slope, 0);
    EXPECT_LT(slope, 0.05);
}

TEST(Exponent, NeedsTwoDifferentValuesAboveZero)
{
    EXPECT_FALSE(exponent_of({}));
    EXPECT_FALSE(exponent_of({{10, 5}}));
    EXPECT_FALSE(exponent_of({{10, 5}, {10, 6}}));
    EXPECT_FALSE(exponent_of({{0, 5}, {10, 6}}));
    EXPECT_FALSE(exponent_of({{1, 5}, {10, 0}}));
    EXPECT_FALSE(exponent_of({{1, 5}, {10, -6}}));
}

} // namespace
} // namespace penguin::bench
