#include "control/api/inject_reader.h"

#include <gtest/gtest.h>

namespace penguin::control::api {
namespace {

const TenantId kTenant{Uuid::v7(wall_now())};

std::string body_with(const std::string& content, const std::string& more = "")
{
    return R"({"envelope_sender": "s@acme.example", "content": )" + content +
           R"(, "recipients": [{"email": "ann@example.net", "name": "Ann", "substitutions": {"name": "Annie", "n": 1}},
                               {"email": "bob@example.net", "name": null, "metadata": {"id": {"deep": 1}}}])" +
           (more.empty() ? "" : ", " + more) + "}";
}

constexpr const char* kRaw = R"("From: s@acme.example\nTo: {{email}}\nSubject: Hi {{name}}\n\nDear {{name}}\n")";
constexpr const char* kBuilt = R"({"text_body": "Dear {{name}}", "html_body": null, "subject": "Hi",
    "from": {"email": "s@acme.example", "name": null}, "reply_to": null, "headers": {"X-A": "1"},
    "attachments": [{"data": "hello", "content_type": "text/plain", "file_name": null},
                    {"data": "aGVsbG8=", "content_type": "text/plain", "base64": true, "content_id": "c"}]})";

std::string issues_of(const std::string& body)
{
    const auto batch = read_injection(body, kTenant);
    if (batch) return "";
    if (batch.error().errors.empty()) return std::string{http::name_of(batch.error().code)};
    std::string text;
    for (const http::FieldError& error : batch.error().errors) text += error.field + " " + error.code + ";";
    return text;
}

TEST(InjectReader, TakesTheMessageOfThePlatformsClient)
{
    const auto batch = read_injection(body_with(kRaw, R"("substitutions": {"n": 0, "city": "Oslo"})"), kTenant);
    ASSERT_TRUE(batch) << batch.error().detail;
    EXPECT_EQ(batch->tenant, kTenant);
    EXPECT_EQ(batch->sender->text(), "s@acme.example");
    const auto& content = std::get<RawContent>(batch->content);
    EXPECT_TRUE(content.has_variables);
    EXPECT_EQ(content.message.find("\n") - content.message.find("\r\n"), 1U) << "CRLF";
    ASSERT_EQ(batch->recipients.size(), 2U);
    EXPECT_EQ(batch->recipients[0].name, "Ann");
    EXPECT_EQ(batch->recipients[0].vars, R"({"name":"Annie","n":1,"city":"Oslo"})");
    EXPECT_EQ(batch->recipients[1].vars, R"({"n":0,"city":"Oslo"})");
}

TEST(InjectReader, TakesContentInParts)
{
    const auto batch = read_injection(body_with(kBuilt, R"("substitutions": {"n": 0})"), kTenant);
    ASSERT_TRUE(batch) << batch.error().detail;
    const auto& content = std::get<TemplateContent>(batch->content);
    EXPECT_EQ(content.text, "Dear {{name}}");
    ASSERT_EQ(content.attachments.size(), 2U);
    EXPECT_EQ(content.attachments[0].data, "hello");
    EXPECT_EQ(content.attachments[1].data, "hello");
    EXPECT_EQ(content.defaults, (std::vector<std::pair<std::string, std::string>>{{"n", "0"}}));
    EXPECT_EQ(batch->recipients[1].vars, "");
}

struct DialectCase {
    const char* name;
    std::string body;
    std::string issues;
};

const DialectCase kDialects[] = {
    {"Unnamed", body_with(kRaw), ""},
    {"Null", body_with(kRaw, R"("template_dialect": null)"), ""},
    {"Mustache", body_with(kRaw, R"("template_dialect": "Mustache")"), ""},
    {"Static", body_with(kRaw, R"("template_dialect": "Static")"), ""},
    {"Jinja", body_with(kRaw, R"("template_dialect": "Jinja")"), "unsupported_template_dialect"},
    {"Handlebars", body_with(kRaw, R"("template_dialect": "Handlebars")"), "unsupported_template_dialect"},
    {"JinjaUnnamed", body_with(R"("From: s@acme.example\n\n{% if name %}x{% endif %}")"),
     "unsupported_template_dialect"},
    {"JinjaUnnamedInParts",
     body_with(R"({"subject": "{% if a %}", "text_body": "t", "from": {"email": "s@acme.example"}})"),
     "unsupported_template_dialect"},
    {"PercentBraceIsFineWhenNamed",
     body_with(R"("From: s@acme.example\n\nuse {% in your page")", R"("template_dialect": "Static")"), ""},
    {"StaticPartsWithBraces", body_with(kBuilt, R"("template_dialect": "Static")"), "content.text_body bad_value;"},
};

class InjectDialect : public testing::TestWithParam<DialectCase> {};
TEST_P(InjectDialect, IsOneWeSpeakOrRefusedByName) { EXPECT_EQ(issues_of(GetParam().body), GetParam().issues); }
INSTANTIATE_TEST_SUITE_P(Dialects, InjectDialect, testing::ValuesIn(kDialects),
                         [](const auto& row) { return row.param.name; });

TEST(InjectReader, StaticReplacesNothing)
{
    const auto batch = read_injection(body_with(kRaw, R"("template_dialect": "Static")"), kTenant);
    ASSERT_TRUE(batch);
    EXPECT_FALSE(std::get<RawContent>(batch->content).has_variables);
}

TEST(InjectReader, TakesAndIgnoresWhatChangesNothing)
{
    EXPECT_EQ(issues_of(body_with(
                  kRaw, R"("deferred_spool": true, "deferred_generation": false, "trace_headers": {"a": true})")),
              "");
}

TEST(InjectReader, NamesWhatIsWrong)
{
    EXPECT_EQ(issues_of("{}"), "envelope_sender required;content required;recipients required;");
    EXPECT_EQ(issues_of(body_with("5")), "content wrong_type;");
    EXPECT_EQ(issues_of(body_with(R"("no header")")), "content bad_value;");
    EXPECT_EQ(issues_of(body_with(kRaw, R"("templates": 1)")), "templates unknown_field;");
    EXPECT_EQ(issues_of(body_with(R"({"subject": "s", "from": {"email": "s@acme.example"}, "amp_html_body": "x"})")),
              "content.amp_html_body unknown_field;content.text_body required;");
    EXPECT_EQ(issues_of(R"({"envelope_sender": "nobody", "content": "From: a@b.example\n\nx", "recipients": [5]})"),
              "envelope_sender bad_address;recipients[0] wrong_type;");
}

} // namespace
} // namespace penguin::control::api
