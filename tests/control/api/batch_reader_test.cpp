#include "control/api/batch_reader.h"
#include "control/api/content_reader.h"

#include <gtest/gtest.h>

namespace penguin::control::api {
namespace {

Request request_with(std::string body)
{
    Request request;
    request.body = std::move(body);
    request.principal = Principal{.tenant = TenantId{Uuid::v7(wall_now())}, .scopes = {}, .subject = {}};
    return request;
}

std::string issues_of(const std::string& body)
{
    const auto batch = read_batch(request_with(body));
    if (batch) return "";
    if (batch.error().errors.empty()) return std::string{http::name_of(batch.error().code)};
    std::string text;
    for (const http::FieldError& error : batch.error().errors) text += error.field + " " + error.code + ";";
    return text;
}

TEST(BatchReader, ARefusedBatchNamesTheFieldThatIsWrong)
{
    using Refused = submit::BatchRefused;
    const auto field_of = [](const Refused& refused) { return problem_of(refused, "template").errors.at(0).field; };
    EXPECT_EQ(field_of({Refused::Kind::bad_content, "html: a tag is not closed", {}, ""}), "template");
    EXPECT_EQ(field_of({Refused::Kind::bad_request, "expires_at: not after now", {}, "expires_at"}), "expires_at");
}

TEST(BatchReader, ReadsATemplateWhole)
{
    const auto batch = read_batch(request_with(R"({
        "template": {"dialect": "mustache", "from": {"email": "s@acme.example", "name": "Acme"},
                     "reply_to": {"email": "r@acme.example"}, "subject": "Hi {{name}}", "text": "t", "html": "<p>h</p>",
                     "headers": {"X-Campaign": "7", "X-Other": "8"},
                     "attachments": [{"file_name": "a.txt", "content_type": "text/plain", "data": "aGVs\nbG8=", "content_id": "c"}],
                     "list_unsubscribe": "https://acme.example/u/{{id}}", "defaults": {"pitch": "news", "n": 5, "none": null},
                     "strict": true},
        "recipients": [{"email": "ann@example.net", "name": "Ann", "variables": {"a": "x", "b": 1.5, "c": true, "d": null}},
                       {"email": "not checked here"}],
        "campaign_id": "01936f8a-0000-7000-8000-000000000001", "mailbox_id": "01936f8a-0000-7000-8000-000000000002",
        "priority": "high", "not_before": "2026-11-24T00:00:00Z", "expires_at": "2026-11-25T00:00:00+01:00"})"));
    ASSERT_TRUE(batch) << batch.error().detail;
    const auto& content = std::get<TemplateContent>(batch->content);
    EXPECT_EQ(content.from.name, "Acme");
    EXPECT_EQ(content.reply_to->address.text(), "r@acme.example");
    EXPECT_EQ(content.headers,
              (std::vector<std::pair<std::string, std::string>>{{"X-Campaign", "7"}, {"X-Other", "8"}}));
    ASSERT_EQ(content.attachments.size(), 1U);
    EXPECT_EQ(content.attachments[0].data, "hello");
    EXPECT_EQ(content.defaults, (std::vector<std::pair<std::string, std::string>>{{"pitch", "news"}, {"n", "5"}}));
    EXPECT_TRUE(content.strict);
    ASSERT_EQ(batch->recipients.size(), 2U);
    EXPECT_EQ(batch->recipients[0].vars, R"({"a":"x","b":1.5E0,"c":true})");
    EXPECT_EQ(batch->recipients[1].vars, "");
    EXPECT_EQ(batch->prio, queue::Priority::high);
    EXPECT_TRUE(batch->campaign && batch->mailbox && batch->not_before && batch->expires);
}

TEST(BatchReader, ReadsARawMessage)
{
    const auto batch = read_batch(request_with(
        R"({"raw": {"message": "RnJvbTogc0BhY21lLmV4YW1wbGUKU3ViamVjdDogSGkKCkhlbGxvCg==", "encoding": "base64", "variables": true},
            "recipients": [{"email": "ann@example.net"}]})"));
    ASSERT_TRUE(batch) << batch.error().detail;
    const auto& content = std::get<RawContent>(batch->content);
    EXPECT_EQ(content.from.text(), "s@acme.example");
    EXPECT_TRUE(content.has_variables);
    EXPECT_EQ(batch->prio, queue::Priority::normal);
}

struct Body {
    const char* name;
    std::string text;
    std::string issues;
};

std::string with_template(const std::string& fields)
{
    return R"({"template": {"from": {"email": "s@a.example"}, "subject": "s", "text": "t")" +
           (fields.empty() ? "" : ", " + fields) + R"(}, "recipients": [{"email": "ann@example.net"}]})";
}

const Body kBodies[] = {
    {"Nothing", "{}", "template required;recipients required;"},
    {"Both", R"({"template": {}, "raw": {}, "recipients": []})", "raw bad_value;recipients too_few;"},
    {"EmptyTemplate", R"({"template": {}, "recipients": [{"email": "a@b.example"}]})",
     "template.from required;template.subject required;template.text required;"},
    {"Tenant", with_template("").replace(1, 0, R"("tenant_id": "x", )"), "tenant_id unknown_field;"},
    {"Jinja", with_template(R"("dialect": "jinja")"), "unsupported_template_dialect"},
    {"DialectOfAnotherType", with_template(R"("dialect": 5)"), "template.dialect wrong_type;"},
    {"BadFrom",
     R"({"template": {"from": "s@a.example", "subject": "s", "text": "t"}, "recipients": [{"email": "a@b.example"}]})",
     "template.from wrong_type;"},
    {"BadHeaders", with_template(R"("headers": {"X-A": 5})"), "template.headers.X-A wrong_type;"},
    {"BadAttachment", with_template(R"("attachments": [{"file_name": "a", "content_type": "t/p", "data": "!"}, 5])"),
     "template.attachments[0].data bad_format;template.attachments[1] wrong_type;"},
    {"BadRaw", R"({"raw": {"message": "no header"}, "recipients": [{"email": "a@b.example"}]})",
     "raw.message bad_value;"},
    {"RawWithTwoFroms",
     R"({"raw": {"message": "From: a@b.example\nFrom: c@d.example\n\nx"}, "recipients": [{"email": "a@b.example"}]})",
     "raw.message bad_value;"},
    {"BadRecipients",
     R"({"raw": {"message": "From: a@b.example\n\nx"}, "recipients": [{"email": 5}, {}, "a", {"email": "a@b.example",
         "variables": {"x": {"y": 1}}, "nmae": "x"}]})",
     "recipients[0].email wrong_type;recipients[1].email required;recipients[2] wrong_type;recipients[3].variables.x "
     "wrong_type;"
     "recipients[3].nmae unknown_field;"},
    {"BadEnvelope",
     with_template("").replace(1, 0, R"("priority": "urgent", "campaign_id": "7", "not_before": "soon", )"),
     "campaign_id bad_format;priority bad_value;not_before bad_format;"},
    {"TwoVariables", R"({"recipients": [{"email": "a@b.example", "variables": {"x": 1, "x": 2}}]})",
     "recipients[0].variables.x duplicate_field;"},
};

class BatchReaderTest : public testing::TestWithParam<Body> {};
TEST_P(BatchReaderTest, NamesEverythingThatIsWrong) { EXPECT_EQ(issues_of(GetParam().text), GetParam().issues); }
INSTANTIATE_TEST_SUITE_P(Bodies, BatchReaderTest, testing::ValuesIn(kBodies),
                         [](const auto& row) { return row.param.name; });

} // namespace
} // namespace penguin::control::api
