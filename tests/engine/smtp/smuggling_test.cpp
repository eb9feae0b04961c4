// SMTP smuggling and header injection: what a client, a recipient's data or a producer says never ends a message early and
// never adds a header field. Each published form of a false end goes by each way in, through the code that sends, to the
// octets of the wire.
#include <algorithm>
#include <array>
#include <functional>
#include <optional>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "engine/mail/base64.h"
#include "engine/queue/entry.h"
#include "engine/smtp/body_encoder.h"
#include "engine/smtp/content_decoder.h"
#include "tests/engine/mail/messages.h"

namespace penguin::smtp {
namespace {

using tests::request_for;
using tests::template_content;

struct End {
    const char* name;
    std::string octets;
};
// What some server has taken for the end of a message (SEC Consult 2023, CVE-2023-51764 to 51766, and later ones), and what
// a reader of other alphabets may take for a line end.
const End kEnds[] = {
    {"CrlfDotCrlf", "\r\n.\r\n"},
    {"LfDotLf", "\n.\n"},
    {"LfDotCrlf", "\n.\r\n"},
    {"LfDotCr", "\n.\r"},
    {"CrDotCr", "\r.\r"},
    {"CrDotLf", "\r.\n"},
    {"CrDotCrlf", "\r.\r\n"},
    {"CrlfDotLf", "\r\n.\n"},
    {"CrlfDotCr", "\r\n.\r"},
    {"LfLfDotCrlf", "\n\n.\r\n"},
    {"LfDotLfLf", "\n.\n\n"},
    {"CrlfDotCrCrlf", "\r\n.\r\r\n"},
    {"CrCrlfDotCrCrlf", "\r\r\n.\r\r\n"},
    {"LfCrDotLfCr", "\n\r.\n\r"},
    {"CrlfNulDotCrlf", std::string("\r\n\0.\r\n", 6)},
    {"CrlfDotNulCrlf", std::string("\r\n.\0\r\n", 6)},
    {"LfDotNulLf", std::string("\n.\0\n", 4)},
    {"VerticalTab", "\x0B.\x0B"},
    {"FormFeed", "\x0C.\x0C"},
    {"NextLine", "\xC2\x85.\xC2\x85"},
    {"LineSeparator", "\xE2\x80\xA8.\xE2\x80\xA8"},
    {"EightBitCrLf", "\x8D\x8A.\x8D\x8A"},
    {"HalfACrlf", "\r\n."},
    {"EndOfHeader", "\r\n\r\n.\r\n"},
};

std::string payload(const std::string& end)
{
    return "before" + end +
           "MAIL FROM:<evil@example.net>\r\nRCPT TO:<victim@example.net>\r\nDATA\r\nX-Smuggled: yes\r\n\r\nhello" +
           end + "after";
}

Result<std::string> rendered(const Result<Content>& content, const std::string& vars)
{
    if (!content) return std::unexpected{content.error()};
    // As it is stored and read again, when it is no raw message of a queue entry.
    const Result<Content> stored = parse_content(to_json(*content));
    if (!stored) return std::unexpected{stored.error()};
    const auto compiled = CompiledContent::compile(*stored);
    if (!compiled) return std::unexpected{compiled.error()};
    return (*compiled)->render(request_for(vars));
}

Result<std::string> raw(const std::string& message, const std::string& vars = "", bool has_variables = false)
{
    Result<RawContent> content = raw_from_client(message);
    if (!content) return std::unexpected{content.error()};
    content->has_variables = has_variables;
    return rendered(Content{std::move(*content)}, vars);
}

Result<std::string> made_with(const std::function<void(TemplateContent&)>& change, const std::string& vars = "")
{
    TemplateContent content = template_content();
    change(content);
    return rendered(Content{std::move(content)}, vars);
}

// JSON cannot carry octets that are no UTF-8: such a value never comes in.
std::string vars_with(const std::string& value) { return boost::json::serialize(boost::json::object{{"name", value}}); }

Result<std::string> from_queue_entry(const std::string& message)
{
    const std::string id = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
    const auto entry = queue::Entry::parse(boost::json::serialize(boost::json::object{{"v", 1},
                                                                                      {"id", id + ".7"},
                                                                                      {"tenant", id},
                                                                                      {"to", "ann@example.org"},
                                                                                      {"queued", 1},
                                                                                      {"raw", to_base64(message)}}));
    if (!entry) return std::unexpected{entry.error()};
    return raw(entry->raw);
}

struct Way {
    const char* name;
    std::function<Result<std::string>(const std::string&)> message;
    bool fields_are_ours = true; // a raw message's are the client's, and its body may need Content- fields more
};
void PrintTo(const Way& way, std::ostream* out) { *out << way.name; }

bool takes_one_line(const Way& way)
{
    constexpr std::array kNames{"UnsubscribeIsAVariable", "Subject",     "FromName", "ReplyToName", "HeaderValue",
                                "AttachmentName",         "AttachmentId"};
    return std::ranges::any_of(kNames, [&](std::string_view name) { return name == way.name; });
}

const std::string kRawHead = "From: a@example.com\r\nSubject: s\r\n";

const Way kWays[] = {
    {"RawBody", [](const std::string& p) { return raw(kRawHead + "\r\n" + p); }, false},
    {"RawHeader", [](const std::string& p) { return raw(kRawHead + "X-A: " + p + "\r\n\r\ntext\r\n"); }, false},
    {"RawSigned", [](const std::string& p) { return raw("DKIM-Signature: v=1\r\n" + kRawHead + "\r\n" + p); }, false},
    {"RawQuotedPrintable",
     [](const std::string& p) {
         return raw(kRawHead +
                    "Content-Transfer-Encoding: quoted-printable\r\nContent-Type: text/plain\r\n\r\n=0A.=0D=\n" + p);
     },
     false},
    {"RawPart",
     [](const std::string& p) {
         return raw(kRawHead + "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n" + p +
                    "\r\n--b\r\nContent-Type: application/octet-stream\r\n\r\n" + p + "\r\n--b--\r\n");
     },
     false},
    {"RawVariable",
     [](const std::string& p) {
         return raw("From: {{name}} <a@example.com>\r\nSubject: {{{name}}}\r\nX-A: {{{name}}}\r\n\r\n{{{name}}}\r\n",
                    vars_with(p), true);
     }},
    {"RawVariableInBase64",
     [](const std::string& p) {
         return raw(kRawHead + "Content-Transfer-Encoding: base64\r\nContent-Type: text/plain\r\n\r\n" +
                        to_base64("{{{name}}}") + "\r\n",
                    vars_with(p), true);
     }},
    {"QueueEntry", [](const std::string& p) { return from_queue_entry(kRawHead + "\r\n" + p + "\r\n"); }, false},
    {"Text", [](const std::string& p) { return made_with([&](auto& c) { c.text = p; }); }},
    {"Html", [](const std::string& p) { return made_with([&](auto& c) { c.html = p; }); }},
    {"VariableInText",
     [](const std::string& p) { return made_with([](auto& c) { c.text = "{{{name}}}\n{{name}}"; }, vars_with(p)); }},
    {"VariableInHtml",
     [](const std::string& p) { return made_with([](auto& c) { c.html = "<p>{{{name}}}</p>"; }, vars_with(p)); }},
    {"VariableInHeader",
     [](const std::string& p) {
         return made_with(
             [](auto& c) {
                 c.headers = {{"X-A", "{{{name}}}"}, {"Cc", "{{{name}}} <c@example.com>"}};
                 c.from.name = "{{{name}}}";
                 c.reply_to = NamedAddress{"{{name}}", *EmailAddress::parse("desk@example.com")};
                 c.subject = "{{{name}}}";
             },
             vars_with(p));
     }},
    {"VariableInUnsubscribe",
     [](const std::string& p) {
         return made_with([](auto& c) { c.list_unsubscribe = "https://u.example/{{name}}"; }, vars_with(p));
     }},
    {"UnsubscribeIsAVariable",
     [](const std::string& p) {
         return made_with([](auto& c) { c.list_unsubscribe = "{{{name}}}"; }, vars_with("https://u.example/" + p));
     }},
    {"Default", [](const std::string& p) { return made_with([&](auto& c) { c.defaults = {{"name", p}}; }, "{}"); }},
    {"Subject", [](const std::string& p) { return made_with([&](auto& c) { c.subject = p; }); }},
    {"FromName", [](const std::string& p) { return made_with([&](auto& c) { c.from.name = p; }); }},
    {"ReplyToName",
     [](const std::string& p) {
         return made_with([&](auto& c) { c.reply_to = NamedAddress{p, *EmailAddress::parse("desk@example.com")}; });
     }},
    {"HeaderValue", [](const std::string& p) { return made_with([&](auto& c) { c.headers = {{"X-A", p}}; }); }},
    {"AttachmentData",
     [](const std::string& p) {
         return made_with([&](auto& c) { c.attachments = {{"a.txt", "text/plain", p, ""}}; });
     }},
    {"AttachmentName",
     [](const std::string& p) { return made_with([&](auto& c) { c.attachments = {{p, "text/plain", "x", ""}}; }); }},
    {"AttachmentId",
     [](const std::string& p) {
         return made_with([&](auto& c) {
             c.html = "<p>";
             c.attachments = {{"a.png", "image/png", "x", p}};
         });
     }},
};

std::string wire_of(const Body& body)
{
    BodyEncoder encoder{body};
    std::string wire;
    while (!encoder.last())
        for (const std::string_view piece : encoder.next()) wire += piece;
    return wire;
}

// The content that our own receiver makes of it; nothing when it ends before the wire does, or breaks a rule.
std::optional<std::string> received(std::string_view wire)
{
    ContentDecoder decoder;
    std::string content;
    bool ended = false;
    while (!wire.empty() && !ended) {
        const ContentDecoder::Piece piece = decoder.take(wire);
        content += piece.content;
        ended = piece.ended;
    }
    if (!ended || !wire.empty() || decoder.fault()) return std::nullopt;
    return content;
}

// Lines of a reader that takes CR, LF and CRLF alike for a line's end.
std::size_t lone_dots(std::string_view wire)
{
    std::size_t dots = 0;
    std::string line;
    for (const char c : wire) {
        if (c != '\r' && c != '\n') {
            line += c;
            continue;
        }
        if (line == ".") ++dots;
        line.clear();
    }
    return dots;
}

class Smuggling : public testing::TestWithParam<Way> {};

TEST_P(Smuggling, NoFalseEndReachesTheWire)
{
    const Result<std::string> harmless = GetParam().message("before-and-after");
    ASSERT_TRUE(harmless) << harmless.error().detail;
    const std::vector<std::string> names = tests::field_names(*harmless);
    std::size_t reached = 0;
    for (const End& end : kEnds) {
        SCOPED_TRACE(end.name);
        const Result<std::string> message = GetParam().message(payload(end.octets));
        if (!message) continue; // refused before anything was sent
        const std::vector<std::string> fields = tests::field_names(*message);
        if (GetParam().fields_are_ours) EXPECT_EQ(fields, names);
        EXPECT_EQ(std::ranges::count(fields, "X-Smuggled"), 0);
        const Result<Body> body = Body::check(*message);
        if (!body) continue; // refused by the last check before the wire
        ++reached;
        const std::string wire = wire_of(*body);
        EXPECT_EQ(tests::bare_line_ends(wire), 0U);
        EXPECT_FALSE(wire.contains('\0'));
        EXPECT_TRUE(wire.ends_with("\r\n.\r\n"));
        EXPECT_EQ(lone_dots(wire), 1U) << wire;
        EXPECT_EQ(received(wire), message->ends_with("\r\n") ? *message : *message + "\r\n");
    }
    EXPECT_EQ(reached > 0, !takes_one_line(GetParam())) << reached;
}
INSTANTIATE_TEST_SUITE_P(EveryWayIn, Smuggling, testing::ValuesIn(kWays),
                         [](const auto& row) { return row.param.name; });

// What can be refused is refused where the client hears of it, not when the message is due.
TEST(SmugglingRefused, AtTheApiWhereThereIsNoOtherReading)
{
    for (const Way& way : kWays) {
        if (!takes_one_line(way)) continue;
        for (const End& end : kEnds) EXPECT_FALSE(way.message("a" + end.octets + "b\n")) << way.name << ' ' << end.name;
    }
}

// A producer's raw message must have its line ends right: nothing is mended there.
TEST(SmugglingRefused, InAQueueEntryWithABareLineEnd)
{
    for (const End& end : kEnds) {
        const std::string message = kRawHead + "\r\n" + payload(end.octets) + "\r\n";
        if (tests::bare_line_ends(message) > 0) EXPECT_FALSE(from_queue_entry(message)) << end.name;
    }
}

// The last check stands for itself: whatever made the message.
TEST(SmugglingRefused, ByTheEncoderWhateverMadeTheMessage)
{
    for (const End& end : kEnds) {
        const std::string message = "Subject: s\r\n\r\n" + payload(end.octets) + "\r\n";
        const bool wrong = tests::bare_line_ends(message) > 0 || message.contains('\0');
        EXPECT_EQ(Body::check(message).has_value(), !wrong) << end.name;
    }
}

TEST(SmugglingRefused, InAnAddress)
{
    for (const End& end : kEnds) {
        const bool harmless = end.octets.find_first_of(std::string_view{"\r\n\0\x0B\x0C", 5}) == std::string::npos;
        if (harmless) continue; // UTF-8 is text (RFC 6531); what is no UTF-8 is refused in address_test
        for (const std::string& text :
             {"a" + end.octets + "@example.com", "\"a" + end.octets + "\"@example.com",
              "a@exa" + end.octets + "mple.com", "a@example.com" + end.octets, end.octets + "a@example.com",
              "\"a\\" + end.octets + "\"@example.com", "a@example.com>" + end.octets + "RCPT TO:<b@example.com"})
            EXPECT_FALSE(EmailAddress::parse(text)) << end.name;
    }
    for (const char* text : {"a>@example.com", "a@example.com> SIZE=1", "<a@example.com>", "a b@example.com",
                             "a@example.com\t", "a,b@example.com", "a@example.com,b@example.com"})
        EXPECT_FALSE(EmailAddress::parse(text)) << text;
}

} // namespace
} // namespace penguin::smtp
