#include "engine/delivery/event_of.h"

#include <gtest/gtest.h>

namespace penguin::delivery {
namespace {

using namespace std::chrono_literals;
using queue::EventKind;

const WallTime kQueued = from_unix_ms(1'795'494'547'000);
const WallTime kNow = kQueued + 1500ms;

JobPtr job()
{
    queue::Entry entry{.id = *MessageId::parse("017f22e2-79b0-7cc3-98c4-dc0c0c07398f.7"),
                       .tenant = TenantId{*Uuid::parse("017f22e2-79b0-7cc3-98c4-dc0c0c073990")},
                       .to = *EmailAddress::parse("ann@to.example"),
                       .content = "c",
                       .attempt = 2,
                       .queued = kQueued};
    auto made = std::make_shared<Job>(nullptr, queue::Claimed{"t1", std::move(entry)});
    dns::Route route{
        .domain = *DomainName::parse("to.example"), .site = SiteName{"mx.to.example"}, .hosts = {}, .expires = {}};
    made->route = std::make_shared<const Result<dns::Route>>(std::move(route));
    made->source =
        SourceSettings{SourceId{}, boost::asio::ip::make_address("192.0.2.1"), *DomainName::parse("out.example"), {}};
    return made;
}

Finished answered(smtp::Phase phase, int code, const char* text)
{
    const smtp::Outcome outcome = smtp::Outcome::answered(phase, smtp::Reply{code, {text}, std::nullopt});
    return {
        .job = job(), .verdict = policy::decide(outcome), .outcome = outcome, .remote = "mx (192.0.2.9)", .tls = true};
}

TEST(EventOf, ADeliveryTellsWhoTookItAndHowLongItTook)
{
    const queue::Settlement settlement = settlement_of(answered(smtp::Phase::body, 250, "ok 42"), {}, kNow, 0.5);
    const queue::Event& event = settlement.event;
    EXPECT_EQ(event.kind, EventKind::delivered);
    EXPECT_EQ(event.id, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f.7:t1:0");
    EXPECT_EQ(event.recipient, "ann@to.example");
    EXPECT_EQ(event.attempt, 3U);
    EXPECT_EQ(event.latency_ms, 1500);
    EXPECT_EQ(event.code, 250);
    EXPECT_EQ(event.reply, "ok 42");
    EXPECT_EQ(event.site, "mx.to.example");
    EXPECT_EQ(event.source, "192.0.2.1");
    EXPECT_EQ(event.remote, "mx (192.0.2.9)");
    EXPECT_TRUE(event.tls);
    EXPECT_FALSE(settlement.retry);
}

TEST(EventOf, ADeferralCarriesTheEntryForItsNextAttempt)
{
    const queue::Settlement settlement = settlement_of(answered(smtp::Phase::rcpt, 450, "later"), {}, kNow, 0.5);
    EXPECT_EQ(settlement.event.kind, EventKind::deferred);
    EXPECT_EQ(settlement.event.klass, "undetermined");
    EXPECT_EQ(settlement.event.next, kNow + 30min) << "third step of the ladder";
    EXPECT_EQ(settlement.retry_at, kNow + 30min);
    ASSERT_TRUE(settlement.retry);
    EXPECT_EQ(settlement.retry->attempt, 3U);
}

TEST(EventOf, ADeferralPastTheEndOfLifeIsExpired)
{
    Finished finished = answered(smtp::Phase::rcpt, 450, "later");
    finished.job->entry.expires = kNow + 1min;
    const queue::Settlement settlement = settlement_of(finished, {}, kNow, 0.5);
    EXPECT_EQ(settlement.event.kind, EventKind::expired);
    EXPECT_EQ(settlement.event.reply, "later") << "the last reply says why";
    EXPECT_FALSE(settlement.retry);
}

TEST(EventOf, ARuleCanGiveAMessageLessTimeThanItHas)
{
    Finished finished = answered(smtp::Phase::rcpt, 450, "later");
    finished.verdict.life = 31min;
    EXPECT_EQ(settlement_of(finished, {}, kNow, 0.5).event.kind, EventKind::deferred);
    finished.verdict.life = 30min;
    EXPECT_EQ(settlement_of(finished, {}, kNow, 0.5).event.kind, EventKind::expired);
    finished.verdict.life = 31min;
    finished.job->entry.expires = kNow + 1min;
    EXPECT_EQ(settlement_of(finished, {}, kNow, 0.5).event.kind, EventKind::expired) << "never more";
}

TEST(EventOf, TheRuleIsNamed)
{
    const auto outcome = smtp::Outcome::answered(smtp::Phase::rcpt, smtp::Reply::make(450, {"4.2.1 too quickly"}));
    Finished finished = answered(smtp::Phase::rcpt, 450, "");
    finished.verdict = policy::decide(outcome, *policy::shipped_rules(), "gmail");
    const queue::Settlement settlement = settlement_of(finished, {}, kNow, 0.5);
    EXPECT_EQ(settlement.event.rule, "gmail-4.2.1-rate");
    EXPECT_EQ(settlement.event.klass, "recipient_rate");
    EXPECT_EQ(settlement.event.next, kNow + 2h) << "the rule's wait is longer than the ladder's";
}

TEST(EventOf, ABounceSaysWhetherTheAddressIsSuppressed)
{
    const queue::Settlement settlement = settlement_of(answered(smtp::Phase::rcpt, 550, "no such user"), {}, kNow, 0.5);
    EXPECT_EQ(settlement.event.kind, EventKind::bounced);
    EXPECT_EQ(settlement.event.klass, "invalid_recipient");
    EXPECT_TRUE(settlement.event.suppress);
}

TEST(EventOf, RepliesAreCutAtTheirBound)
{
    const std::string text(2000, 'x');
    const queue::Settlement settlement = settlement_of(answered(smtp::Phase::rcpt, 550, text.c_str()), {}, kNow, 0.5);
    EXPECT_EQ(settlement.event.reply.size(), queue::Event::kReplyMax);
}

TEST(EventOf, AnEndBeforeAnyAttemptCountsNone)
{
    const queue::Settlement settlement =
        settlement_of_end(*job(), EventKind::expired, policy::BounceClass::expired, kNow);
    EXPECT_EQ(settlement.event.kind, EventKind::expired);
    EXPECT_EQ(settlement.event.klass, "expired");
    EXPECT_EQ(settlement.event.attempt, 2U);
}

} // namespace
} // namespace penguin::delivery
