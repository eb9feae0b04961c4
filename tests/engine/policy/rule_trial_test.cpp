#include "engine/policy/rule_trial.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penguin::policy {
namespace {

using smtp::Phase;
using testing::ElementsAre;

struct PastedCase {
    const char* name;
    const char* text;
    int code; // 0: refused
    std::vector<std::string> lines;
};

class PastedReplyTest : public testing::TestWithParam<PastedCase> {};

TEST_P(PastedReplyTest, IsReadAsPeopleWriteIt)
{
    const PastedCase& row = GetParam();
    const Result<smtp::Reply> reply = parse_pasted_reply(row.text);
    ASSERT_EQ(reply.has_value(), row.code != 0);
    if (!reply) return;
    EXPECT_EQ(reply->code, row.code);
    EXPECT_EQ(reply->lines, row.lines);
}

const PastedCase kPasted[] = {
    {"OneLine", "550 no", 550, {"no"}},
    {"OnlyACode", "550", 550, {""}},
    {"LastLineWithAHyphen", "421-4.7.28 a", 421, {"4.7.28 a"}},
    {"LinesByBars", "421-a | 421 b", 421, {"a", "b"}},
    {"LinesByLineEnds", "421-a\r\n421 b\r\n", 421, {"a", "b"}},
    {"ALineThatLostItsCode", "421-a\nb", 421, {"a", "b"}},
    {"Empty", "", 0, {}},
    {"NoCode", "hello", 0, {}},
    {"NoRefusal", "250 ok", 0, {}},
    {"TheCodeChanges", "421-a\n450 b", 0, {}},
};
INSTANTIATE_TEST_SUITE_P(Replies, PastedReplyTest, testing::ValuesIn(kPasted),
                         [](const auto& row) { return row.param.name; });

TEST(TriedReply, SaysWhichRuleWhyAndWhatStandsBehind)
{
    const auto reply = parse_pasted_reply("421-4.7.28 [192.0.2.1] unusual rate of mail from your IP address,\n421 x");
    const TriedReply tried = try_reply(*shipped_rules(), "gmail", Phase::mail, *reply);
    ASSERT_EQ(tried.fitting.size(), 2U);
    EXPECT_EQ(tried.fitting[0]->id, "gmail-4.7.28-ip");
    EXPECT_EQ(tried.fitting[1]->id, "gmail-4.7.28");
    EXPECT_THAT(tried.because, ElementsAre("provider gmail", "code 421 is in 421", "enhanced code 4.7.28 is in 4.7.28",
                                           "it says /unusual rate/", "it says /your ip address/"));
    EXPECT_EQ(tried.verdict.rule, "gmail-4.7.28-ip");
    EXPECT_EQ(text_of(tried.read_as), "421 4.7.28 [{ip}] unusual rate of mail from your ip address, x");
}

TEST(TriedReply, WhatNoRuleKnowsIsDecidedByItsCodes)
{
    const TriedReply tried = try_reply(*shipped_rules(), "gmail", Phase::rcpt, *parse_pasted_reply("550 5.7.1 no"));
    EXPECT_TRUE(tried.fitting.empty());
    EXPECT_TRUE(tried.because.empty());
    EXPECT_TRUE(decided_by_codes(tried.verdict.rule)) << tried.verdict.rule;
    EXPECT_FALSE(decided_by_codes("gmail-4.7.28"));
    EXPECT_FALSE(decided_by_codes("connection-lost"));
}

TEST(TriedReply, ThePhasesAreThoseThatRepliesComeFrom)
{
    EXPECT_THAT(reply_phases(),
                testing::UnorderedElementsAre("greeting", "ehlo", "tls", "mail", "rcpt", "data", "body"));
}

} // namespace
} // namespace penguin::policy
