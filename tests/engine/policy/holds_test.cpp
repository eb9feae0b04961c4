#include "engine/policy/holds.h"
#include "engine/policy/lane_backoff.h"

#include <set>

#include <gtest/gtest.h>

namespace penguin::policy {
namespace {

using namespace std::chrono_literals;

const WallTime kNow = from_unix_ms(1'795'494'547'000);

Situation free_to_go() { return {.now = kNow, .end_of_life = kNow + 1h, .site_in_hand = 3, .site_window = 4}; }

TEST(Holds, NothingHoldsAMessageThatMeetsNoLimit) { EXPECT_EQ(hold_on(free_to_go()), std::nullopt); }

TEST(Holds, EachLimitHoldsWithItsScopeAndTime)
{
    Situation at = free_to_go();
    at.site_in_hand = 4;
    EXPECT_EQ(hold_on(at), (Hold{Limit::site_window, Scope::site, std::nullopt}));
    at.lane_rate_until = kNow + 2s;
    EXPECT_EQ(hold_on(at), (Hold{Limit::lane_rate, Scope::lane, kNow + 2s}));
    at.warmup = WarmupHold{WarmupBound::day, 40, 40, kNow + 5h};
    EXPECT_EQ(hold_on(at), (Hold{Limit::warmup_day, Scope::source_at_provider, kNow + 5h, "", 40, 40}));
    at.lane_backoff_until = kNow + 30s;
    EXPECT_EQ(hold_on(at), (Hold{Limit::lane_backoff, Scope::lane, kNow + 30s}));
    at.pause = Pause{.scope = PauseScope::dkim_domain, .until = kNow + 1h, .since = kNow, .rule = "r"};
    EXPECT_EQ(hold_on(at), (Hold{Limit::paused, Scope::domain, kNow + 1h, "r"}));
    at.has_source = false;
    EXPECT_EQ(hold_on(at), (Hold{Limit::no_source, Scope::pool, std::nullopt}));
    at.window_opens = kNow + 2h;
    EXPECT_EQ(hold_on(at), (Hold{Limit::sending_window, Scope::campaign, kNow + 2h}));
    at.not_before = kNow + 1s;
    EXPECT_EQ(hold_on(at), (Hold{Limit::not_before, Scope::message, kNow + 1s}));
    at.sender_unverified = true;
    EXPECT_EQ(hold_on(at), (Hold{Limit::unverified, Scope::domain, std::nullopt}));
    at.tenant_suspended = true;
    EXPECT_EQ(hold_on(at), (Hold{Limit::suspended, Scope::tenant, std::nullopt}));
    at.campaign_paused = true;
    EXPECT_EQ(hold_on(at), (Hold{Limit::campaign_paused, Scope::campaign, std::nullopt}))
        << "it waits, for nothing else";
    EXPECT_FALSE(hold_on(at)->forever());
    at.campaign_cancelled = true;
    EXPECT_EQ(hold_on(at), (Hold{Limit::cancelled, Scope::campaign, std::nullopt}));
    EXPECT_TRUE(hold_on(at)->forever());
    at.suppressed = true;
    EXPECT_EQ(hold_on(at), (Hold{Limit::suppressed, Scope::recipient, std::nullopt}));
    EXPECT_TRUE(hold_on(at)->forever());
    at.end_of_life = kNow;
    EXPECT_EQ(hold_on(at), (Hold{Limit::expired, Scope::message, std::nullopt}));
    EXPECT_TRUE(hold_on(at)->forever());
}

TEST(Holds, ATimeThatHasComeHoldsNothing)
{
    Situation at = free_to_go();
    at.not_before = kNow;
    at.lane_backoff_until = kNow;
    at.lane_rate_until = kNow;
    at.pause = Pause{.scope = PauseScope::lane, .until = kNow, .since = kNow - 1h, .rule = "r"};
    EXPECT_EQ(hold_on(at), std::nullopt);
}

TEST(Holds, EachBoundOfAWarmUpIsALimitOfItsOwn)
{
    std::set<std::string_view> names;
    for (const WarmupBound bound :
         {WarmupBound::stopped, WarmupBound::hours, WarmupBound::day, WarmupBound::hour, WarmupBound::pace}) {
        Situation at = free_to_go();
        at.warmup = WarmupHold{bound, 1, 2, kNow + 1h};
        EXPECT_TRUE(name_of(hold_on(at)->limit).starts_with("warmup_"));
        names.insert(name_of(hold_on(at)->limit));
    }
    EXPECT_EQ(names.size(), 5U);
}

TEST(Holds, APauseHoldsByTheScopeOfItsName)
{
    for (int i = 0; i < 7; ++i) {
        const auto scope = static_cast<PauseScope>(i);
        Situation at = free_to_go();
        at.pause = Pause{.scope = scope, .until = kNow + 1h, .since = kNow, .rule = "r"};
        EXPECT_EQ(name_of(hold_on(at)->scope), scope == PauseScope::dkim_domain ? "domain" : name_of(scope));
    }
}

TEST(Holds, NamesAreDistinct)
{
    EXPECT_EQ(name_of(Limit::lane_backoff), "lane_backoff");
    EXPECT_EQ(name_of(Limit::lane_rate), "lane_rate");
    EXPECT_EQ(name_of(Limit::paused), "paused");
    EXPECT_EQ(name_of(Limit::campaign_paused), "campaign_paused");
    EXPECT_EQ(name_of(Limit::cancelled), "cancelled");
    EXPECT_EQ(name_of(Limit::sending_window), "sending_window");
    EXPECT_EQ(name_of(Limit::tenant_rate), "tenant_rate");
    EXPECT_EQ(name_of(Limit::tenant_quota), "tenant_quota");
    EXPECT_EQ(name_of(Limit::tenant_uncounted), "tenant_uncounted");
    EXPECT_EQ(name_of(Scope::campaign), "campaign");
    EXPECT_EQ(name_of(Scope::lane), "lane");
    EXPECT_EQ(name_of(Scope::pool), "pool");
}

TEST(LaneBackoff, PausesDoubleUpToTheirMostAndOneProbeGoesOut)
{
    const BackoffSchedule schedule{.first = 30s, .most = 100s};
    LaneBackoff lane;
    EXPECT_TRUE(lane.admits(kNow));
    lane.failed(schedule, kNow);
    EXPECT_EQ(lane.until(), kNow + 30s);
    EXPECT_FALSE(lane.admits(kNow + 29s));
    EXPECT_TRUE(lane.admits(kNow + 30s));
    EXPECT_FALSE(lane.admits(kNow + 31s)) << "the probe is still out";
    lane.failed(schedule, kNow + 31s);
    EXPECT_EQ(lane.until(), kNow + 91s);
    lane.failed(schedule, kNow + 91s);
    EXPECT_EQ(lane.until(), kNow + 191s);
    lane.connected();
    EXPECT_FALSE(lane.open());
    EXPECT_TRUE(lane.admits(kNow));
    EXPECT_TRUE(lane.admits(kNow));
}

TEST(LaneBackoff, AnAbandonedProbeLetsTheNextOneGo)
{
    LaneBackoff lane;
    lane.failed({}, kNow);
    EXPECT_TRUE(lane.admits(kNow + 1h));
    lane.probe_abandoned();
    EXPECT_TRUE(lane.admits(kNow + 1h));
}

TEST(LaneBackoff, IsQuietWhenNobodyTriedForTheLongestPause)
{
    const BackoffSchedule schedule{.first = 30s, .most = 100s};
    LaneBackoff lane;
    EXPECT_TRUE(lane.quiet(schedule, kNow));
    lane.failed(schedule, kNow);
    EXPECT_FALSE(lane.quiet(schedule, kNow + 129s)) << "a probe may come yet";
    EXPECT_TRUE(lane.quiet(schedule, kNow + 130s));
}

} // namespace
} // namespace penguin::policy
