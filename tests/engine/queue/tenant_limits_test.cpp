#include "engine/queue/tenant_limits.h"

#include <gtest/gtest.h>

namespace penguin::queue {
namespace {

using namespace std::chrono_literals;

TEST(TenantLimits, ARateIsMessagesASecondMinuteOrHour)
{
    EXPECT_EQ(*TenantRate::parse("10/second"), (TenantRate{10, 1s}));
    EXPECT_EQ(*TenantRate::parse("600/minute"), (TenantRate{600, 1min}));
    EXPECT_EQ(*TenantRate::parse("1/hour"), (TenantRate{1, 1h}));
    EXPECT_EQ(*TenantRate::parse("1000000/second"), (TenantRate{1'000'000, 1s}));
    EXPECT_EQ(*TenantRate::parse("unlimited"), std::nullopt);
    for (const char* text : {"10/second", "600/minute", "1/hour", "unlimited"})
        EXPECT_EQ(text_of(*TenantRate::parse(text)), text);
}

TEST(TenantLimits, AnythingElseIsRefused)
{
    for (const char* text : {"", "10", "/hour", "0/hour", "-1/hour", "1000001/hour", "1.5/hour", "10/day", "10/hours",
                             "10 /hour", "10/hour ", "99999999999999999999/hour", "Unlimited", "x/hour"}) {
        const auto rate = TenantRate::parse(text);
        ASSERT_FALSE(rate) << text;
        EXPECT_EQ(rate.error().code, Errc::bad_value) << text;
    }
}

TEST(TenantLimits, WhatRedisKeepsComesBack)
{
    const TenantLimits all[] = {{},
                                {.rate = TenantRate{10, 1s}, .monthly_quota = {}},
                                {.rate = {}, .monthly_quota = 0},
                                {.rate = TenantRate{500, 1h}, .monthly_quota = 1'000'000}};
    for (const TenantLimits& limits : all) {
        const auto back = stored_limits(stored_text(limits));
        ASSERT_TRUE(back) << stored_text(limits);
        EXPECT_EQ(*back, limits);
    }
    EXPECT_FALSE(all[0].any());
    EXPECT_TRUE(all[2].any()) << "a quota of nothing is one";
    for (const char* text : {"", "1", "1 1", "a 1 1", "1 1 x", "-1 1 1", "1 1 1 1", "1  1 1"})
        EXPECT_FALSE(stored_limits(text)) << text;
}

} // namespace
} // namespace penguin::queue
