#include "engine/mail/template.h"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

namespace penguin {
namespace {

constexpr std::size_t kRoom = 64 * 1024;

Result<std::string> rendered(std::string_view source, std::string_view vars, Escape escape = Escape::none,
                             bool strict = false, std::size_t room = kRoom)
{
    const Result<Template> compiled = Template::compile(source, escape);
    if (!compiled) return std::unexpected{compiled.error()};
    const boost::json::value values = boost::json::parse(vars);
    const boost::json::object* const scopes[]{&values.get_object()};
    std::string out;
    if (Result<> done = compiled->render(scopes, strict, room, out); !done) return std::unexpected{done.error()};
    return out;
}

struct RenderCase {
    const char* name;
    const char* source;
    const char* vars;
    const char* out;
};
void PrintTo(const RenderCase& row, std::ostream* out) { *out << row.name; }

class TemplateRender : public testing::TestWithParam<RenderCase> {};

constexpr RenderCase kRenders[] = {
    {"NoTags", "plain } { text", "{}", "plain } { text"},
    {"Variable", "Hi {{name}}!", R"({"name":"Ann"})", "Hi Ann!"},
    {"WhiteSpaceInside", "{{  name\t}}|{{{ name }}}|{{& name }}", R"({"name":"A"})", "A|A|A"},
    {"Missing", "Hi {{name}}!", "{}", "Hi !"},
    {"Null", "Hi {{name}}!", R"({"name":null})", "Hi !"},
    {"Numbers", "{{a}} {{b}} {{c}} {{d}}", R"({"a":42,"b":-1,"c":1.5,"d":18446744073709551615})",
     "42 -1 1.5 18446744073709551615"},
    {"Truth", "{{a}} {{b}}", R"({"a":true,"b":false})", "true false"},
    {"ListAsText", "[{{a}}]", R"({"a":[1]})", "[]"},
    {"Dotted", "{{a.b.c}}", R"({"a":{"b":{"c":"deep"}}})", "deep"},
    {"DottedNowhere", "[{{a.b.c}}]", R"({"a":{"b":1}})", "[]"},
    {"DottedDoesNotLookOutside", "{{#s}}[{{a.b}}]{{/s}}", R"({"a":{"b":"out"},"s":{"a":{}}})", "[]"},
    {"SectionTrue", "{{#a}}yes{{/a}}", R"({"a":true})", "yes"},
    {"SectionZeroIsAValue", "{{#a}}yes{{/a}}", R"({"a":0})", "yes"},
    {"SectionFalse", "[{{#a}}yes{{/a}}]", R"({"a":false})", "[]"},
    {"SectionEmptyText", "[{{#a}}yes{{/a}}]", R"({"a":""})", "[]"},
    {"SectionEmptyList", "[{{#a}}yes{{/a}}]", R"({"a":[]})", "[]"},
    {"SectionText", "{{#company}}at {{company}}{{/company}}", R"({"company":"Acme"})", "at Acme"},
    {"SectionList", "{{#l}}<{{.}}>{{/l}}", R"({"l":[1,"b",true]})", "<1><b><true>"},
    {"SectionObjects", "{{#l}}{{n}}{{x}};{{/l}}", R"({"l":[{"n":1},{"n":2}],"x":"!"})", "1!;2!;"},
    {"ItemShadows", "{{#o}}{{n}}{{/o}}", R"({"o":{"n":"in"},"n":"out"})", "in"},
    {"Inverted", "{{^a}}none{{/a}}", "{}", "none"},
    {"InvertedTrue", "[{{^a}}none{{/a}}]", R"({"a":1})", "[]"},
    {"Nested", "{{#a}}{{#b}}x{{/b}}{{^c}}y{{/c}}{{/a}}", R"({"a":true,"b":true})", "xy"},
    {"Comment", "a{{! not seen }}b", "{}", "ab"},
    {"CommentOfLines", "a{{! not\nseen }}b", "{}", "ab"},
    {"StandAlone", "a\n  {{#x}}\nb\n  {{/x}}\nc", R"({"x":true})", "a\nb\nc"},
    {"StandAloneCrlf", "a\r\n{{#x}}\r\nb\r\n{{/x}}\r\nc", R"({"x":true})", "a\r\nb\r\nc"},
    {"StandAloneAtTheEnds", "{{#x}}\nb\n{{/x}}", R"({"x":true})", "b\n"},
    {"NotAlone", "a {{#x}} b {{/x}}\nc", R"({"x":true})", "a  b \nc"},
    {"TwoTagsOnALine", "{{#x}}{{/x}}\nc", R"({"x":true})", "\nc"},
    {"TagInAValueStaysText", "{{a}}", R"({"a":"{{b}}","b":"no"})", "{{b}}"},
    {"NonAsciiName", "{{pr\xC3\xA9nom}}", "{\"pr\xC3\xA9nom\":\"Zo\xC3\xAB\"}", "Zo\xC3\xAB"},
};

TEST_P(TemplateRender, GivesTheText)
{
    const Result<std::string> out = rendered(GetParam().source, GetParam().vars);
    ASSERT_TRUE(out) << out.error().detail;
    EXPECT_EQ(*out, GetParam().out);
}
INSTANTIATE_TEST_SUITE_P(Mustache, TemplateRender, testing::ValuesIn(kRenders),
                         [](const auto& row) { return row.param.name; });

struct RefusedCase {
    const char* name;
    const char* source;
    Errc code;
    const char* detail;
};
void PrintTo(const RefusedCase& row, std::ostream* out) { *out << row.name; }

class TemplateRefused : public testing::TestWithParam<RefusedCase> {};

constexpr RefusedCase kRefused[] = {
    {"Partial", "a\n {{> part}}", Errc::malformed, "line 2, column 2: partials"},
    {"SetDelimiter", "{{=<% %>=}}", Errc::malformed, "line 1, column 1: set-delimiters"},
    {"Inheritance", "{{<layout}}", Errc::malformed, "inheritance"},
    {"Helper", "{{#if x}}a{{/if}}", Errc::malformed, "\"if x\" is not a variable's name"},
    {"Filter", "{{ name | upper }}", Errc::malformed, "helpers, filters"},
    {"Quotes", "{{ \"a\" }}", Errc::malformed, "is not a variable's name"},
    {"NotClosed", "a {{name", Errc::malformed, "line 1, column 3: a tag is not closed"},
    {"TripleNotClosed", "{{{name}}", Errc::malformed, "a tag is not closed"},
    {"Empty", "{{ }}", Errc::malformed, "without a name"},
    {"EmptyPart", "{{a..b}}", Errc::malformed, "empty part"},
    {"EndsInADot", "{{a.}}", Errc::malformed, "empty part"},
    {"SectionNotClosed", "x{{#a}}", Errc::malformed, "line 1, column 2: section {{#a}} is not closed"},
    {"ClosesNothing", "{{/a}}", Errc::malformed, "{{/a}} closes no section"},
    {"ClosesAnother", "{{#a}}{{#b}}{{/a}}{{/b}}", Errc::malformed, "{{/a}} where {{/b}} is due"},
};

TEST_P(TemplateRefused, ByNameAndPosition)
{
    const Result<Template> compiled = Template::compile(GetParam().source, Escape::none);
    ASSERT_FALSE(compiled);
    EXPECT_EQ(compiled.error().code, GetParam().code);
    EXPECT_NE(compiled.error().detail.find(GetParam().detail), std::string::npos) << compiled.error().detail;
}
INSTANTIATE_TEST_SUITE_P(Mustache, TemplateRefused, testing::ValuesIn(kRefused),
                         [](const auto& row) { return row.param.name; });

TEST(Template, EscapesAsAsked)
{
    constexpr const char* kVars = R"({"v":"<a href=\"x\">'&</a>"})";
    EXPECT_EQ(*rendered("{{v}}", kVars, Escape::html), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&lt;/a&gt;");
    EXPECT_EQ(*rendered("{{{v}}}{{&v}}", R"({"v":"<b>"})", Escape::html), "<b><b>");
    EXPECT_EQ(*rendered("{{v}}", R"({"v":"a b/\u00e9~"})", Escape::url), "a%20b%2F%C3%A9~");
    EXPECT_EQ(*rendered("{{v}}|{{{v}}}", R"({"v":"x>, <e@f"})", Escape::name), "x    e@f|x    e@f");
}

TEST(Template, StrictNamesTheVariable)
{
    const Result<std::string> missing = rendered("{{first.name}}", "{}", Escape::none, true);
    EXPECT_EQ(missing.error().code, Errc::missing);
    EXPECT_NE(missing.error().detail.find("\"first.name\""), std::string::npos);
    EXPECT_EQ(rendered("{{a}}", R"({"a":null})", Escape::none, true).error().code, Errc::missing);
    EXPECT_EQ(rendered("{{a}}", R"({"a":{}})", Escape::none, true).error().code, Errc::bad_value);
    EXPECT_EQ(*rendered("{{#a}}x{{/a}}{{^a}}y{{/a}}", "{}", Escape::none, true), "y"); // a section may ask
    EXPECT_EQ(*rendered("{{a}}", R"({"a":""})", Escape::none, true), "");
}

TEST(Template, NearerScopesWin)
{
    const Template text = *Template::compile("{{a}}{{b}}", Escape::none);
    const boost::json::object near{{"a", "1"}};
    const boost::json::object far{{"a", "2"}, {"b", "3"}};
    const boost::json::object* const scopes[]{&near, &far};
    std::string out;
    ASSERT_TRUE(text.render(scopes, true, kRoom, out));
    EXPECT_EQ(out, "13");
}

TEST(Template, NestsSoDeepAndNoDeeper)
{
    const auto nested = [](std::size_t depth) {
        std::string source;
        for (std::size_t i = 0; i < depth; ++i) source += "{{#a}}";
        source += "x";
        for (std::size_t i = 0; i < depth; ++i) source += "{{/a}}";
        return source;
    };
    EXPECT_EQ(*rendered(nested(kDepthMax), R"({"a":true})"), "x");
    EXPECT_EQ(Template::compile(nested(kDepthMax + 1), Escape::none).error().code, Errc::too_long);
}

TEST(Template, OutputIsBounded)
{
    const std::string vars = R"({"v":")" + std::string(1000, 'x') + R"("})";
    EXPECT_TRUE(rendered("{{v}}", vars, Escape::none, false, 1000));
    EXPECT_EQ(rendered("{{v}}", vars, Escape::none, false, 999).error().code, Errc::too_long);
}

// Lists inside lists would render for years without a single octet of output.
TEST(Template, StepsAreBoundedEvenWithoutOutput)
{
    std::string list = "[0";
    for (int i = 0; i < 999; ++i) list += ",0";
    list += "]";
    const std::string source = "{{#l}}{{#l}}{{#l}}{{#l}}{{/l}}{{/l}}{{/l}}{{/l}}";
    EXPECT_EQ(rendered(source, R"({"l":)" + list + "}").error().code, Errc::too_long);
}

TEST(Template, TagsAreCounted)
{
    std::string source;
    for (std::size_t i = 0; i <= kNodesMax; ++i) source += "{{a}}";
    EXPECT_EQ(Template::compile(source, Escape::none).error().code, Errc::too_long);
}

TEST(Template, KnowsWhetherItVaries)
{
    EXPECT_TRUE(Template::compile("text {{! comment }}", Escape::none)->constant());
    EXPECT_FALSE(Template::compile("{{a}}", Escape::none)->constant());
    EXPECT_FALSE(Template::compile("{{#a}}x{{/a}}", Escape::none)->constant());
}

} // namespace
} // namespace penguin
