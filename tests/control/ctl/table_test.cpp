#include "control/ctl/table.h"

#include <gtest/gtest.h>

namespace penguin::control::ctl {
namespace {

TEST(Table, AlignsTextLeftAndNumbersRightWithoutSpacesAtTheEnd)
{
    Table table{{"NAME", "N", "NOTE"}};
    EXPECT_EQ(table.lines({{{"a"}, {"7", true}, {"x"}}, {{"longer"}, {"1234", true}, {"-"}}}), "NAME       N  NOTE\n"
                                                                                               "a          7  x\n"
                                                                                               "longer  1234  -\n");
}

TEST(Table, WideAndCombiningCharactersTakeTheirColumns)
{
    EXPECT_EQ(width_of("Grüße"), 5U);
    EXPECT_EQ(width_of("株式会社"), 8U);
    EXPECT_EQ(width_of("e\u0301"), 1U); // e and a combining acute
    Table table{{"NAME", "X"}};
    EXPECT_EQ(table.lines({{{"株式会社"}, {"1"}}, {{"Grüße"}, {"2"}}}), "NAME      X\n"
                                                                        "株式会社  1\n"
                                                                        "Grüße     2\n");
}

TEST(Table, TitlesComeOnceAndWidthsOnlyGrow)
{
    Table table{{"A", "B"}};
    EXPECT_EQ(table.lines({{{"xxxx"}, {"1"}}}), "A     B\nxxxx  1\n");
    EXPECT_EQ(table.lines({{{"y"}, {"2"}}}), "y     2\n");
    EXPECT_EQ(table.lines({{{"zzzzzz"}, {"3"}}}), "zzzzzz  3\n");
    EXPECT_EQ(table.lines({}), "");
    EXPECT_EQ(Table({"A"}).lines({}), "A\n");
}

TEST(Table, NothingIsCutOff)
{
    const std::string lengthy(5'000, 'x');
    EXPECT_TRUE(Table({"A", "B"}).lines({{{lengthy}, {lengthy}}}).contains(lengthy + "  " + lengthy + "\n"));
}

TEST(ShownText, LetsNothingThroughThatATerminalObeys)
{
    EXPECT_EQ(shown_text("550 \x1b[31mno\x1b[0m"), "550 \uFFFD[31mno\uFFFD[0m");
    EXPECT_EQ(shown_text("a\r\nb\tc\x7f"), "a\uFFFD\uFFFDb\uFFFDc\uFFFD");
    EXPECT_EQ(shown_text("\u009b31m"), "\uFFFD31m");                 // CSI as one character
    EXPECT_EQ(shown_text("moc.\u202Eelpmaxe"), "moc.\uFFFDelpmaxe"); // right-to-left override
    EXPECT_EQ(shown_text(std::string_view{"a\0b", 3}), "a\uFFFDb");
}

TEST(ShownText, WhatIsNoUtf8IsShownAsSuch)
{
    EXPECT_EQ(shown_text("Gr\xfc\xdf"), "Gr\uFFFD\uFFFD");
    EXPECT_EQ(shown_text("\xe6\xa0"), "\uFFFD\uFFFD");
    EXPECT_EQ(shown_text("Grüße 株 😀"), "Grüße 株 😀");
}

TEST(Padded, FillsUpAndNeverCuts)
{
    EXPECT_EQ(padded("ab", 4), "ab  ");
    EXPECT_EQ(padded("ab", 4, true), "  ab");
    EXPECT_EQ(padded("abcdef", 4), "abcdef");
}

} // namespace
} // namespace penguin::control::ctl
