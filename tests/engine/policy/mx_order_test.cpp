#include "engine/policy/mx_order.h"

#include <map>

#include <gtest/gtest.h>

namespace penguin::policy {
namespace {

TEST(MxOrder, PreferenceDecidesAndEqualOnesAreShuffled)
{
    const std::vector<std::uint16_t> preferences{10, 10, 20, 20, 30};
    std::mt19937 random{7};
    std::map<std::size_t, int> first;
    for (int i = 0; i < 1000; ++i) {
        const std::vector<std::size_t> order = mx_order(preferences, random);
        ASSERT_EQ(order.size(), 5U);
        EXPECT_LT(order[0], 2U);
        EXPECT_LT(order[1], 2U);
        EXPECT_GE(order[2], 2U);
        EXPECT_LT(order[2], 4U);
        EXPECT_EQ(order[4], 4U);
        ++first[order[0]];
    }
    EXPECT_GT(first[0], 400);
    EXPECT_GT(first[1], 400);
}

TEST(MxOrder, NoHostsNoOrder)
{
    std::mt19937 random{7};
    EXPECT_TRUE(mx_order({}, random).empty());
}

} // namespace
} // namespace penguin::policy
