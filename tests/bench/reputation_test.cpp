#include "bench/sink/reputation.h"

#include <cmath>

#include <gtest/gtest.h>

namespace penguin::bench {
namespace {

using namespace std::chrono_literals;

constexpr Duration kHour = 1h;
constexpr Duration kDay = 24h;

ReputationRules rules()
{
    ReputationRules rules{.first_day = 500,
                          .unknown = {.tolerated = 0.03, .critical = 0.10, .weight = 40, .sample = 100},
                          .complaints = {.tolerated = 0.001, .critical = 0.003, .weight = 60, .sample = 1000},
                          .pushing = {.tolerated = 0.10, .critical = 0.50, .weight = 60, .sample = 200}};
    rules.treatment = {{{.allowed = 0}, {.allowed = 0.2, .deferred = 0.3}, {}, {.allowed = 4}}};
    return rules;
}

// So many hours of the same, from `now` on, in steps; the time after them.
Duration spend(Reputation& reputation, Duration now, int hours, const Conduct& an_hour, Duration step = kHour)
{
    const double part = std::chrono::duration<double>(step) / std::chrono::duration<double>(kHour);
    for (const Duration end = now + hours * kHour; now < end; now += step)
        reputation.saw({.delivered = an_hour.delivered * part,
                        .unknown = an_hour.unknown * part,
                        .pushed = an_hour.pushed * part,
                        .complaints = an_hour.complaints * part},
                       now);
    return now;
}

TEST(Reputation, NobodyKnowsANewSender)
{
    const ReputationRules by = rules();
    Reputation reputation{by, 0h};
    const Standing standing = reputation.standing(0h);
    EXPECT_EQ(standing.grade, Grade::medium);
    EXPECT_EQ(standing.allowed, 1);
    EXPECT_EQ(standing.room, 500);
    EXPECT_FALSE(standing.connections.has_value());
    EXPECT_FALSE(standing.blocked);
    reputation.standing(100 * kDay);
    EXPECT_NEAR(reputation.score(), by.start, 1e-9);
}

TEST(Reputation, GoodMailRaisesItInDays)
{
    const ReputationRules by = rules();
    Reputation reputation{by, 0h};
    spend(reputation, 0h, 3 * 24, {.delivered = 100});
    EXPECT_EQ(reputation.standing(3 * kDay).grade, Grade::medium);
    spend(reputation, 3 * kDay, 18 * 24, {.delivered = 100});
    EXPECT_EQ(reputation.standing(21 * kDay).grade, Grade::high);
    EXPECT_EQ(reputation.standing(21 * kDay).allowed, 4);
}

struct BadConduct {
    const char* name;
    Conduct an_hour;
};
class BadConductTest : public testing::TestWithParam<BadConduct> {};

TEST_P(BadConductTest, BringsItDownWithinADay)
{
    const ReputationRules by = rules();
    Reputation reputation{by, 0h};
    spend(reputation, 0h, 24, GetParam().an_hour);
    const Standing standing = reputation.standing(kDay);
    EXPECT_LT(standing.grade, Grade::medium) << reputation.score();
    EXPECT_LT(standing.allowed, 0.5);
    EXPECT_LT(reputation.allowed_today(), reputation.total().delivered);
}

constexpr BadConduct kBadConduct[] = {{"UnknownUsers", {.delivered = 100, .unknown = 15}},
                                      {"Complaints", {.delivered = 100, .complaints = 1}},
                                      {"Pushing", {.delivered = 100, .pushed = 300}}};
INSTANTIATE_TEST_SUITE_P(Measures, BadConductTest, testing::ValuesIn(kBadConduct),
                         [](const auto& row) { return std::string{row.param.name}; });

// What is tolerated costs nothing, and a few mails say nothing about a sender.
TEST(Reputation, SmallSharesAndSmallNumbersCostNothing)
{
    const ReputationRules by = rules();
    Reputation clean{by, 0h};
    Reputation tolerated{by, 0h};
    Reputation few{by, 0h};
    Reputation nothing{by, 0h};
    spend(clean, 0h, 48, {.delivered = 103});
    spend(tolerated, 0h, 48, {.delivered = 100, .unknown = 3, .complaints = 0.1});
    few.saw({.delivered = 9, .unknown = 1, .complaints = 1}, 0h);
    nothing.saw({.delivered = 10}, 0h);
    EXPECT_NEAR(tolerated.score(), clean.score(), 0.1);
    few.standing(kDay);
    nothing.standing(kDay);
    EXPECT_NEAR(few.score(), nothing.score(), 0.1);
}

TEST(Reputation, ADayHasRoomForWhatHistorySupports)
{
    const ReputationRules by = rules();
    Reputation reputation{by, 0h};
    reputation.saw({.delivered = 500}, 1h);
    EXPECT_EQ(reputation.standing(2h).room, 0);
    EXPECT_EQ(reputation.standing(kDay).room, 1000); // twice the best recent day
    reputation.saw({.delivered = 1000}, kDay);
    EXPECT_EQ(reputation.standing(kDay + 23h).room, 0);
    EXPECT_EQ(reputation.standing(2 * kDay).room, 2000);
    EXPECT_EQ(reputation.standing(16 * kDay).room, 2000 * (1 - 14.0 / 30)); // which fades
    EXPECT_EQ(reputation.standing(40 * kDay).room, 500);
}

TEST(Reputation, PushingInEarnestIsThrottledAndAFewRefusalsAreNot)
{
    const ReputationRules by = rules();
    Reputation reputation{by, 0h};
    reputation.saw({.delivered = 200, .pushed = 10}, 1min);
    EXPECT_EQ(reputation.standing(1min).allowed, 1);
    reputation.saw({.pushed = 100}, 2min);
    const Standing standing = reputation.standing(2min);
    EXPECT_EQ(standing.allowed, by.throttle.floor);
    EXPECT_EQ(standing.connections, 1U);
    EXPECT_EQ(reputation.throttles(), 1U);
}

// Google's procedure: stop for 10 minutes, then one connection, and one more after each message that is taken.
TEST(Reputation, AThrottleLetsGoOfWhoStopsAndComesBackSlowly)
{
    const ReputationRules by = rules();
    Reputation reputation{by, 0h};
    reputation.saw({.pushed = 100}, 0h);
    EXPECT_EQ(reputation.standing(10min).allowed, by.throttle.floor);
    EXPECT_EQ(reputation.standing(10min).connections, 1U);
    reputation.saw({.delivered = 3}, 11min);
    EXPECT_EQ(reputation.standing(11min).connections, 4U);
    EXPECT_NEAR(reputation.standing(40min).allowed, 0.525, 1e-9); // half of the ramp
    EXPECT_EQ(reputation.standing(70min).allowed, 1);
    EXPECT_FALSE(reputation.standing(70min).connections.has_value());
    EXPECT_EQ(reputation.throttles(), 1U);
}

TEST(Reputation, AThrottleStaysWhileSomebodyGoesOn)
{
    const ReputationRules by = rules();
    Reputation reputation{by, 0h};
    for (Duration now = 0h; now < 3h; now += 1min) {
        const double taken = 200 * reputation.standing(now).allowed;
        reputation.saw({.delivered = taken, .pushed = 300 - taken}, now);
    }
    EXPECT_GT(reputation.standing(3h).allowed, 0);
    EXPECT_LE(reputation.standing(3h).allowed, by.throttle.floor);
    EXPECT_GT(reputation.throttles(), 10U);
}

// Until it is blocked, and the time of the first hour at which it was.
Duration ruin(Reputation& reputation)
{
    Duration now = 0h;
    while (!reputation.standing(now).blocked && now < 10 * kDay)
        now = spend(reputation, now, 1, {.delivered = 100, .unknown = 20, .complaints = 2});
    return now;
}

TEST(Reputation, ABlockEndsForWhoStaysAway)
{
    const ReputationRules by = rules();
    Reputation reputation{by, 0h};
    const Duration blocked = ruin(reputation);
    EXPECT_LT(blocked, 2 * kDay);
    EXPECT_EQ(reputation.blocks(), 1U);
    spend(reputation, blocked, 20, {.pushed = 1}); // a probe an hour does no harm
    const Standing after = reputation.standing(blocked + 24h);
    EXPECT_FALSE(after.blocked);
    EXPECT_EQ(after.grade, Grade::low);
    EXPECT_EQ(after.allowed, 0.2);
    spend(reputation, blocked + 24h, 12 * 24, {.delivered = 4});
    EXPECT_GE(reputation.standing(blocked + 13 * kDay).grade, Grade::medium);
}

TEST(Reputation, ABlockGoesOnForWhoKnocks)
{
    const ReputationRules by = rules();
    Reputation reputation{by, 0h};
    const Duration blocked = ruin(reputation);
    const Duration then = spend(reputation, blocked, 60, {.pushed = 2});
    EXPECT_TRUE(reputation.standing(then).blocked);
    EXPECT_GE(reputation.blocks(), 3U);
}

TEST(Reputation, AHostileProviderAllowsLessForItsDays)
{
    ReputationRules by = rules();
    by.treatment[static_cast<std::size_t>(Grade::high)] = {};
    by.hostile = ReputationRules::Hostile{.from_day = 8, .days = 3, .factor = 0.25};
    Reputation reputation{by, 0h};
    spend(reputation, 0h, 7 * 24 - 1, {.delivered = 100});
    EXPECT_EQ(reputation.standing(7 * kDay - 1s).allowed, 1);
    EXPECT_EQ(reputation.standing(7 * kDay).allowed, 0.25);                       // the eighth day
    EXPECT_NEAR(reputation.allowed_today(), 2 * 2400 * (1 - 1.0 / 30) * 0.25, 1); // the last but one was the best
    EXPECT_EQ(reputation.standing(10 * kDay - 1s).allowed, 0.25);
    EXPECT_EQ(reputation.standing(10 * kDay).allowed, 1);
    by.hostile->days = 0;
    EXPECT_EQ(reputation.standing(400 * kDay).allowed, 0.25);
}

// A forecast that goes by the hour and a sink that goes by the message come to the same.
TEST(Reputation, StepsOfAnySizeComeToNearlyTheSame)
{
    const ReputationRules by = rules();
    const Conduct an_hour{.delivered = 100, .unknown = 12, .complaints = 0.2};
    Reputation coarse{by, 0h};
    Reputation fine{by, 0h};
    spend(coarse, 0h, 24, an_hour);
    spend(fine, 0h, 24, an_hour, 1min);
    coarse.standing(kDay);
    fine.standing(kDay);
    EXPECT_LT(coarse.score(), 55);
    EXPECT_NEAR(coarse.score(), fine.score(), 2);
    EXPECT_NEAR(coarse.sent_today(), 0, 1e-9);
    EXPECT_NEAR(coarse.allowed_today(), fine.allowed_today(), 1);
}

TEST(Reputation, TimeThatComesLateChangesNothing)
{
    const ReputationRules by = rules();
    Reputation reputation{by, 0h};
    reputation.saw({.delivered = 10}, 2 * kDay);
    const double score = reputation.score();
    reputation.saw({.delivered = 1}, kDay);
    EXPECT_EQ(reputation.score(), score);
    EXPECT_EQ(reputation.sent_today(), 11);
}

} // namespace
} // namespace penguin::bench
