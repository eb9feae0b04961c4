#include "engine/mail/content.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "engine/mail/header_encoding.h"
#include "tests/engine/mail/messages.h"

namespace penguin {
namespace {

using tests::field_of;
using tests::message_for;
using tests::template_content;

TEST(ContentJson, TextAndParseAreInverse)
{
    TemplateContent content = template_content();
    content.reply_to = NamedAddress{"Desk", *EmailAddress::parse("desk@example.com")};
    content.html = "<p>{{name}}</p>";
    content.headers = {{"X-A", "1"}, {"X-A", "2"}};
    content.attachments = {{"a.pdf", "application/pdf", std::string("\0\xFF\r\n", 4), ""},
                           {"", "image/png", "png", "logo@x"}};
    content.list_unsubscribe = "https://u.example/{{name}}";
    content.defaults = {{"name", "friend"}, {"a", ""}};
    content.strict = true;
    const std::string json = to_json(content);
    const Result<Content> parsed = parse_content(json);
    ASSERT_TRUE(parsed) << parsed.error().detail;
    EXPECT_EQ(to_json(*parsed), json);
    EXPECT_EQ(std::get<TemplateContent>(*parsed).attachments[0].data, content.attachments[0].data);
    EXPECT_EQ(std::get<TemplateContent>(*parsed).headers, content.headers);

    RawContent raw = raw_from_client("From: a@example.com\n\nHi {{name}}\n").value();
    raw.has_variables = true;
    const std::string raw_json = to_json(raw);
    const Result<Content> raw_parsed = parse_content(raw_json);
    ASSERT_TRUE(raw_parsed) << raw_parsed.error().detail;
    EXPECT_EQ(to_json(*raw_parsed), raw_json);
    EXPECT_EQ(from_of(*raw_parsed).text(), "a@example.com");
}

TEST(ContentJson, IdIsTheHashOfTheText)
{
    EXPECT_EQ(content_id("abc").value(),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"); // FIPS 180-2
    TemplateContent other = template_content();
    other.strict = true;
    EXPECT_NE(content_id(to_json(other)), content_id(to_json(template_content())));
}

struct BadJson {
    const char* name;
    const char* json;
    const char* detail;
};
void PrintTo(const BadJson& row, std::ostream* out) { *out << row.name; }
class ContentJsonRefused : public testing::TestWithParam<BadJson> {};

#define HEAD R"({"kind":"template","from":{"email":"a@example.com"},"subject":"s","text":"t")"
constexpr BadJson kBadJson[] = {
    {"NotJson", "{", "not JSON"},
    {"Empty", "", "not JSON"},
    {"NotAnObject", "[]", "is not an object"},
    {"NoKind", "{}", "kind: is required"},
    {"OtherKind", R"({"kind":"mjml"})", "kind: is neither"},
    {"KindOfOtherType", R"({"kind":1})", "kind: is not text"},
    {"NoFrom", R"({"kind":"template","subject":"s","text":"t"})", "from: is required"},
    {"FromText", R"({"kind":"template","from":"a@example.com","subject":"s","text":"t"})", "from: is not an object"},
    {"FromBad", R"({"kind":"template","from":{"email":"a"},"subject":"s","text":"t"})", "from.email: no @"},
    {"FromUnknown", R"({"kind":"template","from":{"email":"a@example.com","x":1},"subject":"s","text":"t"})",
     "from.x: is not known"},
    {"NoSubject", R"({"kind":"template","from":{"email":"a@example.com"},"text":"t"})", "subject: is required"},
    {"NoBody", R"({"kind":"template","from":{"email":"a@example.com"},"subject":"s"})", "one of both"},
    {"Unknown", HEAD R"(,"cc":"x"})", "cc: is not known"},
    {"StrictText", HEAD R"(,"strict":"yes"})", "strict: is not true or false"},
    {"HeadersText", HEAD R"(,"headers":{"X":"y"}})", "headers: is not a list"},
    {"HeaderIncomplete", HEAD R"(,"headers":[{"name":"X"}]})", "headers[0].value: is required"},
    {"HeaderReserved", HEAD R"(,"headers":[{"name":"subject","value":"x"}]})", "headers[0].name: \"subject\" cannot"},
    {"HeaderContent", HEAD R"(,"headers":[{"name":"Content-Type","value":"x"}]})", "headers[0].name"},
    {"HeaderSignature", HEAD R"(,"headers":[{"name":"DKIM-Signature","value":"x"}]})", "headers[0].name"},
    {"HeaderName", HEAD R"(,"headers":[{"name":"X A","value":"x"}]})", "headers[0].name: is no header field name"},
    {"HeaderInjection", HEAD R"(,"headers":[{"name":"X-A","value":"x\r\nBcc: y"}]})", "headers[0].value: holds CR"},
    {"SubjectInjection", R"({"kind":"template","from":{"email":"a@example.com"},"subject":"s\nX: y","text":"t"})",
     "subject: holds CR"},
    {"FromNameInjection",
     R"({"kind":"template","from":{"email":"a@example.com","name":"a\r\nX: y"},"subject":"s","text":"t"})",
     "from.name: holds CR"},
    {"AttachmentData", HEAD R"(,"attachments":[{"content_type":"a/b","data":"?"}]})",
     "attachments[0].data: not base64"},
    {"AttachmentType", HEAD R"(,"attachments":[{"content_type":"a/b; x=y","data":""}]})",
     "attachments[0].content_type"},
    {"AttachmentMultipart", HEAD R"(,"attachments":[{"content_type":"multipart/mixed","data":""}]})",
     "cannot be attached"},
    {"AttachmentName", HEAD R"(,"attachments":[{"content_type":"a/b","data":"","file_name":"a\nb"}]})",
     "attachments[0].file_name"},
    {"ContentIdWithoutHtml", HEAD R"(,"attachments":[{"content_type":"a/b","data":"","content_id":"x"}]})", "no html"},
    {"UnsubscribePlain", HEAD R"(,"list_unsubscribe":"http://u.example"})", "list_unsubscribe: is not an https URL"},
    {"DefaultsList", HEAD R"(,"defaults":[]})", "defaults: is not an object"},
    {"DefaultsNumber", HEAD R"(,"defaults":{"a":1}})", "defaults.a: is not text"},
    {"RawNotBase64", R"({"kind":"raw","message":"From: a@b"})", "message: not base64"},
    {"RawWithFrom", R"({"kind":"raw","message":"RnJvbTogYUBleGFtcGxlLmNvbQ0KDQo=","from":"x@y.example"})",
     "from: is not known"},
    {"RawNoFrom", R"({"kind":"raw","message":"VG86IGFAYg0KDQo="})", "no From field"},
};

TEST_P(ContentJsonRefused, NamesTheFieldAndTheRule)
{
    const Result<Content> parsed = parse_content(GetParam().json);
    ASSERT_FALSE(parsed);
    EXPECT_NE(parsed.error().detail.find(GetParam().detail), std::string::npos) << parsed.error().detail;
}
INSTANTIATE_TEST_SUITE_P(Rules, ContentJsonRefused, testing::ValuesIn(kBadJson),
                         [](const auto& row) { return row.param.name; });

TEST(ContentLimits, AreKept)
{
    const auto code_of = [](const TemplateContent& content) { return CompiledContent::compile(content).error().code; };
    TemplateContent content = template_content();
    content.headers.assign(kHeadersMax + 1, {"X-A", "v"});
    EXPECT_EQ(code_of(content), Errc::too_long);
    content = template_content();
    content.attachments.assign(kAttachmentsMax + 1, {"a", "a/b", "", ""});
    EXPECT_EQ(code_of(content), Errc::too_long);
    content = template_content();
    content.text.assign(kContentMax, 'x');
    EXPECT_EQ(code_of(content), Errc::too_long);
    content = template_content();
    content.text = "{{#a}}";
    EXPECT_EQ(code_of(content), Errc::malformed);
}

TEST(TemplateMessage, HasWhatRfc5322AsksFor)
{
    const std::string message = message_for(template_content(), R"({"name":"Ann"})");
    EXPECT_EQ(field_of(message, "From"), "Sales <sales@example.com>");
    EXPECT_EQ(field_of(message, "To"), "Ann <ann@example.org>");
    EXPECT_EQ(field_of(message, "Subject"), "Hello Ann");
    EXPECT_EQ(field_of(message, "Date"), "Tue, 24 Nov 2026 04:29:07 +0000");
    EXPECT_EQ(field_of(message, "Message-ID"), "<017f22e2-79b0-7cc3-98c4-dc0c0c07398f.7@example.com>");
    EXPECT_EQ(field_of(message, "MIME-Version"), "1.0");
    EXPECT_TRUE(message.ends_with("\r\n\r\nHi Ann, ann@example.org\r\n")) << message;
}

TEST(TemplateMessage, IsTheSameEachTimeAndOnEachNode)
{
    TemplateContent content = template_content();
    content.html = "<p>{{name}}</p>";
    EXPECT_EQ(message_for(content, R"({"name":"Ann"})"), message_for(content, R"({"name":"Ann"})"));
}

TEST(TemplateMessage, DefaultsAndStrict)
{
    TemplateContent content = template_content();
    content.defaults = {{"name", "friend"}};
    content.strict = true;
    EXPECT_EQ(field_of(message_for(content, ""), "Subject"), "Hello friend");
    EXPECT_EQ(field_of(message_for(content, R"({"name":"Ann"})"), "Subject"), "Hello Ann");
    content.defaults.clear();
    const auto compiled = CompiledContent::compile(content).value();
    const Result<std::string> message = compiled->render(tests::request_for("{}"));
    EXPECT_EQ(message.error().code, Errc::missing);
    EXPECT_NE(message.error().detail.find("\"name\""), std::string::npos) << message.error().detail;
    EXPECT_EQ(compiled->render(tests::request_for("[]")).error().code, Errc::malformed);
    EXPECT_EQ(compiled->render(tests::request_for("{")).error().code, Errc::malformed);
}

TEST(TemplateMessage, Unsubscribe)
{
    TemplateContent content = template_content();
    content.list_unsubscribe = "https://u.example/u?t={{token}}";
    std::string message = message_for(content, R"({"token":"a/b c&d"})");
    EXPECT_EQ(field_of(message, "List-Unsubscribe"), "<https://u.example/u?t=a%2Fb%20c%26d>");
    EXPECT_EQ(field_of(message, "List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
    content.list_unsubscribe = "{{url}}";
    message = message_for(content, R"({"url":"https://v.example/x?y=z"})");
    EXPECT_EQ(field_of(message, "List-Unsubscribe"), "<https://v.example/x?y=z>");
    const auto compiled = CompiledContent::compile(content).value();
    for (const char* url : {"http://v.example", "", "https://x>,<https://y", "https://x\\r\\nBcc: y", "https://x y"})
        EXPECT_EQ(compiled->render(tests::request_for(std::string{R"({"url":")"} + url + "\"}")).error().code,
                  Errc::bad_value)
            << url;
}

constexpr const char* kHostile[] = {R"(\r\nBcc: evil@example.net)",
                                    R"(\nBcc: evil@example.net)",
                                    R"(\rBcc: evil@example.net)",
                                    R"(\r\n\r\n<html>evil)",
                                    R"(\u0000)",
                                    R"(\u2028Bcc: x)",
                                    R"({{email}})",
                                    R"({{{)",
                                    R"(=?utf-8?q?=0D=0ABcc:_x?=)",
                                    R"(a\", <evil@example.net>, \"b)",
                                    R"(\r\n.\r\nMAIL FROM:<x>)",
                                    R"(--=_alternative_)"};

// Whatever a recipient's data says: the header has the fields that the template has, and no others.
TEST(TemplateMessage, NoVariableCanAddAField)
{
    TemplateContent content = template_content();
    content.from.name = "{{name}}";
    content.reply_to = NamedAddress{"{{name}}", *EmailAddress::parse("desk@example.com")};
    content.html = "<p>{{name}}</p>";
    content.headers = {{"X-Name", "{{{name}}}"}, {"Cc", "{{{name}}} <cc@example.com>"}};
    content.list_unsubscribe = "https://u.example/{{name}}";
    const std::vector<std::string> names = tests::field_names(message_for(content, R"({"name":"Ann"})"));
    for (const char* value : kHostile) {
        const std::string message = message_for(content, std::string{R"({"name":")"} + value + "\"}");
        EXPECT_EQ(tests::field_names(message), names) << value;
        EXPECT_TRUE(is_ascii(message)) << value;
        EXPECT_EQ(tests::bare_line_ends(message), 0U) << value;
        EXPECT_LE(tests::longest_line(message), 998U) << value;
        EXPECT_FALSE(field_of(message, "Cc").contains("evil@example.net>")) << value;
    }
}

TEST(TemplateMessage, HugeValuesStayInTheirLines)
{
    TemplateContent content = template_content();
    content.headers = {{"X-Name", "{{name}}"}};
    for (const char octet : {'x', ' ', '"'}) {
        const std::string value = octet == '"' ? std::string{} : std::string(20'000, octet);
        const std::string message = message_for(content, R"({"name":")" + value + "\"}");
        EXPECT_LE(tests::longest_line(message), 998U);
    }
    const auto compiled = CompiledContent::compile(content).value();
    const std::string huge = R"({"name":")" + std::string(200'000, 'x') + "\"}";
    EXPECT_EQ(compiled->render(tests::request_for(huge)).error().code, Errc::too_long);
}

TEST(TemplateMessage, CountsWhatACacheHolds)
{
    TemplateContent content = template_content();
    content.attachments = {{"a.bin", "application/octet-stream", std::string(100'000, 'x'), ""}};
    EXPECT_GT(CompiledContent::compile(content).value()->cost(), 130'000U);
    content.defaults = {{"logo", std::string(200'000, 'x')}};
    EXPECT_GT(CompiledContent::compile(content).value()->cost(), 330'000U);
}

TEST(TemplateMessage, TakesWhatItsTemplatesMakeFromWhatIsLeft)
{
    TemplateContent content = template_content(); // subject "Hello Ann", text "Hi Ann, ann@example.org\n"
    RenderRequest request = tests::request_for(R"({"name":"Ann"})");
    std::size_t left = 1'000;
    request.octets_left = &left;
    EXPECT_TRUE(CompiledContent::compile(content).value()->render(request));
    EXPECT_EQ(left, 1'000U - 9U - 24U);
    content.strict = true;
    content.text = "{{name}}{{nowhere}}";
    EXPECT_EQ(CompiledContent::compile(content).value()->render(request).error().code, Errc::missing);
    EXPECT_EQ(left, 1'000U - 9U - 24U - 9U - 3U) << "a failure takes what it made";
    content.text = std::string(2'000, 'x') + "{{name}}";
    const auto compiled = CompiledContent::compile(content).value();
    EXPECT_EQ(compiled->render(request).error().code, Errc::too_long);
    EXPECT_EQ(left, 0U);
    request.octets_left = nullptr;
    EXPECT_TRUE(compiled->render(request));
}

} // namespace
} // namespace penguin
