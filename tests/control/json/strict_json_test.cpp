#include "control/json/strict_json.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <gtest/gtest.h>

namespace penguin::control {
namespace {

struct BadJson {
    const char* name;
    std::string text;
    const char* reason; // part of it
};

const BadJson kBad[] = {
    {"Nothing", "", "not JSON"},
    {"Cut", R"({"a": )", "not JSON"},
    {"SingleQuotes", "{'a': 1}", "not JSON"},
    {"TrailingComma", R"({"a": 1,})", "not JSON"},
    {"Comment", "{/* no */}", "not JSON"},
    {"TwoValues", "{} {}", "text after"},
    {"TextAfter", "1 x", "text after"},
    {"NaN", R"({"a": NaN})", "not JSON"},
    {"Infinity", R"({"a": 1e400})", "not JSON"},
    {"ZeroTimesInfinity", R"({"a": 0e33333})", "not JSON"},
    {"LeadingZero", R"({"a": 01})", "not JSON"},
    {"BadUtf8", "{\"a\": \"\xC0\xAF\"}", "not JSON"},
    {"LoneSurrogate", R"({"a": "\ud800"})", "not JSON"},
    {"ControlOctet", "{\"a\": \"\x01\"}", "not JSON"},
    {"ByteOrderMark", "\xEF\xBB\xBF{}", "not JSON"},
    {"TooDeep", std::string(33, '[') + std::string(33, ']'), "deeper than 32 levels"},
};

class StrictJsonBad : public testing::TestWithParam<BadJson> {};

TEST_P(StrictJsonBad, IsRefusedWithTheReason)
{
    const auto value = parse_strict_json(GetParam().text);
    ASSERT_FALSE(value);
    EXPECT_NE(value.error().malformed.find(GetParam().reason), std::string::npos) << value.error().malformed;
}
INSTANTIATE_TEST_SUITE_P(Rfc8259, StrictJsonBad, testing::ValuesIn(kBad),
                         [](const auto& row) { return row.param.name; });

TEST(StrictJson, NamesFieldsThatComeTwiceByTheirPath)
{
    const auto value = parse_strict_json(R"({"a": 1, "b": [{"x": 1}, {"x": 1, "y": {"z": 1, "z": 2}}], "a": 2})");
    ASSERT_FALSE(value);
    EXPECT_EQ(value.error().malformed, "");
    EXPECT_EQ(value.error().duplicates, (std::vector<std::string>{"b[1].y.z", "a"}));
}

TEST(StrictJson, SeesThatAnEscapedNameIsTheSameName)
{
    const auto value = parse_strict_json(R"({"a": 1, "\u0061": 2})");
    ASSERT_FALSE(value);
    EXPECT_EQ(value.error().duplicates, std::vector<std::string>{"a"});
}

TEST(StrictJson, TakesEqualNamesInDifferentObjects)
{
    const auto value = parse_strict_json(R"([{"a": {"a": 1}}, {"a": 2}])");
    ASSERT_TRUE(value);
    EXPECT_EQ(value->as_array().size(), 2U);
}

TEST(StrictJson, TakesAsManyLevelsAndValuesAsAllowedAndNotOneMore)
{
    EXPECT_TRUE(parse_strict_json(std::string(32, '[') + std::string(32, ']')));
    const JsonLimits limits{.depth = 4, .values = 4};
    EXPECT_TRUE(parse_strict_json("[1,2,3]", limits));
    const auto over = parse_strict_json("[1,2,3,4]", limits);
    ASSERT_FALSE(over);
    EXPECT_EQ(over.error().malformed, "more than 4 values");
}

TEST(StrictJson, SaysWhereTheTextEnds)
{
    const auto value = parse_strict_json(R"({"a": 1, "b": ?})");
    ASSERT_FALSE(value);
    EXPECT_EQ(value.error().octet, 14U);
}

} // namespace
} // namespace penguin::control
