#include "control/http/message.h"

#include <gtest/gtest.h>

#include "engine/base/utf8.h"

namespace penguin::control::http {
namespace {

TEST(Target, GivesDecodedSegmentsAndQuery)
{
    const auto target = Target::parse("/v1/suppressions/a%40b.example?limit=5&since=2026-11-24T00%3A00+x&empty");
    ASSERT_TRUE(target);
    EXPECT_EQ(target->segments, (std::vector<std::string>{"v1", "suppressions", "a@b.example"}));
    EXPECT_EQ(target->query, (Params{{"limit", "5"}, {"since", "2026-11-24T00:00 x"}, {"empty", ""}}));
}

TEST(Target, KeepsAPlusInThePathAndAnEncodedSlashInItsSegment)
{
    const auto target = Target::parse("/a+b/c%2Fd");
    ASSERT_TRUE(target);
    EXPECT_EQ(target->segments, (std::vector<std::string>{"a+b", "c/d"}));
}

TEST(Target, OfTheRootIsOneEmptySegment)
{
    EXPECT_EQ(Target::parse("/")->segments, std::vector<std::string>{""});
    EXPECT_EQ(Target::parse("/a/")->segments, (std::vector<std::string>{"a", ""}));
}

TEST(Target, RefusesWhatIsNotAClean)
{
    std::string deep;
    for (int i = 0; i < 17; ++i) deep += "/a";
    std::string many = "/?";
    for (int i = 0; i < 33; ++i) many += "p" + std::to_string(i) + "=1&";
    for (const std::string& text :
         {std::string{""}, std::string{"v1"}, std::string{"*"}, std::string{"/%"}, std::string{"/%4"},
          std::string{"/%zz"}, std::string{"/%00"}, std::string{"/a%0d%0ab"}, std::string{"/a\tb"},
          std::string{"/%C0%AF"}, std::string{"/%ED%A0%80"}, std::string{"/\xFF"}, std::string{"/?a=1&a=2"},
          std::string{"/?a=%"}, deep, many})
        EXPECT_FALSE(Target::parse(text)) << text;
}

TEST(Target, AndPercentEncodingAreInverse)
{
    std::string octets;
    for (int c = 0x20; c < 0x7F; ++c) octets.push_back(static_cast<char>(c));
    octets += "\xC3\xA9";
    const auto target = Target::parse("/" + percent_encoded(octets));
    ASSERT_TRUE(target);
    EXPECT_EQ(target->segments.front(), octets);
}

TEST(Utf8, IsWellFormedOrNot)
{
    for (const char* text : {"", "a", "\xC2\x80", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x90\xA7", "\xF4\x8F\xBF\xBF"})
        EXPECT_TRUE(is_utf8(text)) << text;
    for (const char* text : {"\x80", "\xC3", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80",
                             "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xE2\x82", "a\xFFz"})
        EXPECT_FALSE(is_utf8(text)) << text;
    EXPECT_FALSE(is_clean_text(std::string_view{"a\0b", 3}));
}

TEST(Request, FindsHeadersWithoutCase)
{
    Request request;
    request.headers = {{"Content-Type", "application/json"}, {"content-type", "second"}};
    EXPECT_EQ(request.header("CONTENT-TYPE"), "application/json");
    EXPECT_EQ(request.header("Content"), std::nullopt);
}

} // namespace
} // namespace penguin::control::http
