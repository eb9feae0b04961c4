#include "engine/smtp/body_encoder.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace penguin::smtp {
namespace {

std::string encoded(std::string_view message)
{
    const Result<Body> body = Body::check(message);
    if (!body) return "refused: " + body.error().detail;
    BodyEncoder encoder{*body};
    std::string out;
    while (!encoder.last()) {
        const auto pieces = encoder.next();
        EXPECT_FALSE(pieces.empty());
        EXPECT_LE(pieces.size(), BodyEncoder::kPiecesMax);
        std::size_t octets = 0;
        for (const std::string_view piece : pieces) {
            out += piece;
            octets += piece.size();
        }
        EXPECT_LE(octets, BodyEncoder::kWriteMax + 5);
    }
    EXPECT_TRUE(encoder.next().empty());
    return out;
}

// What the encoder must do, in the simplest words.
std::string stuffed(const std::string& message)
{
    std::string out;
    bool line_start = true;
    for (const char c : message) {
        if (line_start && c == '.') out += '.';
        out += c;
        line_start = c == '\n';
    }
    if (!message.empty() && !message.ends_with("\r\n")) out += "\r\n";
    return out + ".\r\n";
}

struct BodyCase {
    const char* name;
    std::string message;
    std::string wire;
};

const BodyCase kBodies[] = {
    {"Plain", "a\r\nb\r\n", "a\r\nb\r\n.\r\n"},
    {"Empty", "", ".\r\n"},
    {"OneEmptyLine", "\r\n", "\r\n.\r\n"},
    {"DotAtTheStart", ".a\r\n", "..a\r\n.\r\n"},
    {"LoneDot", "a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n.\r\n"},
    {"LoneDotAtTheEnd", "a\r\n.\r\n", "a\r\n..\r\n.\r\n"},
    {"OnlyADot", ".", "..\r\n.\r\n"},
    {"TwoDots", "..\r\n", "...\r\n.\r\n"},
    {"DotInside", "a.\r\nb.c\r\n", "a.\r\nb.c\r\n.\r\n"},
    {"NoFinalCrlf", "a\r\nb", "a\r\nb\r\n.\r\n"},
    {"LongestLine", std::string(998, 'x') + "\r\n", std::string(998, 'x') + "\r\n.\r\n"},
    {"BareLf", "a\nb\r\n", "refused: content: a bare LF in line 1"},
    {"LfFirst", "\n", "refused: content: a bare LF in line 1"},
    {"LfCr", "a\r\nb\n\r\n", "refused: content: a bare LF in line 2"},
    {"BareCr", "a\rb\r\n", "refused: content: a bare CR"},
    {"CrCrLf", "a\r\r\n", "refused: content: a bare CR"},
    {"CrAtTheEnd", "a\r\nb\r", "refused: content: a bare CR"},
    {"SmuggledEnd", "a\n.\r\nMAIL FROM:<x@y>\r\n", "refused: content: a bare LF in line 1"},
    {"SmuggledEndWithCr", "a\r.\r\nMAIL FROM:<x@y>\r\n", "refused: content: a bare CR"},
    {"Nul", std::string("a\0b\r\n", 5), "refused: content: a NUL octet"},
    {"LineTooLong", "a\r\n" + std::string(999, 'x') + "\r\n", "refused: content: line 2 is over 998 octets"},
    {"LastLineTooLong", std::string(999, 'x'), "refused: content: the last line is over 998 octets"},
};

class BodyEncoderTest : public testing::TestWithParam<BodyCase> {};

TEST_P(BodyEncoderTest, WritesExactlyThis) { EXPECT_EQ(encoded(GetParam().message), GetParam().wire); }

INSTANTIATE_TEST_SUITE_P(Rfc5321, BodyEncoderTest, testing::ValuesIn(kBodies),
                         [](const auto& info) { return info.param.name; });

TEST(BodyEncoder, AgreesWithThePlainRuleOnRandomMessages)
{
    std::mt19937 random{20261124};
    constexpr std::string_view kOctets = "....ab\xC3\xA9 ";
    for (int round = 0; round < 300; ++round) {
        std::string message;
        const std::size_t lines = random() % (round % 10 == 0 ? 8000 : 40);
        for (std::size_t i = 0; i < lines; ++i) {
            for (std::size_t n = random() % 80; n > 0; --n) message += kOctets[random() % kOctets.size()];
            message += "\r\n";
        }
        if (round % 3 == 0) message += "no end";
        ASSERT_EQ(encoded(message), stuffed(message)) << "round " << round;
    }
}

TEST(BodyEncoder, CutsABigMessageIntoBoundedWrites)
{
    std::string message;
    while (message.size() < 5 * BodyEncoder::kWriteMax) message += ".dots and text\r\n";
    EXPECT_EQ(encoded(message), stuffed(message));
    std::string plain;
    while (plain.size() < 5 * BodyEncoder::kWriteMax) plain += "text\r\n";
    EXPECT_EQ(encoded(plain), stuffed(plain));
}

TEST(Body, SizeIsThatOfRfc1870)
{
    EXPECT_EQ(Body::check(".a\r\n")->size(), 4U);
    EXPECT_EQ(Body::check("a")->size(), 3U);
    EXPECT_EQ(Body::check("")->size(), 0U);
}

TEST(Body, SeesEightBitContentAnywhere)
{
    EXPECT_FALSE(Body::check("abc\r\n")->eight_bit());
    for (const std::size_t at : {0U, 1U, 254U, 255U, 256U, 900U}) {
        std::string message(990, 'a');
        message[at] = '\x80';
        EXPECT_TRUE(Body::check(message)->eight_bit()) << at;
    }
}

TEST(Body, FindsABareCrBeyondAnyBlock)
{
    std::string message;
    for (int i = 0; i < 1000; ++i) message += "\r\n";
    EXPECT_TRUE(Body::check(message).has_value());
    for (std::size_t at = 1; at < message.size(); at += 7) {
        std::string bad = message;
        bad.insert(at, at % 2 == 0 ? "x\rx" : "x\nx");
        EXPECT_EQ(Body::check(bad).error().code, Errc::bad_value) << at;
    }
}

} // namespace
} // namespace penguin::smtp
