#include "control/ledger/unknown_replies.h"

#include <gtest/gtest.h>

namespace penguin::control::ledger {
namespace {

using queue::Event;

const WallTime kNow = from_unix_ms(1'795'494'547'123); // 2026-11-24

Event refused(int code, std::string reply, std::string rule = "permanent-reply")
{
    Event event;
    event.code = code;
    event.phase = "rcpt";
    event.reply = std::move(reply);
    event.rule = std::move(rule);
    event.site = "mx.b.example";
    event.at = kNow;
    return event;
}

std::vector<UnknownReply> unknown(const std::vector<Event>& events)
{
    std::vector<const Event*> all;
    for (const Event& event : events) all.push_back(&event);
    return unknown_among(all, kNow);
}

TEST(UnknownReplies, AreRefusalsThatTheCodesAloneDecided)
{
    EXPECT_EQ(unknown({refused(550, "no")}).size(), 1U);
    EXPECT_EQ(unknown({refused(450, "no", "transient-reply")}).size(), 1U);
    EXPECT_EQ(unknown({refused(450, "greylisted", "greylisted")}).size(), 1U);
    EXPECT_EQ(unknown({refused(421, "no", "refused-before-mail")}).size(), 1U);
    EXPECT_TRUE(unknown({refused(550, "no", "gmail-4.7.28")}).empty());
    EXPECT_TRUE(unknown({refused(0, "connection refused", "connection-lost")}).empty());
    EXPECT_TRUE(unknown({refused(250, "ok", "accepted")}).empty());
}

TEST(UnknownReplies, ThatDifferOnlyByMessageAreOne)
{
    const std::vector<UnknownReply> all =
        unknown({refused(550, "5.7.1 <ann@b.example> is not Welcome"),
                 refused(550, "5.7.1 <bob@c.example> is not welcome"), refused(550, "other")});
    const std::vector<UnknownReply> expected{{"rcpt", "550 5.7.1 <{address}> is not welcome", 2, "mx.b.example", kNow},
                                             {"rcpt", "550 other", 1, "mx.b.example", kNow}};
    EXPECT_EQ(all, expected);
}

TEST(UnknownReplies, OverTheBoundOfAStepAreCountedTogether)
{
    std::vector<Event> events;
    for (std::size_t i = 0; i < kUnknownAStep + 5; ++i) events.push_back(refused(550, std::string(i + 1, 'x')));
    events.push_back(refused(550, "x"));
    const std::vector<UnknownReply> all = unknown(events);
    ASSERT_EQ(all.size(), kUnknownAStep + 1);
    EXPECT_EQ(all[0].reply, "");
    EXPECT_EQ(all[0].count, 5);
    EXPECT_EQ(all[1].reply, "550 x");
    EXPECT_EQ(all[1].count, 2) << "one that is known finds its place";
}

TEST(UnknownReplies, OctetsThatAreNoTextAreTakenOut)
{
    EXPECT_EQ(unknown({refused(550, "a\xff b")}).at(0).reply, "550 a? b");
}

TEST(UnknownReplies, ATimeThatIsAheadCountsAsNow)
{
    Event ahead = refused(550, "no");
    ahead.at = kNow + std::chrono::hours{1'000};
    EXPECT_EQ(unknown({ahead}).at(0).last, kNow);
    EXPECT_EQ(day_text(kNow), "2026-11-24");
}

} // namespace
} // namespace penguin::control::ledger
