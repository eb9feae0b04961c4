#include "engine/policy/lane_trouble.h"

#include <gtest/gtest.h>

namespace penguin::policy {
namespace {

using namespace std::chrono_literals;

const SteadyTime kNow = SteadyTime{} + 100h;

ReplyRule rule_of(Reaction reaction) { return {.id = "r", .reactions = {reaction}}; }

TEST(LaneTrouble, NoneChangesNothing)
{
    LaneTrouble lane;
    EXPECT_EQ(lane.connections(10, kNow), 10U);
    EXPECT_EQ(lane.messages(100, kNow), 100U);
    EXPECT_FALSE(lane.taken(10, kNow));
    EXPECT_TRUE(lane.over(kNow));
    EXPECT_FALSE(lane.react(rule_of({.kind = ReactionKind::alert}), kNow));
    EXPECT_TRUE(lane.over(kNow));
}

TEST(LaneTrouble, SlowHalvesTheConnectionsForItsTime)
{
    LaneTrouble lane;
    const ReplyRule slow = rule_of({.kind = ReactionKind::slow, .length = 1h});
    EXPECT_TRUE(lane.react(slow, kNow));
    EXPECT_EQ(lane.connections(10, kNow), 5U);
    EXPECT_EQ(lane.connections(1, kNow), 1U);
    EXPECT_FALSE(lane.react(slow, kNow + 30min)) << "it was slow already";
    EXPECT_EQ(lane.connections(10, kNow + 89min), 5U) << "and stays so for longer";
    EXPECT_FALSE(lane.over(kNow + 89min));
    EXPECT_EQ(lane.connections(10, kNow + 90min), 10U);
    EXPECT_TRUE(lane.over(kNow + 90min));
}

// Google's way back: one connection, and one more after each message that is taken.
TEST(LaneTrouble, OneConnectionGrowsWithEachMessageThatIsTaken)
{
    LaneTrouble lane;
    EXPECT_TRUE(lane.react(rule_of({.kind = ReactionKind::one_connection}), kNow));
    EXPECT_TRUE(lane.growing());
    EXPECT_EQ(lane.connections(4, kNow), 1U);
    EXPECT_TRUE(lane.taken(4, kNow + 1s));
    EXPECT_EQ(lane.connections(4, kNow + 1s), 2U);
    EXPECT_TRUE(lane.react(rule_of({.kind = ReactionKind::one_connection}), kNow + 2s));
    EXPECT_EQ(lane.connections(4, kNow + 2s), 1U) << "from the beginning";
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(lane.taken(4, kNow + 3s));
    EXPECT_FALSE(lane.growing());
    EXPECT_EQ(lane.connections(4, kNow + 3s), 4U);
    EXPECT_TRUE(lane.over(kNow + 3s));
}

TEST(LaneTrouble, OneConnectionForATimeGrowsAfterIt)
{
    LaneTrouble lane;
    lane.react(rule_of({.kind = ReactionKind::one_connection, .length = 1h}), kNow);
    EXPECT_FALSE(lane.taken(4, kNow + 59min));
    EXPECT_EQ(lane.connections(4, kNow + 2h), 1U) << "nothing was taken";
    EXPECT_FALSE(lane.over(kNow + 1h));
    EXPECT_TRUE(lane.over(kNow + 1h + kTroubleKept));
    EXPECT_TRUE(lane.taken(4, kNow + 1h));
    EXPECT_EQ(lane.connections(4, kNow + 1h), 2U);
}

TEST(LaneTrouble, ReconnectBoundsTheMessagesOfAConnection)
{
    LaneTrouble lane;
    EXPECT_TRUE(lane.react(rule_of({.kind = ReactionKind::reconnect, .length = 1h, .messages = 2U}), kNow));
    EXPECT_EQ(lane.messages(100, kNow), 2U);
    EXPECT_EQ(lane.messages(1, kNow), 1U);
    EXPECT_EQ(lane.connections(10, kNow), 10U);
    EXPECT_EQ(lane.messages(100, kNow + 1h), 100U);
}

TEST(LaneTrouble, ForcedTlsLastsADayOrAsLongAsItSays)
{
    LaneTrouble lane;
    EXPECT_FALSE(lane.demands_tls(kNow));
    EXPECT_TRUE(lane.react(rule_of({.kind = ReactionKind::force_tls}), kNow));
    EXPECT_TRUE(lane.demands_tls(kNow + kForcedTls - 1s));
    EXPECT_FALSE(lane.over(kNow + kForcedTls - 1s));
    EXPECT_FALSE(lane.demands_tls(kNow + kForcedTls));
    EXPECT_TRUE(lane.react(rule_of({.kind = ReactionKind::force_tls, .length = 1h}), kNow + 48h));
    EXPECT_FALSE(lane.demands_tls(kNow + 49h));
}

TEST(LaneTrouble, AThresholdIsCountedWhileTheLaneIsKept)
{
    LaneTrouble lane;
    const ReplyRule third = rule_of({.kind = ReactionKind::slow, .length = 1h, .trigger = Trigger{3, 1h}});
    EXPECT_FALSE(lane.react(third, kNow));
    EXPECT_FALSE(lane.over(kNow + 59min)) << "one has been counted";
    EXPECT_FALSE(lane.react(third, kNow + 1min));
    EXPECT_TRUE(lane.react(third, kNow + 2min));
    EXPECT_EQ(lane.connections(10, kNow + 2min), 5U);
}

} // namespace
} // namespace penguin::policy
