#include "engine/base/lru_cache.h"

#include <string>

#include <gtest/gtest.h>

namespace penguin {
namespace {

TEST(LruCache, ForgetsWhatWasNotUsedForLongest)
{
    LruCache<int, std::string> cache{2};
    cache.put(1, "one");
    cache.put(2, "two");
    ASSERT_NE(cache.get(1), nullptr);
    cache.put(3, "three");
    EXPECT_EQ(cache.get(2), nullptr);
    EXPECT_EQ(*cache.get(1), "one");
    EXPECT_EQ(*cache.get(3), "three");
}

TEST(LruCache, TheSumOfCostsIsItsBound)
{
    LruCache<int, std::string> cache{10};
    cache.put(1, "a", 4);
    cache.put(2, "b", 4);
    cache.put(3, "c", 8);
    EXPECT_EQ(cache.size(), 1U);
    EXPECT_EQ(cache.cost(), 8U);
    cache.put(4, "too much", 11);
    EXPECT_EQ(cache.get(4), nullptr);
    EXPECT_EQ(*cache.get(3), "c");
}

TEST(LruCache, PuttingAgainReplacesValueAndCost)
{
    LruCache<int, std::string> cache{10};
    cache.put(1, "a", 4);
    cache.put(1, "b", 6);
    EXPECT_EQ(*cache.get(1), "b");
    EXPECT_EQ(cache.cost(), 6U);
    cache.erase(1);
    EXPECT_EQ(cache.cost(), 0U);
}

} // namespace
} // namespace penguin
