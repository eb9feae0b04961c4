#include "engine/delivery/settings.h"

#include <gtest/gtest.h>

namespace penguin::delivery {
namespace {

TEST(LaneLimits, AreNarrowedByWhatTheProviderTakesAndNeverWidened)
{
    const LaneLimits ours{.connections = 10, .messages_per_connection = 100};
    EXPECT_EQ(narrowed(ours, nullptr).connections, 10U);
    EXPECT_EQ(narrowed(ours, nullptr).messages_per_connection, 100U);

    policy::Provider provider{.name = "acme"};
    EXPECT_EQ(narrowed(ours, &provider).connections, 10U);
    EXPECT_EQ(narrowed(ours, &provider).messages_per_connection, 100U);
    provider.connections = 2;
    provider.messages_per_connection = 1'000;
    EXPECT_EQ(narrowed(ours, &provider).connections, 2U);
    EXPECT_EQ(narrowed(ours, &provider).messages_per_connection, 100U);
    EXPECT_EQ(narrowed(ours, &provider).idle, ours.idle);
}

} // namespace
} // namespace penguin::delivery
