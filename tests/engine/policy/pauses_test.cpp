#include "engine/policy/pauses.h"

#include <gtest/gtest.h>

namespace penguin::policy {
namespace {

using namespace std::chrono_literals;

const WallTime kNow = from_unix_ms(1'795'494'547'000);

Subject subject()
{
    return {.provider = "acme",
            .site = "mx.acme.example",
            .source = "192.0.2.1",
            .netblock = "192.0.2.0/24",
            .recipient_domain = "b.example",
            .sender_domain = "a.example",
            .campaign = "c1"};
}

ReplyRule rule_of(std::vector<Reaction> reactions) { return {.id = "r", .reactions = std::move(reactions)}; }

Reaction pause_of(PauseScope scope, std::optional<std::chrono::seconds> length = 10min)
{
    return {.kind = ReactionKind::pause, .scope = scope, .length = length};
}

struct ScopeCase {
    PauseScope scope;
    void (*change)(Subject&); // makes it another one of this scope
    void (*other)(Subject&);  // leaves it the same
};

const ScopeCase kScopes[] = {
    {PauseScope::recipient_domain, [](Subject& s) { s.recipient_domain = "x"; }, [](Subject& s) { s.source = "x"; }},
    {PauseScope::campaign, [](Subject& s) { s.campaign = "c2"; }, [](Subject& s) { s.sender_domain = "x"; }},
    {PauseScope::campaign, [](Subject& s) { s.provider = "x"; }, [](Subject& s) { s.source = "x"; }},
    {PauseScope::dkim_domain, [](Subject& s) { s.provider = "x"; }, [](Subject& s) { s.source = "x"; }},
    {PauseScope::dkim_domain, [](Subject& s) { s.sender_domain = "x"; }, [](Subject& s) { s.site = "x"; }},
    {PauseScope::lane, [](Subject& s) { s.site = "x"; }, [](Subject& s) { s.campaign = "x"; }},
    {PauseScope::lane, [](Subject& s) { s.source = "x"; }, [](Subject& s) { s.sender_domain = "x"; }},
    {PauseScope::source_at_provider, [](Subject& s) { s.provider = "x"; }, [](Subject& s) { s.site = "x"; }},
    {PauseScope::netblock, [](Subject& s) { s.netblock = "x"; }, [](Subject& s) { s.source = "x"; }},
    {PauseScope::source, [](Subject& s) { s.source = "x"; }, [](Subject& s) { s.provider = "x"; }},
};

TEST(Pauses, HoldWhatTheirScopeNamesAndNothingElse)
{
    for (const ScopeCase& one : kScopes) {
        Pauses pauses;
        EXPECT_TRUE(pauses.empty());
        EXPECT_EQ(pauses.react(rule_of({pause_of(one.scope)}), subject(), kNow).size(), 1U);
        const Pause expected{.scope = one.scope, .until = kNow + 10min, .since = kNow, .rule = "r"};
        EXPECT_EQ(pauses.on(subject(), kNow + 1min), expected) << name_of(one.scope);
        Subject same = subject();
        one.other(same);
        EXPECT_TRUE(pauses.on(same, kNow)) << name_of(one.scope);
        Subject another = subject();
        one.change(another);
        EXPECT_FALSE(pauses.on(another, kNow)) << name_of(one.scope);
        EXPECT_FALSE(pauses.on(subject(), kNow + 10min)) << name_of(one.scope);
        pauses.tidy(kNow + 10min);
        EXPECT_TRUE(pauses.empty());
    }
}

TEST(Pauses, TheLongestHoldsAndNoneIsCutShort)
{
    Pauses pauses;
    pauses.react(rule_of({pause_of(PauseScope::lane, 1h), pause_of(PauseScope::source, 2h)}), subject(), kNow);
    EXPECT_EQ(pauses.on(subject(), kNow)->scope, PauseScope::source);
    ReplyRule later = rule_of({pause_of(PauseScope::source, 1min)});
    later.id = "later";
    pauses.react(later, subject(), kNow + 1min);
    EXPECT_EQ(pauses.on(subject(), kNow + 1min)->until, kNow + 2h);
    EXPECT_EQ(pauses.on(subject(), kNow + 1min)->rule, "r");
    later.reactions = {pause_of(PauseScope::source, 3h)};
    pauses.react(later, subject(), kNow + 1h);
    EXPECT_EQ(pauses.on(subject(), kNow + 1h)->until, kNow + 4h);
    EXPECT_EQ(pauses.on(subject(), kNow + 1h)->rule, "later");
    EXPECT_EQ(pauses.on(subject(), kNow + 1h)->since, kNow) << "it has been held all the while";
}

TEST(Pauses, WithoutALengthTheyEndAfterADay)
{
    Pauses pauses;
    pauses.react(rule_of({pause_of(PauseScope::dkim_domain, std::nullopt)}), subject(), kNow);
    EXPECT_EQ(pauses.on(subject(), kNow)->until, kNow + kOpenPause);
}

TEST(Pauses, AThresholdWantsSoManyWithinItsSpan)
{
    Reaction third = pause_of(PauseScope::lane);
    third.trigger = Trigger{3, 1h};
    const ReplyRule rule = rule_of({third});
    Pauses pauses;
    EXPECT_TRUE(pauses.react(rule, subject(), kNow).empty());
    EXPECT_TRUE(pauses.react(rule, subject(), kNow + 59min).empty());
    EXPECT_TRUE(pauses.react(rule, subject(), kNow + 61min).empty()) << "the first was too long ago";
    EXPECT_TRUE(pauses.empty());
    EXPECT_TRUE(pauses.react(rule, subject(), kNow + 62min).empty());
    Subject another = subject();
    another.source = "192.0.2.2";
    EXPECT_TRUE(pauses.react(rule, another, kNow + 62min).empty()) << "each lane counts for itself";
    EXPECT_EQ(pauses.react(rule, subject(), kNow + 63min), (std::vector<Reaction>{third}));
    EXPECT_TRUE(pauses.on(subject(), kNow + 64min));
    EXPECT_TRUE(pauses.react(rule, subject(), kNow + 80min).empty()) << "then it counts anew";
}

TEST(Pauses, WhatIsNewIsToldOnce)
{
    Pauses pauses;
    const ReplyRule rule =
        rule_of({pause_of(PauseScope::lane), {.kind = ReactionKind::alert}, {.kind = ReactionKind::force_tls}});
    EXPECT_EQ(pauses.react(rule, subject(), kNow).size(), 2U) << "pause and alert; the lane's own are not ours";
    EXPECT_TRUE(pauses.react(rule, subject(), kNow + 9min).empty());
    EXPECT_EQ(pauses.on(subject(), kNow)->until, kNow + 19min) << "and yet it holds longer";
    EXPECT_EQ(pauses.react(rule, subject(), kNow + 30min).size(), 1U) << "the pause";
    EXPECT_EQ(pauses.react(rule, subject(), kNow + 61min).size(), 2U);
}

TEST(Pauses, AMessageWithoutACampaignHasNoneToPause)
{
    Pauses pauses;
    Subject alone = subject();
    alone.campaign = "";
    pauses.react(rule_of({pause_of(PauseScope::campaign)}), alone, kNow);
    EXPECT_TRUE(pauses.empty());
    EXPECT_FALSE(pauses.on(alone, kNow));
}

TEST(Pauses, AreBounded)
{
    Pauses pauses;
    Reaction second = pause_of(PauseScope::recipient_domain);
    second.trigger = Trigger{2, 1h};
    const ReplyRule rule = rule_of({pause_of(PauseScope::recipient_domain), second});
    for (std::size_t i = 0; i < kPausesMax + 100; ++i) {
        const std::string domain = "d" + std::to_string(i);
        Subject one = subject();
        one.recipient_domain = domain;
        pauses.react(rule, one, kNow);
    }
    EXPECT_EQ(pauses.size(), kPausesMax);
    pauses.react(rule, subject(), kNow + 10min);
    EXPECT_EQ(pauses.size(), 1U) << "what has run out makes room";
}

} // namespace
} // namespace penguin::policy
