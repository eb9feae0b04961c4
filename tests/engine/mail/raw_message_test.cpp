#include "engine/mail/raw_message.h"

#include <gtest/gtest.h>

#include "engine/mail/header_encoding.h"
#include "tests/engine/mail/messages.h"

namespace penguin {
namespace {

using tests::field_of;
using tests::message_for;

TEST(RawMessage, TheWebClientsTextBecomesAMessage) // bare LF, no Date, no Message-ID
{
    const RawContent raw =
        raw_from_client("From: Sales <sales@example.com>\nTo: Ann <ann@example.org>\nSubject: Hi\n"
                        "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\nHello\n\n.\nBye")
            .value();
    EXPECT_EQ(raw.from.text(), "sales@example.com");
    const std::string message = message_for(raw, "");
    EXPECT_EQ(tests::bare_line_ends(message), 0U);
    EXPECT_EQ(field_of(message, "Date"), "Tue, 24 Nov 2026 04:29:07 +0000");
    EXPECT_EQ(field_of(message, "Message-ID"), "<017f22e2-79b0-7cc3-98c4-dc0c0c07398f.7@example.com>");
    EXPECT_TRUE(message.ends_with("\r\n\r\nHello\r\n\r\n.\r\nBye\r\n"));
}

TEST(RawMessage, WhatIsThereIsKept)
{
    const std::string whole =
        "Received: from a by b;\r\n\tTue, 24 Nov 2026 00:00:00 +0000\r\nDate: Tue, 24 Nov 2026 00:00:00 +0000\r\n"
        "message-id: <x@example.com>\r\nFrom: sales@example.com\r\nX-Odd:\r\n\r\nbody \r\n\r\n";
    EXPECT_EQ(raw_from_client(whole).value().message, whole);
    EXPECT_EQ(message_for(raw_from_client(whole).value(), ""), whole);
}

TEST(RawMessage, BccAndReturnPathAreForNobodysEyes)
{
    const RawContent raw =
        raw_from_client(
            "Return-Path: <x@y>\r\nFrom: a@example.com\r\nBCC: b@example.com,\r\n c@example.com\r\n\r\nx\r\n")
            .value();
    EXPECT_EQ(raw.message, "From: a@example.com\r\n\r\nx\r\n");
}

TEST(RawMessage, EightBitBecomesSevenBit)
{
    const RawContent raw =
        raw_from_client("From: Zo\xC3\xAB <a@example.com>\nTo: Zo\xC3\xAB <b@example.com>, c@example.com\n"
                        "Subject: caf\xC3\xA9\nContent-Type: text/plain; charset=utf-8\n\nA long enough caf\xC3\xA9\n")
            .value();
    EXPECT_TRUE(is_ascii(raw.message)) << raw.message;
    EXPECT_EQ(field_of(raw.message, "From"), "=?UTF-8?Q?Zo=C3=AB?= <a@example.com>");
    EXPECT_EQ(field_of(raw.message, "Subject"), "=?UTF-8?Q?caf=C3=A9?=");
    EXPECT_TRUE(raw.message.contains("Content-Transfer-Encoding: quoted-printable\r\n")) << raw.message;
    EXPECT_TRUE(raw.message.contains("MIME-Version: 1.0\r\n")) << raw.message;
    EXPECT_TRUE(raw.message.ends_with("\r\n\r\nA long enough caf=C3=A9\r\n")) << raw.message;
}

TEST(RawMessage, LongLinesOfTextAreEncoded)
{
    const std::string line(3000, 'x');
    const RawContent raw =
        raw_from_client("From: a@example.com\nX-Long: " + line + "\nSubject: a\n\n" + line + "\n").value();
    EXPECT_LE(tests::longest_line(raw.message), 998U);
    EXPECT_TRUE(raw.message.contains("Content-Transfer-Encoding: quoted-printable")) << raw.message.substr(0, 400);
}

TEST(RawMessage, MultipartPartsAreEncodedEachByItself)
{
    const RawContent raw =
        raw_from_client("From: a@example.com\nMIME-Version: 1.0\n"
                        "Content-Type: multipart/alternative; boundary=\"b\"\n\npreamble\n--b\n"
                        "Content-Type: text/plain; charset=utf-8\n\nplain\n--b\n"
                        "Content-Type: text/html; charset=utf-8\n\n<p>A long enough caf\xC3\xA9</p>\n--b--\n")
            .value();
    EXPECT_TRUE(is_ascii(raw.message)) << raw.message;
    EXPECT_TRUE(raw.message.contains("\r\n\r\nplain\r\n--b\r\n")) << raw.message;
    EXPECT_TRUE(raw.message.contains("<p>A long enough caf=C3=A9</p>\r\n--b--")) << raw.message;
}

TEST(RawMessage, SignedMailKeepsItsOctets)
{
    const std::string body = "\r\ncaf\xC3\xA9 {{name}}\r\n";
    for (const std::string& start :
         {std::string{"DKIM-Signature: v=1; d=example.com\r\nFrom: a@example.com\r\nBcc: b@example.com\r\n"},
          std::string{"From: a@example.com\r\nContent-Type: Multipart/Signed; boundary=x\r\n"}}) {
        RawContent raw = raw_from_client(start + body).value();
        EXPECT_EQ(raw.message, start + body);
        raw.has_variables = true;
        EXPECT_EQ(message_for(raw, R"({"name":"x"})"), start + body); // nothing is added, nothing is replaced
    }
    EXPECT_EQ(raw_from_client("DKIM-Signature: v=1\r\nFrom: a@example.com\r\n\r\n" + std::string(999, 'x') + "\r\n")
                  .error()
                  .code,
              Errc::malformed);
}

// What is signed is the part, not the header: Bcc goes all the same. And who writes about signed mail has not signed his own.
TEST(RawMessage, BccGoesFromMailWithASignedPart)
{
    const std::string nested =
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\ncontent-type:\r\n"
        "\tMultipart/Signed; boundary=b\r\n\r\n--b\r\n\r\ncaf\xC3\xA9\r\n--b--\r\n--a--\r\n";
    EXPECT_EQ(raw_from_client("From: a@example.com\r\nBcc: b@example.com\r\n" + nested).value().message,
              "From: a@example.com\r\n" + nested);
    RawContent talk = raw_from_client("From: a@example.com\r\nBcc: b@example.com\r\nSubject: multipart/signed\r\n\r\n"
                                      "Content-Type is multipart/signed there, {{name}}\r\n multipart/signed\r\n")
                          .value();
    EXPECT_FALSE(talk.message.contains("Bcc"));
    talk.has_variables = true;
    EXPECT_TRUE(message_for(talk, R"({"name":"Ann"})").contains("there, Ann\r\n"));
}

struct RefusedCase {
    const char* name;
    std::string message;
    Errc code;
    const char* detail;
};
void PrintTo(const RefusedCase& row, std::ostream* out) { *out << row.name; }
class RawRefused : public testing::TestWithParam<RefusedCase> {};

const RefusedCase kRefused[] = {
    {"Empty", "", Errc::malformed, "no header"},
    {"OnlyBody", "\r\nbody", Errc::malformed, "no header"},
    {"Nul", std::string("From: a@example.com\r\n\r\n\0", 24), Errc::malformed, "NUL"},
    {"NoColon", "From: a@example.com\r\nnonsense\r\n\r\n", Errc::malformed, "line 2 has no colon"},
    {"Mbox", "From a@example.com Tue Nov 24 00:00:00\r\nFrom: a@example.com\r\n\r\n", Errc::malformed, "no valid name"},
    {"NameWithSpace", "From: a@example.com\r\nX Y: z\r\n\r\n", Errc::malformed, "field 2 has no valid name"},
    {"StartsFolded", " x\r\nFrom: a@example.com\r\n\r\n", Errc::malformed, "starts with a space"},
    {"NoFrom", "To: a@example.com\r\n\r\n", Errc::bad_value, "no From field"},
    {"TwoFroms", "From: a@example.com\r\nfrom: b@example.com\r\n\r\n", Errc::bad_value, "more than one From field"},
    {"TwoMailboxes", "From: a@example.com, b@example.com\r\n\r\n", Errc::bad_value, "more than one mailbox"},
    {"FromWithoutAddress", "From: Ann\r\n\r\n", Errc::bad_value, "no address"},
    {"FromVariable", "From: {{x}}@example.com\r\n\r\n", Errc::bad_value, "a variable in the address"},
    {"HeaderNotUtf8", "From: a@example.com\r\nSubject: \xFF\r\n\r\n", Errc::malformed,
     "Subject: octets that are not UTF-8"},
    {"FromNotUtf8", "From: \xFF <a@example.com>\r\n\r\n", Errc::malformed, "From: octets that are not UTF-8"},
};

TEST_P(RawRefused, SaysWhy)
{
    const Result<RawContent> raw = raw_from_client(GetParam().message);
    ASSERT_FALSE(raw);
    EXPECT_EQ(raw.error().code, GetParam().code);
    EXPECT_TRUE(raw.error().detail.contains(GetParam().detail)) << raw.error().detail;
}
INSTANTIATE_TEST_SUITE_P(Rfc5322, RawRefused, testing::ValuesIn(kRefused),
                         [](const auto& row) { return row.param.name; });

TEST(RawMessage, SizesAreBounded)
{
    EXPECT_EQ(raw_from_client("From: a@example.com\r\n\r\n" + std::string(kContentMax, 'x')).error().code,
              Errc::too_long);
    std::string fields = "From: a@example.com\r\n";
    for (std::size_t i = 0; i < kRawFieldsMax; ++i) fields += "X: y\r\n";
    EXPECT_EQ(raw_from_client(fields).error().code, Errc::too_long);
    std::string wide = "From: a@example.com\r\n";
    while (wide.size() < kRawHeaderMax) wide += "X: " + std::string(900, 'y') + "\r\n";
    EXPECT_EQ(raw_from_client(wide).error().code, Errc::too_long);
}

TEST(RawMessage, NormalisingTwiceChangesNothing)
{
    for (const char* text : {"From: Zo\xC3\xAB <a@example.com>\nSubject: \xC3\xA9\n\n\xC3\xA9",
                             "From: a@example.com\r\n\r\n", "From: a@example.com", "From: a@example.com\nSubject: x\n",
                             "From: a@example.com\nContent-Type: text/html\n\n<p>\rx</p>"}) {
        const std::string once = raw_from_client(text).value().message;
        EXPECT_EQ(raw_from_client(once).value().message, once);
    }
}

RawContent with_variables(std::string text)
{
    RawContent raw = raw_from_client(std::move(text)).value();
    raw.has_variables = true;
    return raw;
}

TEST(RawVariables, AreReplacedInHeaderAndText)
{
    const RawContent raw =
        with_variables("From: {{sender}} <a@example.com>\nTo: {{name}} <{{email}}>\nSubject: Hi {{name}}\n\n"
                       "Dear {{ name }}, {{email}}\n");
    const std::string message = message_for(raw, R"({"name":"Zo\u00eb","sender":"Sales"})");
    EXPECT_EQ(field_of(message, "From"), "Sales <a@example.com>");
    EXPECT_EQ(field_of(message, "To"), "=?UTF-8?Q?Zo=C3=AB?= <ann@example.org>");
    EXPECT_EQ(field_of(message, "Subject"), "=?UTF-8?Q?Hi_Zo=C3=AB?=");
    EXPECT_TRUE(message.ends_with("\r\n\r\nDear Zo=C3=AB, ann@example.org\r\n")) << message;
    EXPECT_TRUE(is_ascii(message));
}

TEST(RawVariables, WorkInsideEncodedPartsAndWords)
{
    const RawContent raw =
        with_variables("From: a@example.com\nSubject: =?utf-8?q?caf=C3=A9_{{name}}?=\nMIME-Version: 1.0\n"
                       "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n"
                       "Content-Transfer-Encoding: base64\n\nPHA+e3tuYW1lfX08L3A+\n--b\n"
                       "Content-Type: text/plain\nContent-Disposition: attachment\n\n{{name}}\n--b--\n");
    const std::string message = message_for(raw, R"({"name":"<Ann>"})");
    EXPECT_EQ(field_of(message, "Subject"), "=?UTF-8?Q?caf=C3=A9_=3CAnn=3E?=");
    EXPECT_TRUE(message.contains("<p>&lt;Ann&gt;</p>")) << message;        // a recipient's data is no markup
    EXPECT_TRUE(message.contains("\r\n\r\n{{name}}\r\n--b--")) << message; // an attachment stays what it is
}

TEST(RawVariables, NoValueCanAddAFieldOrAnAddress)
{
    const RawContent raw =
        with_variables("From: {{name}} <a@example.com>\nTo: {{{name}}} <b@example.com>\nSubject: {{name}}\n"
                       "X-Own: {{{name}}}\n\n{{{name}}}\n");
    const std::vector<std::string> names = tests::field_names(message_for(raw, R"({"name":"x"})"));
    for (const char* value :
         {R"(\r\nBcc: e@example.net)", R"(\n\nbody)", R"(\r)", R"(e@example.net>, <f@example.net)", R"(\u0000)",
          R"(\u00e9\r\nBcc: e@example.net)", R"(\u00e9>, <e@example.net)", R"({{email}})"}) {
        const std::string message = message_for(raw, std::string{R"({"name":")"} + value + "\"}");
        EXPECT_EQ(tests::field_names(message), names) << value;
        EXPECT_EQ(tests::bare_line_ends(message), 0U) << value;
        EXPECT_FALSE(field_of(message, "To").contains("<e@")) << message;
        EXPECT_EQ(parse_named_address(field_of(message, "From")).value().address.text(), "a@example.com") << message;
    }
}

TEST(RawVariables, StrictAndBadTemplates)
{
    RawContent raw = with_variables("From: a@example.com\nSubject: {{x}}\n\n\n");
    raw.strict = true;
    EXPECT_EQ(CompiledContent::compile(raw).value()->render(tests::request_for("{}")).error().code, Errc::missing);
    const Error jinja = CompiledContent::compile(with_variables("From: a@example.com\n\n{{ name | upper }}\n")).error();
    EXPECT_EQ(jinja.code, Errc::malformed);
    EXPECT_TRUE(jinja.detail.contains("text part 1")) << jinja.detail;
}

} // namespace
} // namespace penguin
