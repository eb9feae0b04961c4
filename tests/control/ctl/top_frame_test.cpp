#include "control/ctl/top_frame.h"

#include <gtest/gtest.h>

namespace penguin::control::ctl {
namespace {

using namespace std::chrono_literals;

Look look(const char* text, std::chrono::milliseconds at)
{
    return {.metrics = Metrics::parse(text).value(), .at = SteadyTime{at}};
}

constexpr const char* kEarlier = R"(
penguin_submit_messages_total 1000
penguin_queue_claimed_total 500
penguin_delivery_outcomes_total{kind="delivered",class=""} 400
penguin_delivery_outcomes_total{kind="deferred",class="rate"} 10
penguin_delivery_outcomes_total{kind="deferred",class="greylisted"} 10
)";
constexpr const char* kNow = R"(
penguin_engine_claiming 1
penguin_engine_in_hand_messages 1204
penguin_engine_connections 48
penguin_journal_octets{pool="default"} 1572864
penguin_settings_version 42
penguin_submit_messages_total 1000
penguin_queue_claimed_total 2500
penguin_delivery_outcomes_total{kind="delivered",class=""} 1400
penguin_delivery_outcomes_total{kind="deferred",class="rate"} 30
penguin_delivery_outcomes_total{kind="deferred",class="greylisted"} 12
penguin_delivery_outcomes_total{kind="bounced",class="invalid_recipient"} 3
penguin_queue_messages{pool="warm",place="ready"} 7
penguin_queue_messages{pool="default",place="ready"} 120000
penguin_queue_messages{pool="default",place="in_hands"} 1204
penguin_queue_events_waiting{pool="default"} 12
)";

TEST(TopFrame, RatesAreDifferencesOverTime)
{
    EXPECT_EQ(top_frame(look(kEarlier, 10s), look(kNow, 12s)),
              "claiming yes   in hand 1,204   connections 48   journal 1.5 MiB   settings version 42\n"
              "\n"
              "MESSAGES    A SECOND  IN ALL\n"
              "accepted         0.0   1,000\n"
              "claimed       1000.0   2,500\n"
              "delivered      500.0   1,400\n"
              "deferred        11.0      42\n"
              "bounced          1.5       3\n"
              "expired          0.0       0\n"
              "suppressed       0.0       0\n"
              "parked           0.0       0\n"
              "given back       0.0       0\n"
              "\n"
              "QUEUE      READY  PARKED  DUE  IN HANDS  DEAD  EVENTS WAITING\n"
              "default  120,000       0    0     1,204     0              12\n"
              "warm           7       0    0         0     0               0\n");
}

TEST(TopFrame, TheFirstLookHasNoRates)
{
    const std::string frame = top_frame(std::nullopt, look(kNow, 0s));
    EXPECT_TRUE(frame.contains("claimed            -   2,500\n")) << frame;
}

TEST(TopFrame, ACounterThatWentBackIsOneOfANewProcess)
{
    const std::string frame = top_frame(look(kNow, 0s), look(kEarlier, 2s));
    EXPECT_TRUE(frame.contains("claimed        250.0     500\n")) << frame;
    EXPECT_TRUE(frame.contains("delivered      200.0     400\n")) << frame;
}

TEST(TopFrame, WhatANodeDoesNotTellIsLeftOpen)
{
    const std::string frame = top_frame(std::nullopt, look("", 0s));
    EXPECT_TRUE(frame.starts_with("claiming -   in hand -   connections -   journal -   settings version -\n"))
        << frame;
    EXPECT_TRUE(frame.ends_with("no pool has a source of this node\n")) << frame;
    EXPECT_TRUE(top_frame(std::nullopt, look("penguin_engine_claiming 0\n", 0s)).starts_with("claiming NO ")) << frame;
}

TEST(TopFrame, TwoLooksAtOneTimeDivideByNothing)
{
    EXPECT_TRUE(top_frame(look(kEarlier, 1s), look(kNow, 1s)).contains("claimed            -   2,500\n"));
}

TEST(Shown, NumbersAndSizes)
{
    EXPECT_EQ(grouped(0), "0");
    EXPECT_EQ(grouped(999), "999");
    EXPECT_EQ(grouped(1'000), "1,000");
    EXPECT_EQ(grouped(-1'234'567), "-1,234,567");
    EXPECT_EQ(size_shown(512), "512 B");
    EXPECT_EQ(size_shown(1'024), "1.0 KiB");
    EXPECT_EQ(size_shown(3.0 * (1ULL << 40)), "3072.0 GiB");
}

} // namespace
} // namespace penguin::control::ctl
