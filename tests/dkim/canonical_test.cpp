#include "dkim/canonical.h"

#include <gtest/gtest.h>

namespace penguin::dkim {
namespace {

std::string body_of(std::string_view body)
{
    std::string out;
    relaxed_body(body, [&](std::string_view piece) { out += piece; });
    return out;
}

std::string field_of(std::string_view field)
{
    std::string out;
    relaxed_field(field, out);
    return out;
}

// RFC 6376 3.4.5, the example.
TEST(Canonical, ExampleOfRfc6376)
{
    const Result<MessageView> view = view_message("A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n");
    ASSERT_TRUE(view);
    ASSERT_EQ(view->fields.size(), 2U);
    EXPECT_EQ(view->fields[0].name, "a");
    EXPECT_EQ(view->fields[1].name, "b");
    EXPECT_EQ(field_of(view->fields[0].text), "a:X\r\n");
    EXPECT_EQ(field_of(view->fields[1].text), "b:Y Z\r\n");
    EXPECT_EQ(view->body, " C \r\nD \t E\r\n\r\n\r\n");
    EXPECT_EQ(body_of(view->body), " C\r\nD E\r\n");
}

struct Row {
    const char* in;
    const char* out;
};

TEST(Canonical, RelaxedBody) // RFC 6376 3.4.4
{
    const Row rows[] = {
        {"", ""},
        {"\r\n", ""},
        {"\r\n\r\n \t\r\n", ""},
        {"a", "a\r\n"},
        {"a\r\n", "a\r\n"},
        {"a\r\n\r\n \r\n", "a\r\n"},
        {"\r\na", "\r\na\r\n"},
        {" \r\n\t\r\na\r\n", "\r\n\r\na\r\n"},
        {"a  b\tc \t d\t \r\n", "a b c d\r\n"},
        {"\t a\r\n", " a\r\n"},
        {"a \r\n \r\n b\r\n", "a\r\n\r\n b\r\n"},
    };
    for (const Row& row : rows) EXPECT_EQ(body_of(row.in), row.out) << row.in;
}

TEST(Canonical, RelaxedField) // RFC 6376 3.4.2
{
    const Row rows[] = {
        {"Subject:x\r\n", "subject:x\r\n"},
        {"SUBJECT \t:  x  y \r\n", "subject:x y\r\n"},
        {"Subject: x\r\n\ty\r\n", "subject:x y\r\n"},
        {"Subject:\r\n x\r\n", "subject:x\r\n"},
        {"Subject:\r\n", "subject:\r\n"},
        {"Subject: \t \r\n", "subject:\r\n"},
        {"Subject: a:b\r\n", "subject:a:b\r\n"},
    };
    for (const Row& row : rows) EXPECT_EQ(field_of(row.in), row.out) << row.in;
}

TEST(Canonical, ChunksOfALongBodyJoin)
{
    std::string body;
    std::string expected;
    for (int i = 0; i < 5000; ++i) {
        body += "line  " + std::to_string(i) + " \r\n\r\n";
        expected += "line " + std::to_string(i) + "\r\n\r\n";
    }
    expected.resize(expected.size() - 2);
    EXPECT_EQ(body_of(body), expected);
}

TEST(Canonical, MessagesThatAreNone)
{
    for (const char* text : {"", "\r\n", "\r\nbody", "no colon\r\n\r\n", " a: b\r\n", "a: b", "a: b\n\r\n",
                             "a: b\rc\r\n\r\n", ": x\r\n\r\n", "a: b\r\r\n\r\n"})
        EXPECT_EQ(view_message(text).error().code, Errc::malformed) << text;
    std::string many;
    for (std::size_t i = 0; i <= kHeaderFieldsMax; ++i) many += "a: b\r\n";
    EXPECT_EQ(view_message(many).error().code, Errc::too_long);
    EXPECT_EQ(view_message("a: b\r\n")->body, "");
}

TEST(Canonical, Tags) // RFC 6376 3.2
{
    EXPECT_EQ(tag_value(" v=1; d = example.com ;\r\n\ts=a\r\n b; bh=x=", "d"), "example.com");
    EXPECT_EQ(tag_value("v=1; s=a\r\n b", "s"), "ab");
    EXPECT_EQ(tag_value("bh=x=; b=y", "bh"), "x=");
    EXPECT_EQ(tag_value("bh=x=; b=y", "b"), "y");
    EXPECT_EQ(tag_value("v=1", "d"), "");
    EXPECT_EQ(tag_value("", "d"), "");
}

} // namespace
} // namespace penguin::dkim
