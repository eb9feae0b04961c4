#include "engine/queue/event.h"

#include <gtest/gtest.h>

namespace penguin::queue {

namespace {

const std::string kHead =
    R"({"id":"018f0000-0000-7000-8000-000000000001.0:t:0","message":"018f0000-0000-7000-8000-000000000001.0",)"
    R"("tenant":"018f0000-0000-7000-8000-0000000000aa",)";

TEST(EventTest, EveryFieldComesBack)
{
    const std::string text =
        kHead +
        R"("campaign":"018f0000-0000-7000-8000-0000000000cc","mailbox":"018f0000-0000-7000-8000-0000000000dd",)"
        R"("to":"ann@b.example","kind":"deferred","at":1700000000000,"attempt":2,"class":"greylisted","rule":"r7",)"
        R"("phase":"rcpt","code":451,"enhanced":"4.7.1","reply":"451 4.7.1 try \"later\"","site":"mx.b.example",)"
        R"x("source":"192.0.2.1","remote":"mx.b.example (192.0.2.2)","tls":true,"may_be_duplicate":true,)x"
        R"("latency":1234,"next":1700000300000,"suppress":true,"warmup":"gmail","late":true})";
    const Result<Event> event = Event::parse(text);
    ASSERT_TRUE(event) << event.error().detail;
    EXPECT_EQ(event->to_json(), text);
}

TEST(EventTest, KindsHaveNames)
{
    for (const EventKind kind : {EventKind::delivered, EventKind::deferred, EventKind::bounced, EventKind::expired,
                                 EventKind::suppressed, EventKind::cancelled})
        EXPECT_EQ(parse_event_kind(name_of(kind)).value(), kind);
    EXPECT_FALSE(parse_event_kind("opened"));
    EXPECT_FALSE(is_final(EventKind::deferred));
    EXPECT_TRUE(is_final(EventKind::expired));
}

Event event_with_reply(std::string reply)
{
    Event event = Event::parse(kHead + R"("kind":"bounced","at":1})").value();
    event.reply = std::move(reply);
    return event;
}

struct ReplyCase {
    const char* name;
    std::string in;
    std::string out;
};
const ReplyCase kReplies[] = {
    {"Plain", "550 no", "550 no"},
    {"Utf8", "550 n\xC3\xB6", "550 n\xC3\xB6"},
    {"Latin1", "550 n\xF6!", "550 n\xEF\xBF\xBD!"},
    {"Overlong", "\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"},
    {"Surrogate", "\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
    {"CutSequence", "a\xE2\x82", "a\xEF\xBF\xBD\xEF\xBF\xBD"},
    {"Controls", std::string{"a\0\x01\x1b\t\r\n\"\\", 9}, std::string{"a\0\x01\x1b\t\r\n\"\\", 9}},
    {"Long", std::string(5000, 'x'), std::string(Event::kReplyMax, 'x')},
};

TEST(EventTest, WhateverAServerSaidIsStoredAsUtf8)
{
    for (const ReplyCase& row : kReplies) {
        const Result<Event> back = Event::parse(event_with_reply(row.in).to_json());
        ASSERT_TRUE(back) << row.name << ": " << back.error().detail;
        EXPECT_EQ(back->reply, row.out) << row.name;
    }
    const Result<Event> worst = Event::parse(event_with_reply(std::string(5000, '\xFF')).to_json());
    EXPECT_TRUE(worst);
    // The cut falls between characters.
    std::string twos = "x";
    while (twos.size() < 2000) twos += "\xC3\xB6";
    const Result<Event> cut = Event::parse(event_with_reply(twos).to_json());
    ASSERT_TRUE(cut);
    EXPECT_EQ(cut->reply, twos.substr(0, 511));
}

struct BadEvent {
    const char* json;
    const char* detail;
};
constexpr BadEvent kBad[] = {
    {R"("kind":"bounced"})", "at: "},
    {R"("at":1})", "kind: "},
    {R"("kind":"opened","at":1})", "kind: "},
    {R"("kind":"bounced","at":1,"code":700})", "code: "},
    {R"("kind":"bounced","at":1,"tls":1})", "tls: "},
    {R"("kind":"bounced","at":1,"message":"x"})", "message: "},
    {R"("kind":"bounced","at":1,"id":""})", "id: "},
    {R"("kind":"bounced","at":1,"more":1})", "more: no such field"},
};

TEST(EventTest, BadInputNamesTheField)
{
    for (const BadEvent& row : kBad) {
        const Result<Event> event = Event::parse(kHead + row.json);
        ASSERT_FALSE(event) << row.json;
        EXPECT_TRUE(event.error().detail.starts_with(row.detail)) << event.error().detail;
    }
    EXPECT_FALSE(Event::parse(""));
    EXPECT_FALSE(Event::parse("[]"));
}

} // namespace

} // namespace penguin::queue
