#include "engine/smtp/reply_parser.h"

#include <gtest/gtest.h>

namespace penguin::smtp {
namespace {

struct ReplyCase {
    const char* name;
    std::string bytes;
    std::vector<Reply> replies;
    std::optional<Errc> error;
};

Reply reply(int code, std::vector<std::string> lines) { return Reply::make(code, std::move(lines)); }

const ReplyCase kReplies[] = {
    {"SingleLine", "250 ok\r\n", {reply(250, {"ok"})}, {}},
    {"Multiline", "250-mx\r\n250-PIPELINING\r\n250 SIZE 1000\r\n", {reply(250, {"mx", "PIPELINING", "SIZE 1000"})}, {}},
    {"BareCode", "250\r\n", {reply(250, {""})}, {}}, // RFC 5321 4.2.1: the space may be missing
    {"BareCodeEndsMultiline", "250-a\r\n250\r\n", {reply(250, {"a", ""})}, {}},
    {"EmptyText", "250 \r\n", {reply(250, {""})}, {}},
    {"BareLf", "220 old server\n", {reply(220, {"old server"})}, {}},
    {"TwoReplies", "250 a\r\n550 5.1.1 b\r\n", {reply(250, {"a"}), reply(550, {"5.1.1 b"})}, {}},
    {"ControlOctetsBecomeHarmless", "550 a\x1b[2J\rb\r\n", {reply(550, {"a?[2J?b"})}, {}},
    {"NulBecomesHarmless", std::string("550 a\0b\r\n", 9), {reply(550, {"a?b"})}, {}},
    {"Utf8Stays", "550 \xC3\xA9\r\n", {reply(550, {"\xC3\xA9"})}, {}},
    {"HalfALine", "250 ok", {}, {}},
    {"HalfAReply", "250-a\r\n", {}, {}},
    {"Nothing", "", {}, {}},
    {"NoCode", "hello\r\n", {}, Errc::malformed},
    {"EmptyLine", "\r\n", {}, Errc::malformed},
    {"TwoDigits", "25 ok\r\n", {}, Errc::malformed},
    {"FourDigits", "2500 ok\r\n", {}, Errc::malformed},
    {"CodeTooLow", "199 ok\r\n", {}, Errc::malformed},
    {"CodeTooHigh", "600 ok\r\n", {}, Errc::malformed},
    {"TextGluedToTheCode", "250ok\r\n", {}, Errc::malformed},
    {"CodeChanges", "250-a\r\n550 b\r\n", {}, Errc::malformed},
    {"HttpServer", "HTTP/1.1 400 Bad Request\r\n", {}, Errc::malformed},
    {"GoodThenBad", "250 a\r\nx\r\n", {reply(250, {"a"})}, Errc::malformed},
    {"LongestLine",
     "250 " + std::string(kReplyLineMax - 6, 'x') + "\r\n",
     {reply(250, {std::string(kReplyLineMax - 6, 'x')})},
     {}},
    {"LineTooLong", "250 " + std::string(kReplyLineMax - 5, 'x') + "\r\n", {}, Errc::too_long},
    {"LineThatNeverEnds", std::string(10 * kReplyLineMax, '2'), {}, Errc::too_long},
};

class ReplyParserTest : public testing::TestWithParam<ReplyCase> {};

struct Parsed {
    std::vector<Reply> replies;
    std::optional<Errc> error;
};

Parsed parse_in_pieces(std::string_view bytes, std::size_t length)
{
    ReplyParser parser;
    Parsed out;
    for (std::size_t at = 0; at < bytes.size(); at += length) {
        std::string_view piece = bytes.substr(at, length);
        while (!piece.empty()) {
            const Result<std::optional<Reply>> reply = parser.take(piece);
            if (!reply) {
                out.error = reply.error().code;
                return out;
            }
            if (*reply) out.replies.push_back(**reply);
        }
    }
    return out;
}

TEST_P(ReplyParserTest, SameReplyHoweverTheBytesAreCut)
{
    const ReplyCase& row = GetParam();
    for (std::size_t length = 1; length <= std::max<std::size_t>(row.bytes.size(), 1); length += 1 + length / 40) {
        const Parsed parsed = parse_in_pieces(row.bytes, length);
        EXPECT_EQ(parsed.replies, row.replies) << "pieces of " << length;
        EXPECT_EQ(parsed.error, row.error) << "pieces of " << length;
    }
}

INSTANTIATE_TEST_SUITE_P(Rfc5321, ReplyParserTest, testing::ValuesIn(kReplies),
                         [](const auto& info) { return info.param.name; });

std::string reply_of(std::size_t lines, const std::string& text)
{
    std::string bytes;
    for (std::size_t i = 1; i < lines; ++i) bytes += "250-" + text + "\r\n";
    return bytes + "250 " + text + "\r\n";
}

TEST(ReplyParser, BoundsTheLinesOfAReply)
{
    EXPECT_EQ(parse_in_pieces(reply_of(kReplyLinesMax, "x"), 100).replies.size(), 1U);
    EXPECT_EQ(parse_in_pieces(reply_of(kReplyLinesMax + 1, "x"), 100).error, Errc::too_long);
}

TEST(ReplyParser, BoundsTheOctetsOfAReply)
{
    const std::string line(1000, 'x');
    EXPECT_EQ(parse_in_pieces(reply_of(kReplyTextMax / 1006, line), 4096).replies.size(), 1U);
    EXPECT_EQ(parse_in_pieces(reply_of(kReplyTextMax / 1006 + 1, line), 4096).error, Errc::too_long);
    // The count begins anew with each reply.
    EXPECT_EQ(parse_in_pieces(reply_of(20, line) + reply_of(20, line), 4096).replies.size(), 2U);
}

TEST(ReplyParser, LeavesWhatComesBehindAReply)
{
    ReplyParser parser;
    std::string_view bytes = "250 a\r\n354";
    EXPECT_TRUE(parser.take(bytes)->has_value());
    EXPECT_EQ(bytes, "354");
    EXPECT_FALSE(parser.started());
    EXPECT_FALSE(parser.take(bytes)->has_value());
    EXPECT_TRUE(parser.started());
}

} // namespace
} // namespace penguin::smtp
