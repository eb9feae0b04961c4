#include "engine/smtp/content_decoder.h"

#include <string>

#include <gtest/gtest.h>

namespace penguin::smtp {
namespace {

struct Decoded {
    std::string content;
    std::string behind; // what is left after the end
    bool ended = false;
    std::string fault;
};

Decoded decode_in_pieces(std::string_view wire, std::size_t length)
{
    ContentDecoder decoder;
    Decoded out;
    for (std::size_t at = 0; at < wire.size() && !out.ended; at += length) {
        std::string_view input = wire.substr(at, length);
        while (!input.empty() && !out.ended) {
            const ContentDecoder::Piece piece = decoder.take(input);
            out.content += piece.content;
            out.ended = piece.ended;
        }
        if (out.ended) out.behind = std::string{input} + std::string{wire.substr(std::min(at + length, wire.size()))};
    }
    if (const auto fault = decoder.fault()) out.fault = *fault;
    return out;
}

struct ContentCase {
    const char* name;
    std::string wire;
    std::string content;
    bool ended;
    std::string behind;
    std::string fault;
};

const ContentCase kContents[] = {
    {"Plain", "a\r\nb\r\n.\r\n", "a\r\nb\r\n", true, "", ""},
    {"Empty", ".\r\n", "", true, "", ""},
    {"StuffedDot", "..a\r\n...\r\n.\r\n", ".a\r\n..\r\n", true, "", ""},
    {"OneDotGoesAlsoBeforeText", ".a\r\n.\r\n", "a\r\n", true, "", ""},
    {"CommandsBehind", "a\r\n.\r\nQUIT\r\n", "a\r\n", true, "QUIT\r\n", ""},
    {"NotYetEnded", "a\r\n.\r", "a\r\n", false, "", ""},
    {"LfDotCrlfIsNoEnd", "a\n.\r\nb\r\n.\r\n", "a\n.\r\nb\r\n", true, "", "a bare LF"},
    {"LfDotLfIsNoEnd", "a\n.\nb\r\n.\r\n", "a\n.\nb\r\n", true, "", "a bare LF"},
    {"CrlfDotLfIsNoEnd", "a\r\n.\nb\r\n.\r\n", "a\r\n\nb\r\n", true, "", "a bare LF"},
    {"CrDotCrIsNoEnd", "a\r.\rb\r\n.\r\n", "a\r.\rb\r\n", true, "", "a bare CR"},
    {"CrlfDotCrIsNoEnd", "a\r\n.\rb\r\n.\r\n", "a\r\nb\r\n", true, "", "a bare CR"},
    {"CrDotCrlfIsNoEnd", "a\r.\r\nb\r\n.\r\n", "a\r.\r\nb\r\n", true, "", "a bare CR"},
    {"CrCrlfDot", "a\r\r\n.\r\n", "a\r\r\n", true, "", "a bare CR"},
    {"Nul", std::string("a\0\r\n.\r\n", 7), std::string("a\0\r\n", 4), true, "", "a NUL octet"},
};

class ContentDecoderTest : public testing::TestWithParam<ContentCase> {};

TEST_P(ContentDecoderTest, SameContentHoweverTheBytesAreCut)
{
    const ContentCase& row = GetParam();
    for (std::size_t length = 1; length <= row.wire.size(); ++length) {
        const Decoded decoded = decode_in_pieces(row.wire, length);
        EXPECT_EQ(decoded.content, row.content) << "pieces of " << length;
        EXPECT_EQ(decoded.ended, row.ended) << "pieces of " << length;
        EXPECT_EQ(decoded.behind, row.behind) << "pieces of " << length;
        if (row.ended) {
            EXPECT_EQ(decoded.fault, row.fault) << "pieces of " << length;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Rfc5321, ContentDecoderTest, testing::ValuesIn(kContents),
                         [](const auto& info) { return info.param.name; });

TEST(ContentDecoder, LooksAtChunksWithoutChangingThem)
{
    ContentDecoder good;
    good.look(".\r");
    good.look("\n.\r\n");
    EXPECT_FALSE(good.fault());
    ContentDecoder bad;
    bad.look("a\r");
    bad.look("b\r\n");
    EXPECT_EQ(bad.fault(), "a bare CR");
    bad.restart();
    EXPECT_FALSE(bad.fault());
}

} // namespace
} // namespace penguin::smtp
