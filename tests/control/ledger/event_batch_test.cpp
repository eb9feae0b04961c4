#include "control/ledger/event_batch.h"

#include <gtest/gtest.h>

namespace penguin::control::ledger {
namespace {

using queue::Event;
using queue::EventKind;

const WallTime kNow = from_unix_ms(1'795'494'547'123);
const TenantId kTenant{Uuid::v7(kNow)};
const BatchId kBatch{Uuid::v7(kNow)};

Event event_of(std::uint32_t index, EventKind kind, bool late = false, std::string token = "t:1")
{
    Event event;
    event.message = {kBatch, index};
    event.id = event.message.text() + ":" + token;
    event.tenant = kTenant;
    event.kind = kind;
    event.at = kNow;
    event.late = late;
    return event;
}

Counts counts_of(const EventBatch& batch)
{
    return batch.counts.empty() ? Counts{} : batch.counts.at({kTenant, kBatch});
}

TEST(EventBatch, CountsEachKind)
{
    const std::vector<Event> events{event_of(0, EventKind::delivered), event_of(1, EventKind::bounced),
                                    event_of(2, EventKind::expired),   event_of(3, EventKind::suppressed),
                                    event_of(4, EventKind::cancelled), event_of(5, EventKind::deferred),
                                    event_of(5, EventKind::deferred),  event_of(5, EventKind::delivered)};
    const EventBatch batch = weigh(events, {}, kNow);
    EXPECT_EQ(batch.kept.size(), events.size());
    EXPECT_EQ(counts_of(batch), (Counts{2, 1, 1, 1, 1, 2}));
}

struct LateCase {
    const char* name;
    std::vector<Event> events;
    Known known;
    std::size_t kept;
    int delivered;
    std::size_t dropped;
    std::size_t new_late_finals;
};

TEST(EventBatch, AMessageEndsOnceHoweverLateItIsTold)
{
    const std::pair<TenantId, MessageId> message{kTenant, {kBatch, 0}};
    const Event normal = event_of(0, EventKind::delivered, false, "a:1");
    const Event late = event_of(0, EventKind::delivered, true, "b:1");
    const LateCase cases[] = {
        {"LateAlone", {late}, {}, 1, 1, 0, 1},
        {"LateAfterTheFinal", {normal, late}, {}, 2, 1, 0, 0},
        {"LateBeforeTheFinal", {late, normal}, {}, 2, 1, 0, 1},
        {"LateTwice", {late, late}, {}, 1, 1, 1, 1},
        {"TwoLateOnes", {late, event_of(0, EventKind::delivered, true, "c:1")}, {}, 2, 1, 0, 1},
        {"LateKnownById", {late}, {{late.id}, {}, {}}, 0, 0, 1, 0},
        {"LateAfterAKnownFinal", {late}, {{}, {message}, {}}, 1, 0, 0, 0},
        {"FinalAfterAKnownLateOne", {normal}, {{}, {}, {message}}, 1, 0, 0, 0},
        {"OtherMessageKnown", {late}, {{}, {{kTenant, {kBatch, 1}}}, {}}, 1, 1, 0, 1},
    };
    for (const LateCase& one : cases) {
        const EventBatch batch = weigh(one.events, one.known, kNow);
        EXPECT_EQ(batch.kept.size(), one.kept) << one.name;
        EXPECT_EQ(counts_of(batch).delivered, one.delivered) << one.name;
        EXPECT_EQ(batch.dropped, one.dropped) << one.name;
        EXPECT_EQ(batch.new_late_finals.size(), one.new_late_finals) << one.name;
    }
}

TEST(EventBatch, ALateDeferralIsCountedOnceAndEndsNothing)
{
    const std::pair<TenantId, MessageId> message{kTenant, {kBatch, 0}};
    const Event late = event_of(0, EventKind::deferred, true, "a:1");
    const Event normal = event_of(0, EventKind::delivered, false, "b:1");
    for (const std::vector<Event>& events : {std::vector{late, normal, late}, std::vector{normal, late, late}}) {
        const EventBatch batch = weigh(events, {}, kNow);
        EXPECT_EQ(batch.kept.size(), 2U);
        EXPECT_EQ(batch.dropped, 1U);
        EXPECT_EQ(counts_of(batch), (Counts{.delivered = 1, .deferred = 1}));
        EXPECT_TRUE(batch.new_late_finals.empty());
    }
    EXPECT_EQ(counts_of(weigh({late}, {{late.id}, {message}, {}}, kNow)), Counts{}) << "known by its id";
}

TEST(EventBatch, AMonthHasWhatWasSentInItOnceAMessage)
{
    const TenantId other{Uuid::v7(kNow)};
    std::vector<Event> events{event_of(0, EventKind::delivered),
                              event_of(1, EventKind::bounced),
                              event_of(2, EventKind::expired),
                              event_of(3, EventKind::suppressed),
                              event_of(4, EventKind::cancelled),
                              event_of(5, EventKind::deferred),
                              event_of(0, EventKind::delivered, true, "late:1"),
                              event_of(6, EventKind::delivered),
                              event_of(7, EventKind::delivered),
                              event_of(8, EventKind::delivered)};
    events[7].tenant = other;
    events[8].at = from_unix_ms(1'793'491'199'999); // the last moment of October 2026
    events[9].at = from_unix_ms(0);                 // no time that a clock could mean
    const EventBatch batch = weigh(events, {}, kNow);
    const std::map<std::pair<TenantId, int>, std::int64_t> wanted{
        {{kTenant, 202611}, 3}, {{other, 202611}, 1}, {{kTenant, 202610}, 1}};
    EXPECT_EQ(batch.sent, wanted);
}

TEST(EventBatch, TextOfForeignServersBecomesHarmless)
{
    const struct {
        std::string_view in;
        std::string out;
    } cases[] = {
        {"plain", "plain"},
        {"ümläut 😀", "ümläut 😀"},
        {std::string_view{"a\0b", 3}, "a?b"},
        {"\xff\xfe", "??"},
        {"cut \xe2\x82", "cut ??"},
        {"\xc0\xaf overlong", "?? overlong"},
        {"\xed\xa0\x80 surrogate", "??? surrogate"},
        {"\xf4\x90\x80\x80 too far", "???? too far"},
        {"", ""},
    };
    for (const auto& one : cases) EXPECT_EQ(clean_text(one.in), one.out);
}

TEST(EventBatch, TheKeyIsWhatFollowsTheMessageId)
{
    EXPECT_EQ(event_key(event_of(7, EventKind::delivered, false, "tok:2")), "tok:2");
    Event odd = event_of(7, EventKind::delivered);
    odd.id = "something else";
    EXPECT_EQ(event_key(odd), "something else");
}

TEST(EventBatch, TimesThatNoClockCouldMeanAreOurs)
{
    std::vector<Event> events{event_of(0, EventKind::deferred), event_of(1, EventKind::deferred),
                              event_of(2, EventKind::deferred)};
    events[1].at = from_unix_ms(0);
    events[1].next = from_unix_ms(9'000'000'000'000'000);
    events[2].at = from_unix_ms(9'000'000'000'000'000);
    events[2].next = kNow + std::chrono::hours{1};
    std::vector<const Event*> all;
    for (const Event& event : events) all.push_back(&event);
    const db::Params params = event_params(all, kNow);
    const std::string now = *db::Params{std::vector<WallTime>{kNow, kNow, kNow}}.all().front().value;
    EXPECT_EQ(*params.all()[7].value, now);
    EXPECT_TRUE(params.all()[8].value->starts_with("{NULL,NULL,\"2026-")) << *params.all()[8].value;
    EXPECT_EQ(params.all().size(), 25U);
}

TEST(EventBatch, CountsWhatASourceSentUnderItsPlanByDayAndProvider)
{
    std::vector<Event> events(6, event_of(0, EventKind::delivered));
    for (Event& event : events) {
        event.source = "192.0.2.1";
        event.warmup = "gmail";
    }
    events[1].kind = EventKind::bounced;
    events[1].klass = "invalid_recipient";
    events[2].kind = EventKind::deferred;
    events[2].klass = "ip_reputation";
    events[3].at = kNow + std::chrono::days{1};
    events[4].warmup = "";
    events[5].source = "nobody";
    const EventBatch batch = weigh(events, {}, kNow);
    const auto today = std::chrono::floor<std::chrono::days>(kNow);
    ASSERT_EQ(batch.warmups.size(), 2U);
    EXPECT_EQ((batch.warmups.at({"192.0.2.1", "gmail", today})),
              (policy::WarmupCounts{.sent = 3, .delivered = 1, .hard_bounces = 1, .blocks = 1}));
    EXPECT_EQ((batch.warmups.at({"192.0.2.1", "gmail", today + std::chrono::days{1}})).sent, 1U);
}

} // namespace
} // namespace penguin::control::ledger
