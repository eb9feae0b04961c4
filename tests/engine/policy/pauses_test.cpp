#include "engine/policy/pauses.h"

#include <gtest/gtest.h>

namespace penguin::policy {
namespace {

using namespace std::chrono_literals;

const WallTime kNow = from_unix_ms(1'795'494'547'000);
const smtp::Reply kReply = smtp::Reply::make(421, {"4.7.28 Too much for <ann@b.example>"});

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
        EXPECT_EQ(pauses.react(rule_of({pause_of(one.scope)}), subject(), kReply, kNow).due.size(), 1U);
        const std::optional<Pause> held = pauses.on(subject(), kNow + 1min);
        ASSERT_TRUE(held) << name_of(one.scope);
        EXPECT_EQ(held->scope, one.scope);
        EXPECT_EQ(held->until, kNow + 10min);
        EXPECT_EQ(held->since, kNow);
        EXPECT_EQ(held->rule, "r");
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
    pauses.react(rule_of({pause_of(PauseScope::lane, 1h), pause_of(PauseScope::source, 2h)}), subject(), kReply, kNow);
    EXPECT_EQ(pauses.on(subject(), kNow)->scope, PauseScope::source);
    ReplyRule later = rule_of({pause_of(PauseScope::source, 1min)});
    later.id = "later";
    pauses.react(later, subject(), kReply, kNow + 1min);
    EXPECT_EQ(pauses.on(subject(), kNow + 1min)->until, kNow + 2h);
    EXPECT_EQ(pauses.on(subject(), kNow + 1min)->rule, "r");
    later.reactions = {pause_of(PauseScope::source, 3h)};
    pauses.react(later, subject(), kReply, kNow + 1h);
    EXPECT_EQ(pauses.on(subject(), kNow + 1h)->until, kNow + 4h);
    EXPECT_EQ(pauses.on(subject(), kNow + 1h)->rule, "later");
    EXPECT_EQ(pauses.on(subject(), kNow + 1h)->since, kNow) << "it has been held all the while";
}

TEST(Pauses, WithoutALengthTheyEndAfterADay)
{
    Pauses pauses;
    pauses.react(rule_of({pause_of(PauseScope::dkim_domain, std::nullopt)}), subject(), kReply, kNow);
    EXPECT_EQ(pauses.on(subject(), kNow)->until, kNow + kOpenPause);
}

TEST(Pauses, AThresholdWantsSoManyWithinItsSpan)
{
    Reaction third = pause_of(PauseScope::lane);
    third.trigger = Trigger{3, 1h};
    const ReplyRule rule = rule_of({third});
    Pauses pauses;
    EXPECT_TRUE(pauses.react(rule, subject(), kReply, kNow).due.empty());
    EXPECT_TRUE(pauses.react(rule, subject(), kReply, kNow + 59min).due.empty());
    EXPECT_TRUE(pauses.react(rule, subject(), kReply, kNow + 61min).due.empty()) << "the first was too long ago";
    EXPECT_TRUE(pauses.empty());
    EXPECT_TRUE(pauses.react(rule, subject(), kReply, kNow + 62min).due.empty());
    Subject another = subject();
    another.source = "192.0.2.2";
    EXPECT_TRUE(pauses.react(rule, another, kReply, kNow + 62min).due.empty()) << "each lane counts for itself";
    EXPECT_EQ(pauses.react(rule, subject(), kReply, kNow + 63min).due, (std::vector<Reaction>{third}));
    EXPECT_TRUE(pauses.on(subject(), kNow + 64min));
    EXPECT_TRUE(pauses.react(rule, subject(), kReply, kNow + 80min).due.empty()) << "then it counts anew";
}

TEST(Pauses, WhatIsNewIsToldOnce)
{
    Pauses pauses;
    const ReplyRule rule =
        rule_of({pause_of(PauseScope::lane), {.kind = ReactionKind::alert}, {.kind = ReactionKind::force_tls}});
    EXPECT_EQ(pauses.react(rule, subject(), kReply, kNow).due.size(), 2U)
        << "pause and alert; the lane's own are not ours";
    EXPECT_TRUE(pauses.react(rule, subject(), kReply, kNow + 9min).due.empty());
    EXPECT_EQ(pauses.on(subject(), kNow)->until, kNow + 19min) << "and yet it holds longer";
    EXPECT_EQ(pauses.react(rule, subject(), kReply, kNow + 30min).due.size(), 1U) << "the pause";
    EXPECT_EQ(pauses.react(rule, subject(), kReply, kNow + 61min).due.size(), 2U);
}

TEST(Pauses, AMessageWithoutACampaignHasNoneToPause)
{
    Pauses pauses;
    Subject alone = subject();
    alone.campaign = "";
    pauses.react(rule_of({pause_of(PauseScope::campaign)}), alone, kReply, kNow);
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
        pauses.react(rule, one, kReply, kNow);
    }
    EXPECT_EQ(pauses.size(), kPausesMax);
    pauses.react(rule, subject(), kReply, kNow + 10min);
    EXPECT_EQ(pauses.size(), 1U) << "what has run out makes room";
}

// What one node tells, another one holds to.
class SharedPauses : public testing::Test {
protected:
    Pause told(std::chrono::seconds length = 1h, WallTime at = kNow)
    {
        const Reacted reacted = here_.react(rule_of({pause_of(PauseScope::lane, length)}), subject(), kReply, at);
        return reacted.to_share.empty() ? Pause{} : reacted.to_share.front();
    }
    bool held(const Pauses& pauses, WallTime at) { return pauses.on(subject(), at).has_value(); }

    Pauses here_, there_;
};

TEST_F(SharedPauses, SayWhatTheyAreAboutAndWhy)
{
    const Pause pause = told();
    EXPECT_EQ(pause, (Pause{.scope = PauseScope::lane,
                            .subject = "192.0.2.1",
                            .place = "mx.acme.example",
                            .until = kNow + 1h,
                            .since = kNow,
                            .rule = "r",
                            .reply = "421 4.7.28 too much for <{address}>"}));
}

TEST_F(SharedPauses, HoldOnEveryNode)
{
    EXPECT_TRUE(there_.learn({{told(), std::nullopt}}, kNow + 1s));
    EXPECT_TRUE(held(there_, kNow + 2s));
    EXPECT_EQ(there_.on(subject(), kNow)->since, kNow);
    EXPECT_FALSE(there_.learn({{*there_.on(subject(), kNow), std::nullopt}}, kNow + 3s)) << "nothing new";
    EXPECT_FALSE(held(there_, kNow + 1h));
}

TEST_F(SharedPauses, AreToldAgainOnlyWhenTheyGrow)
{
    told();
    EXPECT_EQ(told(1h, kNow + 10s), Pause{}) << "by seconds: not worth a word";
    const Pause longer = told(3h, kNow + 20s);
    EXPECT_EQ(longer.until, kNow + 3h + 20s);
    EXPECT_EQ(longer.since, kNow);
    EXPECT_FALSE(there_.learn({{longer, std::nullopt}, {told(1h, kNow + 30s), std::nullopt}}, kNow + 4h)) << "over";
}

TEST_F(SharedPauses, ThatArePastOrUnknownChangeNothing)
{
    Pause empty;
    EXPECT_FALSE(there_.learn({{told(), std::nullopt}, {empty, std::nullopt}}, kNow + 1h));
    EXPECT_TRUE(there_.empty());
}

TEST_F(SharedPauses, OneThatAPersonResumedEndsHereToo)
{
    SharedPause pause{told(), std::nullopt};
    there_.learn({pause}, kNow);
    pause.resumed = kNow + 1min;
    for (Pauses* node : {&here_, &there_}) {
        EXPECT_FALSE(node->learn({pause}, kNow + 1min));
        EXPECT_FALSE(held(*node, kNow + 1min));
    }
    EXPECT_TRUE(told(1h, kNow + 2min).since == kNow + 2min) << "the next refusal makes it anew";
    here_.learn({pause}, kNow + 3min);
    EXPECT_TRUE(held(here_, kNow + 3min)) << "it was resumed before that";
}

TEST_F(SharedPauses, ALongerOneOfAnotherNodeCounts)
{
    const Pause pause = told();
    Pause longer = pause;
    longer.until = kNow + 2h;
    EXPECT_FALSE(here_.learn({{longer, std::nullopt}}, kNow + 1s)) << "it was held already";
    EXPECT_TRUE(held(here_, kNow + 90min));
    here_.learn({{pause, std::nullopt}}, kNow + 2s);
    EXPECT_TRUE(held(here_, kNow + 90min)) << "never shorter";
}

TEST_F(SharedPauses, FindNoRoomOverTheBound)
{
    std::vector<SharedPause> all;
    for (std::size_t i = 0; i < kPausesMax + 5; ++i) {
        all.push_back({Pause{.scope = PauseScope::recipient_domain,
                             .subject = "d" + std::to_string(i),
                             .until = kNow + 1h,
                             .since = kNow,
                             .rule = "r"},
                       std::nullopt});
    }
    there_.learn(all, kNow);
    EXPECT_EQ(there_.size(), kPausesMax);
}

} // namespace
} // namespace penguin::policy
