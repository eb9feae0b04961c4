#include "control/http/json_reader.h"

#include <boost/json/array.hpp>
#include <gtest/gtest.h>

namespace penguin::control::http {
namespace {

namespace json = boost::json;

// Reads the body as a resource would, and gives "field code" of each issue.
std::vector<std::string> issues_of(std::string_view body)
{
    const auto document = parse_json(body);
    if (!document) {
        std::vector<std::string> lines{std::string{name_of(document.error().code)}};
        for (const FieldError& error : document.error().errors) lines.push_back(error.field + " " + error.code);
        return lines;
    }
    const auto object = object_of(*document);
    if (!object) return {object.error().errors.front().field + " " + object.error().errors.front().code};
    Issues issues;
    ObjectReader reader{**object, issues};
    reader.text("name", {.min = 1, .max = 5});
    reader.number("weight", 0.5, 10);
    reader.boolean("on", false);
    reader.optional_uuid("id");
    reader.optional_time("at");
    reader.word("prio", {"high", "low"});
    reader.optional_array("list", 2);
    if (reader.has("from")) reader.address("from");
    if (reader.has("host")) reader.domain("host");
    if (const json::object* inner = reader.optional_object("inner")) {
        Path path = reader.path_of("inner");
        ObjectReader nested{*inner, issues, path};
        nested.text("deep");
        nested.finish();
    }
    reader.finish();
    if (issues.empty()) return {};
    const Problem problem = std::move(issues).problem();
    EXPECT_EQ(problem.code, Code::validation_failed);
    std::vector<std::string> lines;
    for (const FieldError& error : problem.errors) lines.push_back(error.field + " " + error.code);
    return lines;
}

struct Body {
    const char* name;
    std::string text;
    std::vector<std::string> issues;
};

const Body kBodies[] = {
    {"Right",
     R"({"name": "abc", "weight": 1, "on": true, "id": "01936f8a-0000-7000-8000-000000000000",
                  "at": "2026-11-24T04:29:07Z", "prio": "low", "list": [1, 2], "from": "a@b.example", "host": "b.example",
                  "inner": {"deep": "x"}})",
     {}},
    {"Empty", "", {"malformed_json"}},
    {"Blank", " \r\n", {"malformed_json"}},
    {"NotJson", "name=abc", {"malformed_json"}},
    {"NotAnObject", "[]", {"body wrong_type"}},
    {"Null", "null", {"body wrong_type"}},
    {"Missing", "{}", {"name required"}},
    {"NullIsNoText", R"({"name": null})", {"name wrong_type"}},
    {"WrongTypes",
     R"({"name": 1, "weight": "1", "on": "true", "id": 5, "at": 1, "prio": [], "list": {}, "inner": "x"})",
     {"name wrong_type", "weight wrong_type", "on wrong_type", "id wrong_type", "at wrong_type", "prio wrong_type",
      "list wrong_type", "inner wrong_type"}},
    {"OutOfRange",
     R"({"name": "abcdef", "weight": 11, "list": [1, 2, 3]})",
     {"name too_long", "weight out_of_range", "list too_many"}},
    {"TooSmall", R"({"name": "", "weight": 0.4})", {"name bad_format", "weight out_of_range"}},
    {"HugeNumber", R"({"name": "a", "weight": 1e400})", {"malformed_json"}},
    {"Nul", "{\"name\": \"a\\u0000\"}", {"name bad_format"}},
    {"BadForms",
     R"({"name": "a", "id": "5", "at": "yesterday", "prio": "urgent", "from": "a", "host": "a..b"})",
     {"id bad_format", "at bad_format", "prio bad_value", "from bad_address", "host bad_format"}},
    {"NilUuid", R"({"name": "a", "id": "00000000-0000-0000-0000-000000000000"})", {"id bad_format"}},
    {"Nested", R"({"name": "a", "inner": {"other": 1}})", {"inner.deep required", "inner.other unknown_field"}},
    {"Unknown", R"({"name": "a", "nmae": "b"})", {"nmae unknown_field"}},
    {"NoName",
     R"({"name": "a", "": 1, "inner": {"deep": "x", "": 2}})",
     {R"(inner."" unknown_field)", R"("" unknown_field)"}},
    {"NoNameTwice",
     R"({"": 1, "": 2, "a": {"": {"b": 1, "b": 2}}})",
     {"validation_failed", R"("" duplicate_field)", R"(a."".b duplicate_field)"}},
    {"Twice",
     R"({"name": "a", "inner": {"deep": "x", "deep": "y"}})",
     {"validation_failed", "inner.deep duplicate_field"}},
};

class JsonReaderTest : public testing::TestWithParam<Body> {};

TEST_P(JsonReaderTest, NamesEverythingThatIsWrong) { EXPECT_EQ(issues_of(GetParam().text), GetParam().issues); }
INSTANTIATE_TEST_SUITE_P(Bodies, JsonReaderTest, testing::ValuesIn(kBodies),
                         [](const auto& row) { return row.param.name; });

TEST(JsonReader, TakesNullForAbsentWhereTheResourceSaysSo)
{
    const auto document = *parse_json(R"({"name": null, "other": null})");
    Issues issues;
    ObjectReader reader{document.as_object(), issues, {}, Nulls::absent};
    EXPECT_EQ(reader.optional_text("name"), std::nullopt);
    EXPECT_FALSE(reader.has("other"));
    EXPECT_TRUE(issues.empty());
}

TEST(JsonReader, GivesPathsWithIndexes)
{
    const Path list{nullptr, "recipients", 3};
    const Path field{&list, "email", {}};
    EXPECT_EQ(field.text(), "recipients[3].email");
}

TEST(JsonReader, KeepsABoundedNumberOfIssues)
{
    Issues issues;
    for (std::size_t i = 0; i < 2 * Problem::kFieldErrorsMax; ++i) issues.add("f", "required", "is required");
    EXPECT_EQ(std::move(issues).problem().errors.size(), Problem::kFieldErrorsMax);
}

} // namespace
} // namespace penguin::control::http
