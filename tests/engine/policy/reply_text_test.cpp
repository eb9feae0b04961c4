#include "engine/policy/reply_text.h"

#include <gtest/gtest.h>

namespace penguin::policy {
namespace {

using smtp::EnhancedCode;
using smtp::Reply;

struct TextCase {
    const char* name;
    const char* given;
    const char* text;
};

const TextCase kTexts[] = {
    {"Plain", "user unknown", "user unknown"},
    {"Address", "<ann.b+x@b.example>: rejected", "<{address}>: rejected"},
    {"AddressAtAnEnd", "no mail for ann@b.example.", "no mail for {address}."},
    {"AddressLiteral", "ann@[192.0.2.1] unknown", "{address} unknown"},
    {"QuotedLocalPart", "\"spam blocked\"@b.example unknown", "{address} unknown"},
    {"QuoteThatDoesNotOpen", "spam\"@b.example unknown", "spam{address} unknown"},
    {"WordsOfARuleInAnAddress", "blocked-using-zen.spamhaus.org@b.example unknown", "{address} unknown"},
    {"TwoAddresses", "a@b.example,c@d.example", "{address},{address}"},
    {"AloneAt", "@ b", "{address} b"},
    {"AddressAndWhatFollows", "(ann@b.example:blocked)", "({address}:blocked)"},
    {"Ipv4", "[192.0.2.1]", "[{ip}]"},
    {"Ipv4InUrl", "https://www.spamhaus.org/query/ip/192.0.2.1", "https://www.spamhaus.org/query/ip/{ip}"},
    {"Ipv4Reversed", "1.2.0.192.zen.spamhaus.org", "{ip}.zen.spamhaus.org"},
    {"AnswerOfAList", "127.255.255.254 and 127.0.0.2", "127.255.255.254 and 127.0.0.2"},
    {"NoIpv4", "1.2.3.4567 1.2.3 4.16.50", "1.2.3.4567 1.2.3 4.16.50"},
    {"Ipv6", "[2001:db8::25] ::1 2001:db8:0:0:0:0:0:25", "[{ip}] {ip} {ip}"},
    {"TimeOfDay", "10:11:12 std::x", "10:11:12 std::x"},
    {"Hex", "a640c23a62f3a1b2-si1234567.8 - gsmtp", "{id}-si1234567.8 - gsmtp"},
    {"Uuid", "id 550e8400-e29b-41d4-a716-446655440000.", "id {id}."},
    {"NoHex", "deadbeefdeadbeef decade-faced-a-bad-bee", "deadbeefdeadbeef decade-faced-a-bad-bee"},
    {"Number", "1706132437 12345 #1234567", "{number} 12345 #{number}"},
    {"CodesOfProviders", "(s3150) aup#1200 bl000001 rl000010 as16012611 [tss04]",
     "(s3150) aup#1200 bl000001 rl000010 as16012611 [tss04]"},
};

class ReplyTextTest : public testing::TestWithParam<TextCase> {};

TEST_P(ReplyTextTest, HasPlaceholdersForWhatChanges)
{
    EXPECT_EQ(with_placeholders(GetParam().given), GetParam().text);
    EXPECT_EQ(with_placeholders(GetParam().text), GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(Texts, ReplyTextTest, testing::ValuesIn(kTexts),
                         [](const auto& row) { return row.param.name; });

TEST(NormalReply, JoinsLinesAndTakesTheirCodes)
{
    const NormalReply reply = normalised(Reply::make(
        421, {"4.7.28 [192.0.2.1      15] Our System\thas", "4.7.28 detected ", "", "5.7.1: something  ELSE"}));
    EXPECT_EQ(reply.text, "[{ip} 15] our system has detected something else");
    EXPECT_EQ(reply.code, 421);
    EXPECT_EQ(reply.enhanced, (std::vector<EnhancedCode>{{4, 7, 28}, {5, 7, 1}}));
}

// RFC 3463 2 wants the class of both codes to agree. Providers do not.
TEST(NormalReply, TakesAnEnhancedCodeOfAnotherClass)
{
    const Reply reply = Reply::make(421, {"5.7.32 not aligned"});
    EXPECT_FALSE(reply.enhanced);
    EXPECT_EQ(normalised(reply).enhanced, (std::vector<EnhancedCode>{{5, 7, 32}}));
}

TEST(NormalReply, TakesNoCodeOutOfWhatIsNone)
{
    for (const char* const line :
         {"4.7 x", "4.7.2000 x", "3.1.1 x", "4.7.28x", "192.0.2.1 x", "x 5.1.1", "5.1.1.1 x", ""})
        EXPECT_TRUE(normalised(Reply::make(550, {line})).enhanced.empty()) << line;
    for (const char* const line : {"5.1.1", "#5.1.1 x", " 5.1.1 x", "5.1.1, x", "5.1.1;x"})
        EXPECT_EQ(normalised(Reply::make(550, {line})).enhanced.size(), 1U) << line;
}

// What is over the bound of an id is none, and no part of it is.
TEST(NormalReply, LeavesRunsOverTheBoundWhole)
{
    const std::string hex(200, 'a');
    EXPECT_EQ(with_placeholders(hex + "1234"), hex + "1234");
    EXPECT_EQ(with_placeholders(std::string(200, '1') + "%"), "{number}%");
    EXPECT_EQ(with_placeholders(std::string(60, 'a') + "1234"), "{id}");
}

TEST(NormalReply, IsBounded)
{
    std::vector<std::string> lines;
    for (int i = 0; i < 100; ++i) lines.push_back("5.7." + std::to_string(i) + " " + std::string(500, 'x'));
    const NormalReply reply = normalised(Reply::make(550, lines));
    EXPECT_EQ(reply.text.size(), kReplyTextMax);
    EXPECT_EQ(reply.enhanced.size(), kEnhancedMax);
}

} // namespace
} // namespace penguin::policy
