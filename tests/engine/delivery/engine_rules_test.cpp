// What replies of providers lead to in the engine: rules, pauses, smaller lanes, TLS alone.
#include "tests/engine/delivery/engine_fixture.h"

namespace penguin::test {
namespace {

using queue::EventKind;
using EngineRulesTest = EngineTest;

TEST_F(EngineRulesTest, RepliesAreReadByTheRulesOfTheirProvider)
{
    sink(11, {"phase=rcpt code=550 text=\"5.1.1 code 7\" match=r0@one.test.example"});
    sink(12, {"phase=rcpt code=550 text=\"5.1.1 code 7\""});
    settings_.rules = policy::rules_over_shipped(R"(
[[provider]]
name = "acme"
mx = "mx-one.test.example"
[[rule]]
id = "acme-7"
provider = "acme"
says = 'code 7'
class = "recipient_rate"
kind = "retry"
wait = "1h"
)",
                                                 "own.toml")
                          .value();
    start_engine();
    enqueue(1, {"r0@one.test.example", "r1@one.test.example", "r0@two.test.example"});
    ASSERT_TRUE(until([&] { return events().size() == 3; }));
    const queue::Event deferred = only(EventKind::deferred);
    EXPECT_EQ(deferred.recipient, "r0@one.test.example");
    EXPECT_EQ(deferred.rule, "acme-7");
    EXPECT_EQ(deferred.klass, "recipient_rate");
    EXPECT_GE(*deferred.next - deferred.at, std::chrono::minutes{59});
    const queue::Event bounced = only(EventKind::bounced);
    EXPECT_EQ(bounced.recipient, "r0@two.test.example") << "the rule is the other provider's";
    EXPECT_EQ(bounced.rule, "permanent-reply");
}

TEST_F(EngineRulesTest, APauseOfARuleStopsWhatItsScopeNamesAndNothingElse)
{
    bench::Sink& one = sink(11, {"phase=rcpt code=421 text=\"4.7.28 code 7\" match=r0@one.test.example"});
    sink(12);
    react_to_code_7("do = 'pause', scope = 'recipient_domain', for = '1h'");
    start_engine();
    enqueue(1, {"r0@one.test.example"});
    ASSERT_TRUE(until([&] { return count(EventKind::deferred) == 1; }));
    EXPECT_EQ(only(EventKind::deferred).rule, "stop");
    enqueue(2, {"r1@one.test.example"});
    enqueue(3, {"r1@same.test.example", "r1@two.test.example"});
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 2 && producer_.summary().due == 2; })) << told();
    EXPECT_EQ(one.counts().messages, 1U) << "of the same site, another domain";
    EXPECT_EQ(
        metrics.counter("penguin_delivery_reactions_total", "", {{"rule", "stop"}, {"reaction", "pause"}}).value(), 1U);
}

TEST_F(EngineRulesTest, WhatIsPausedIsToldToAllNodes)
{
    sink(11, {"phase=rcpt code=421 text=\"4.7.28 code 7 of r0@one.test.example\""});
    react_to_code_7("do = 'pause', scope = 'recipient_domain', for = '1h'");
    start_engine();
    enqueue(1, {"r0@one.test.example"});
    ASSERT_TRUE(until([&] { return shared().size() == 1; }));
    const policy::Pause pause = shared().front();
    EXPECT_EQ(pause.scope, policy::PauseScope::recipient_domain);
    EXPECT_EQ(pause.subject, "one.test.example");
    EXPECT_EQ(pause.rule, "stop");
    EXPECT_EQ(pause.reply, "421 4.7.28 code 7 of {address}");
    EXPECT_EQ(pause.until - pause.since, std::chrono::hours{1});
}

TEST_F(EngineRulesTest, APauseOfAnotherNodeHoldsUntilAPersonResumesIt)
{
    sink(11);
    sink(12);
    const WallTime now = wall_now();
    policy::SharedPause pause{.pause = {.scope = policy::PauseScope::recipient_domain,
                                        .subject = "one.test.example",
                                        .until = now + std::chrono::hours{1},
                                        .since = now,
                                        .rule = "stop"}};
    const auto know = [&] {
        settings_.pauses = std::make_shared<const std::vector<policy::SharedPause>>(std::vector{pause});
    };
    know();
    start_engine();
    enqueue(1, {"r0@one.test.example", "r0@two.test.example"});
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 1 && producer_.summary().due == 1; })) << told();
    EXPECT_EQ(only(EventKind::delivered).recipient, "r0@two.test.example");
    pause.resumed = now;
    know();
    engine_->apply(std::make_shared<const delivery::Settings>(settings_));
    enqueue(2, {"r1@one.test.example"});
    EXPECT_TRUE(until([&] { return count(EventKind::delivered) == 2; })) << told();
}

// Each refusal takes a second, and the lane has four messages: the second one has begun when the dispatcher hears of the first.
TEST_F(EngineRulesTest, WhatALaneHoldsComesBackUnsentWhenItIsPaused)
{
    sink(11, {"phase=rcpt code=421 text=\"4.7.28 code 7\" delay-ms=1000"});
    react_to_code_7("do = 'pause', scope = 'lane', for = '1h'");
    settings_.limits.connections = 1;
    start_engine();
    enqueue(1, addresses("one.test.example", 50));
    ASSERT_TRUE(until([&] { return producer_.summary().due == 50; })) << told();
    EXPECT_LT(count(EventKind::deferred), 4U);
    EXPECT_EQ(count(EventKind::delivered), 0U);
}

TEST_F(EngineRulesTest, ALaneGoesOnWithOneConnectionWhenAReplyAsksForIt)
{
    bench::Sink& one = sink(11, {"phase=rcpt code=450 text=\"4.7.28 code 7\" match=r0@same.test.example",
                                 "phase=body code=250 delay-ms=20 text=taken"});
    react_to_code_7("do = 'one_connection', for = '1h'");
    start_engine();
    enqueue(1, {"r0@same.test.example"});
    ASSERT_TRUE(until([&] { return count(EventKind::deferred) >= 1; }));
    enqueue(2, addresses("one.test.example", 60));
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 60; }));
    EXPECT_LT(one.counts().connections, 5U) << "ten without it";
}

TEST_F(EngineRulesTest, ALaneReconnectsAfterSoManyMessagesWhenAReplyAsksForIt)
{
    bench::Sink& one = sink(11, {"phase=rcpt code=450 text=\"4.7.28 code 7\" match=r0@same.test.example"});
    react_to_code_7("do = 'reconnect', messages = 2, for = '1h'");
    start_engine();
    enqueue(1, {"r0@same.test.example"});
    ASSERT_TRUE(until([&] { return count(EventKind::deferred) >= 1; }));
    enqueue(2, addresses("one.test.example", 60));
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 60; }));
    EXPECT_GE(one.counts().connections, 30U);
}

// Twenty in two seconds: without a rate each second of a ladder brings back all that was refused, and more is refused.
TEST_F(EngineRulesTest, ALaneThatSendsTooMuchStandsStillAndThenKeepsToWhatItsSiteTakes)
{
    bench::Sink& one =
        sink(11, {}, "name = 'slow'\n[limits.message-rate]\nmax = 20\nper-s = 2\nreply = '421 4.7.28 code 7'\n");
    settings_.rules =
        policy::rules_over_shipped("[[rule]]\nid = 'much'\nsays = 'code 7'\nclass = 'rate_limited'\n", "own.toml")
            .value();
    start_engine();
    enqueue(1, addresses("one.test.example", 60));
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 60; })) << told();
    EXPECT_EQ(one.counts().messages, 60U);
    EXPECT_EQ(metrics.counter("penguin_delivery_rate_steps_total", "", {{"way", "down"}}).value(), 1U)
        << "one decrease a minute";
    EXPECT_GE(metrics.counter("penguin_delivery_rate_refusals_total", "").value(), 1U);
    EXPECT_LE(count(EventKind::deferred), 20U) << "what ten connections had under way, once or twice";
}

// The refusal is about the sender's domain: its rule pauses that, and the lane goes on for others.
TEST_F(EngineRulesTest, ARefusalThatARuleBlamesOnSomethingElseLeavesTheLaneAlone)
{
    sink(11, {"phase=rcpt code=421 text=\"4.7.28 code 7\" match=r0@one.test.example"});
    react_to_code_7("do = 'pause', scope = 'recipient_domain', for = '1h'");
    start_engine();
    enqueue(1, {"r0@one.test.example"});
    ASSERT_TRUE(until([&] { return count(EventKind::deferred) == 1; }));
    enqueue(2, addresses("same.test.example", 20));
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 20; })) << told();
    EXPECT_EQ(metrics.counter("penguin_delivery_rate_refusals_total", "").value(), 0U);
}

TEST_F(EngineRulesTest, AProviderThatDemandsTlsGetsNothingInClear)
{
    bench::Sink& one = sink(11, {"phase=starttls code=454 text=\"not now\""});
    bench::Sink& two = sink(12, {"phase=starttls code=454 text=\"not now\""});
    settings_.rules = policy::rules_over_shipped(
                          "[[provider]]\nname = 'acme'\nmx = 'mx-one.test.example'\ntls_required = true\n", "own.toml")
                          .value();
    start_engine();
    enqueue(1, {"r@one.test.example", "r@two.test.example"});
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 1 && count(EventKind::deferred) >= 1; }));
    EXPECT_EQ(only(EventKind::delivered).recipient, "r@two.test.example");
    EXPECT_FALSE(only(EventKind::delivered).tls);
    EXPECT_EQ(only(EventKind::deferred).klass, "tls_failed");
    EXPECT_EQ(one.counts().messages, 0U);
    EXPECT_EQ(two.counts().messages, 1U);
}

TEST_F(EngineRulesTest, ALaneKeepsToWhatItsProviderTakes)
{
    bench::Sink& narrow = sink(11);
    bench::Sink& wide = sink(12);
    settings_.limits.connections = 1;
    settings_.rules =
        policy::rules_over_shipped(
            "[[provider]]\nname = 'acme'\nmx = 'mx-one.test.example'\nmessages_per_connection = 3\n", "own.toml")
            .value();
    start_engine();
    enqueue(1, addresses("one.test.example", 30));
    enqueue(2, addresses("two.test.example", 30));
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 60; }));
    EXPECT_GE(narrow.counts().connections, 10U);
    EXPECT_LT(wide.counts().connections, 10U) << "nobody's: the settings alone";
}

} // namespace
} // namespace penguin::test
