#include "engine/policy/holds.h"
#include "engine/policy/site_backoff.h"

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
    at.site_backoff_until = kNow + 30s;
    EXPECT_EQ(hold_on(at), (Hold{Limit::site_backoff, Scope::site, kNow + 30s}));
    at.has_source = false;
    EXPECT_EQ(hold_on(at), (Hold{Limit::no_source, Scope::pool, std::nullopt}));
    at.not_before = kNow + 1s;
    EXPECT_EQ(hold_on(at), (Hold{Limit::not_before, Scope::message, kNow + 1s}));
    at.tenant_suspended = true;
    EXPECT_EQ(hold_on(at), (Hold{Limit::suspended, Scope::tenant, std::nullopt}));
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
    at.site_backoff_until = kNow;
    EXPECT_EQ(hold_on(at), std::nullopt);
}

TEST(Holds, NamesAreDistinct)
{
    EXPECT_EQ(name_of(Limit::site_backoff), "site_backoff");
    EXPECT_EQ(name_of(Scope::pool), "pool");
}

TEST(SiteBackoff, PausesDoubleUpToTheirMostAndOneProbeGoesOut)
{
    const BackoffSchedule schedule{.first = 30s, .most = 100s};
    SiteBackoff site;
    EXPECT_TRUE(site.admits(kNow));
    site.failed(schedule, kNow);
    EXPECT_EQ(site.until(), kNow + 30s);
    EXPECT_FALSE(site.admits(kNow + 29s));
    EXPECT_TRUE(site.admits(kNow + 30s));
    EXPECT_FALSE(site.admits(kNow + 31s)) << "the probe is still out";
    site.failed(schedule, kNow + 31s);
    EXPECT_EQ(site.until(), kNow + 91s);
    site.failed(schedule, kNow + 91s);
    EXPECT_EQ(site.until(), kNow + 191s);
    site.connected();
    EXPECT_FALSE(site.open());
    EXPECT_TRUE(site.admits(kNow));
    EXPECT_TRUE(site.admits(kNow));
}

TEST(SiteBackoff, AnAbandonedProbeLetsTheNextOneGo)
{
    SiteBackoff site;
    site.failed({}, kNow);
    EXPECT_TRUE(site.admits(kNow + 1h));
    site.probe_abandoned();
    EXPECT_TRUE(site.admits(kNow + 1h));
}

} // namespace
} // namespace penguin::policy
