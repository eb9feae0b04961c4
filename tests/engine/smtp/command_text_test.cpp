#include "engine/smtp/command_text.h"

#include <gtest/gtest.h>

namespace penguin::smtp {
namespace {

TEST(CommandText, PathsEndAtTheirBracket)
{
    constexpr std::pair<const char*, const char*> kPaths[] = {
        {"<a@b>", "a@b"},
        {"<>", ""},
        {"<a@b> SIZE=1", "a@b"},
        {"<\"a>b\"@c>", "\"a>b\"@c"},
        {"<\"a\\\">b\"@c> X", "\"a\\\">b\"@c"},
    };
    for (const auto& [text, path] : kPaths) {
        std::string_view rest = text;
        EXPECT_EQ(take_path(rest), path) << text;
    }
    for (std::string_view text : {"", "a@b", "<a@b", "<\"a>@b", "<\"\\"}) EXPECT_FALSE(take_path(text)) << text;
}

TEST(CommandText, WordsAndPrefixes)
{
    std::string_view text = "From:<a> B";
    EXPECT_FALSE(take_prefix(text, "TO:"));
    EXPECT_TRUE(take_prefix(text, "FROM:"));
    EXPECT_EQ(take_word(text), "<a>");
    EXPECT_EQ(take_word(text), "B");
    EXPECT_EQ(take_word(text), "");
    std::string_view shorter = "FR";
    EXPECT_FALSE(take_prefix(shorter, "FROM:"));
}

TEST(CommandText, NumbersAreDigitsOnly)
{
    EXPECT_EQ(number_in("18446744073709551615"), 18446744073709551615ULL);
    for (const char* text : {"", "-1", "+1", "1 ", "0x1", "18446744073709551616", "1.0"})
        EXPECT_FALSE(number_in(text)) << text;
}

TEST(CommandText, ControlOctets)
{
    EXPECT_FALSE(has_control("MAIL FROM:<\xC3\xA9@b>"));
    EXPECT_TRUE(has_control("a\rb"));
    EXPECT_TRUE(has_control(std::string_view("a\0b", 3)));
    EXPECT_TRUE(has_control("a\x7F"));
}

} // namespace
} // namespace penguin::smtp
