// Dialogues of the server's side: lines that a client sends, codes that it gets.
#include "engine/smtp/server_dialogue.h"

#include <gtest/gtest.h>

namespace penguin::smtp {
namespace {

using Event = ServerDialogue::Event;

struct Server {
    explicit Server(ServerDialogue::Options options = {}) : dialogue{std::move(options)}
    {
        dialogue.greet(Reply::make(220, {"ready"}));
        dialogue.output().clear();
    }

    // Gives the bytes all at once. Returns the codes of the replies: "250 250 354".
    std::string say(std::string_view bytes)
    {
        std::string_view input = bytes;
        for (;;) {
            const Event event = dialogue.next(input);
            switch (event) {
            case Event::need_octets: return codes();
            case Event::close: closed = true; return codes();
            case Event::content: content += dialogue.content(); break;
            case Event::aborted: ++aborted; break;
            case Event::message:
                messages.push_back(std::exchange(content, {}));
                recipients = dialogue.envelope().recipients.size();
                [[fallthrough]];
            case Event::hello:
            case Event::mail:
            case Event::rcpt:
            case Event::data:
            case Event::start_tls: answer(event); break;
            }
        }
    }

    void answer(Event event)
    {
        if (refuse_at == event)
            dialogue.answer(Reply::make(450, {"4.2.0 not now"}));
        else
            dialogue.accept();
    }

    std::string codes()
    {
        const std::string output = std::exchange(dialogue.output(), {});
        std::string out;
        for (std::size_t at = 0; at < output.size(); at = output.find("\r\n", at) + 2) {
            if (output[at + 3] == '-') continue;
            if (!out.empty()) out += ' ';
            out += output.substr(at, 3);
        }
        return out;
    }

    ServerDialogue dialogue;
    std::optional<Event> refuse_at;
    std::string content;
    std::vector<std::string> messages;
    std::size_t recipients = 0;
    std::size_t aborted = 0;
    bool closed = false;
};

// RFC 5321 4.2.1.
TEST(ServerDialogue, ARefusalHasTheLinesThatItWasGiven)
{
    ServerDialogue dialogue{{.name = "mx.example"}};
    dialogue.greet(Reply::make(220, {"ready", "for all"}));
    EXPECT_EQ(dialogue.output(), "220-mx.example ESMTP ready\r\n220 for all\r\n");
    dialogue.output().clear();
    std::string_view input = "EHLO c.example\r\n";
    ASSERT_EQ(dialogue.next(input), Event::hello);
    dialogue.answer(Reply::make(550, {"5.7.1 one", "5.7.1 two", "5.7.1 three"}));
    EXPECT_EQ(dialogue.output(), "550-5.7.1 one\r\n550-5.7.1 two\r\n550 5.7.1 three\r\n");
}

Server greeted(ServerDialogue::Options options = {})
{
    Server server{std::move(options)};
    EXPECT_EQ(server.say("EHLO c.example\r\n"), "250");
    return server;
}

TEST(ServerDialogue, TakesAMessage)
{
    Server server = greeted();
    EXPECT_EQ(server.say("MAIL FROM:<a@b.example>\r\n"), "250");
    EXPECT_EQ(server.say("RCPT TO:<c@d.example>\r\n"), "250");
    EXPECT_EQ(server.say("DATA\r\n"), "354");
    EXPECT_EQ(server.say("Subject: x\r\n\r\n..dot\r\n.\r\n"), "250");
    EXPECT_EQ(server.messages, (std::vector<std::string>{"Subject: x\r\n\r\n.dot\r\n"}));
    EXPECT_EQ(server.say("QUIT\r\n"), "221");
    EXPECT_TRUE(server.closed);
}

TEST(ServerDialogue, TakesThePipelinedForm)
{
    Server server = greeted();
    EXPECT_EQ(
        server.say("MAIL FROM:<> SIZE=3 BODY=8BITMIME SMTPUTF8\r\nRCPT TO:<c@d.example>\r\nrcpt to:<e@d.example>\r\n"
                   "DATA\r\n"),
        "250 250 250 354");
    // RFC 2920: the next envelope may come behind the final dot.
    EXPECT_EQ(server.say("x\r\n.\r\nRSET\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n"),
              "250 250 250 250 354");
    EXPECT_EQ(server.recipients, 2U);
    EXPECT_EQ(server.say("y\r\n.\r\n"), "250");
    EXPECT_EQ(server.messages, (std::vector<std::string>{"x\r\n", "y\r\n"}));
}

TEST(ServerDialogue, SameDialogueOctetByOctet)
{
    Server server{};
    std::string codes;
    for (const char c :
         std::string_view{"EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n.\r\nBDAT 1\r\n"
                          "xBDAT 0 LAST\r\nMAIL FROM:<>\r\nRCPT TO:<c@d.example>\r\nBDAT 2\r\nyyBDAT 3 LAST\r\n"
                          "y\r\nQUIT\r\n"})
        if (const std::string more = server.say({&c, 1}); !more.empty()) codes += (codes.empty() ? "" : " ") + more;
    EXPECT_EQ(codes, "250 250 250 354 250 503 503 250 250 250 250 221");
    EXPECT_EQ(server.messages, (std::vector<std::string>{"", "yyy\r\n"}));
}

struct RefusedCase {
    const char* name;
    const char* before; // commands, all taken
    const char* line;
    const char* code;
    bool closes;
};

constexpr RefusedCase kRefused[] = {
    {"Unknown", "", "WIZ\r\n", "502", false},
    {"EmptyLine", "", "\r\n", "500", false},
    {"MailTwice", "MAIL FROM:<>\r\n", "MAIL FROM:<>\r\n", "503", false},
    {"MailWithoutBrackets", "", "MAIL FROM:a@b\r\n", "501", false},
    {"MailWithASpace", "", "MAIL FROM: <a@b.example>\r\n", "501", false},
    {"MailBadAddress", "", "MAIL FROM:<a b@c>\r\n", "501", false},
    {"MailNoAddress", "", "MAIL\r\n", "501", false},
    {"MailGluedParameter", "", "MAIL FROM:<a@b.example>SIZE=1\r\n", "555", false},
    {"MailUnknownParameter", "", "MAIL FROM:<a@b.example> FOO=1\r\n", "555", false},
    {"MailBinary", "", "MAIL FROM:<a@b.example> BODY=BINARYMIME\r\n", "555", false},
    {"MailTooBig", "", "MAIL FROM:<a@b.example> SIZE=99999999999\r\n", "552", false},
    {"MailSizeNoNumber", "", "MAIL FROM:<a@b.example> SIZE=x\r\n", "501", false},
    {"MailUtf8Unsaid", "", "MAIL FROM:<\xC3\xA9@b.example>\r\n", "553", false},
    {"RcptFirst", "", "RCPT TO:<a@b.example>\r\n", "503", false},
    {"RcptNull", "MAIL FROM:<>\r\n", "RCPT TO:<>\r\n", "501", false},
    {"RcptParameter", "MAIL FROM:<>\r\n", "RCPT TO:<a@b.example> NOTIFY=NEVER\r\n", "555", false},
    {"RcptUtf8Unsaid", "MAIL FROM:<>\r\n", "RCPT TO:<\xC3\xA9@b.example>\r\n", "553", false},
    {"DataFirst", "", "DATA\r\n", "503", false},
    {"DataWithoutRecipient", "MAIL FROM:<>\r\n", "DATA\r\n", "554", false},
    {"DataWithArgument", "MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n", "DATA now\r\n", "501", false},
    {"DataAfterBdat", "MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nBDAT 1\r\nx", "DATA\r\n", "503", false},
    {"RcptAfterBdat", "MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nBDAT 1\r\nx", "RCPT TO:<c@b.example>\r\n", "503",
     false},
    {"BdatWithoutRecipient", "MAIL FROM:<>\r\n", "BDAT 3\r\nabc", "503", false},
    {"BdatWithoutSize", "MAIL FROM:<>\r\n", "BDAT\r\n", "501", true},
    {"BdatBadSize", "MAIL FROM:<>\r\n", "BDAT -1\r\n", "501", true},
    {"BdatHuge", "MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n", "BDAT 18446744073709551615\r\n", "552", true},
    {"StartTlsNotOffered", "", "STARTTLS\r\n", "502", false},
    {"EhloWithoutName", "", "EHLO\r\n", "501", false},
    {"EhloTwoNames", "", "EHLO a b\r\n", "501", false},
    {"ControlOctet", "", "NOOP \x01\r\n", "500", false},
    {"BareCrInside", "", "NOOP\rMAIL FROM:<>\r\n", "500", false},
    {"BareLf", "", "NOOP\n", "521", true},
    {"BareLfBehindData", "MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n", "DATA\n", "521", true},
    {"OctetsBehindData", "MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n", "DATA\r\nx", "503", true},
    {"OctetsBehindEhlo", "", "EHLO a\r\nMAIL FROM:<>\r\n", "503", true},
};

class ServerRefuses : public testing::TestWithParam<RefusedCase> {};

TEST_P(ServerRefuses, WithThisCode)
{
    const RefusedCase& row = GetParam();
    Server server = greeted();
    server.say(row.before);
    EXPECT_EQ(server.say(row.line), row.code);
    EXPECT_EQ(server.closed, row.closes);
    EXPECT_TRUE(server.messages.empty());
    if (!row.closes) {
        EXPECT_EQ(server.say("NOOP\r\n"), "250");
    }
}

INSTANTIATE_TEST_SUITE_P(Rfc5321, ServerRefuses, testing::ValuesIn(kRefused),
                         [](const auto& info) { return info.param.name; });

TEST(ServerDialogue, WantsEhloBeforeMail)
{
    Server server{};
    EXPECT_EQ(server.say("MAIL FROM:<>\r\n"), "503");
    EXPECT_EQ(server.say("HELO c\r\n"), "250");
    EXPECT_FALSE(server.dialogue.extended());
    EXPECT_EQ(server.say("MAIL FROM:<> SIZE=1\r\n"), "555"); // HELO: no extensions
    EXPECT_EQ(server.say("MAIL FROM:<>\r\n"), "250");
}

TEST(ServerDialogue, RefusedContentLeavesNoMessage)
{
    for (const std::string_view content : {"a\nb\r\n.\r\n", "a\rb\r\n.\r\n"}) {
        Server server = greeted();
        server.say("MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n");
        EXPECT_EQ(server.say(content), "550") << content;
        EXPECT_EQ(server.aborted, 1U);
        EXPECT_TRUE(server.messages.empty());
        EXPECT_EQ(server.say("MAIL FROM:<>\r\n"), "250");
    }
    Server chunks = greeted();
    EXPECT_EQ(chunks.say("MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nBDAT 3 LAST\r\na\nb"), "250 250 550");
}

TEST(ServerDialogue, RefusesAMessageOverItsSizeAndGoesOn)
{
    Server server = greeted({.size_max = 10});
    server.say("MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n");
    EXPECT_EQ(server.say("12345678\r\n1\r\n.\r\n"), "552");
    EXPECT_EQ(server.say("MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nBDAT 11 LAST\r\n12345678\r\nxNOOP\r\n"),
              "250 250 552 250");
    EXPECT_EQ(server.say("MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n"), "250 250 354");
    EXPECT_EQ(server.say("12345678\r\n.\r\n"), "250");
    EXPECT_EQ(server.messages.size(), 1U);
}

TEST(ServerDialogue, EndsAFloodOfContent)
{
    Server server = greeted({.size_max = 10});
    server.say("MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n");
    const std::string flood(1 << 20, 'x');
    std::size_t sent = 0;
    while (!server.closed && sent < 2 * ServerDialogue::kOverrunMax) {
        server.say(flood);
        sent += flood.size();
    }
    EXPECT_TRUE(server.closed);
    EXPECT_TRUE(server.content.empty());
}

TEST(ServerDialogue, ItsOwnerMayRefuseAnything)
{
    Server server = greeted();
    server.refuse_at = Event::mail;
    EXPECT_EQ(server.say("MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n"), "450 503");
    server.refuse_at = Event::rcpt;
    EXPECT_EQ(server.say("MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n"), "250 450 554");
    server.refuse_at = Event::data;
    EXPECT_EQ(server.say("RCPT TO:<a@b.example>\r\nDATA\r\n"), "250 450");
    server.refuse_at = Event::message;
    EXPECT_EQ(server.say("DATA\r\n"), "354");
    EXPECT_EQ(server.say("x\r\n.\r\n"), "450");
    EXPECT_EQ(server.say("DATA\r\n"), "503"); // the transaction is over
    server.refuse_at = Event::hello;
    EXPECT_EQ(server.say("EHLO c\r\n"), "450");
}

TEST(ServerDialogue, ARefusingGreetingLeavesOnlyQuit)
{
    ServerDialogue dialogue{{}};
    dialogue.greet(Reply::make(554, {"no"}));
    std::string_view input = "EHLO c\r\nQUIT\r\n";
    EXPECT_EQ(dialogue.next(input), Event::close);
    EXPECT_EQ(dialogue.output(), "554 no\r\n503 5.5.1 no service here\r\n221 2.0.0 bye\r\n");
}

TEST(ServerDialogue, ForgetsEverythingAtTls)
{
    Server server = greeted({.starttls = true});
    EXPECT_EQ(server.say("MAIL FROM:<>\r\n"), "250");
    EXPECT_EQ(server.say("STARTTLS\r\n"), "220");
    server.dialogue.tls_started();
    EXPECT_TRUE(server.dialogue.client_name().empty());
    EXPECT_EQ(server.say("MAIL FROM:<>\r\n"), "503");
    EXPECT_EQ(server.say("EHLO c\r\n"), "250");
    EXPECT_EQ(server.say("STARTTLS\r\n"), "503");
}

TEST(ServerDialogue, WhatIsInjectedBehindStartTlsEndsTheConnection)
{
    Server server = greeted({.starttls = true});
    EXPECT_EQ(server.say("STARTTLS\r\nEHLO evil\r\n"), "503");
    EXPECT_TRUE(server.closed);
}

TEST(ServerDialogue, OffersWhatItsOptionsSay)
{
    Server server{{.name = "mx.example", .size_max = 1000, .starttls = true, .chunking = false}};
    std::string_view input = "EHLO c\r\n";
    ASSERT_EQ(server.dialogue.next(input), Event::hello);
    server.dialogue.accept();
    EXPECT_EQ(server.dialogue.output(), "250-mx.example\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250-STARTTLS\r\n"
                                        "250-8BITMIME\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n250 HELP\r\n");
    server.dialogue.output().clear();
    EXPECT_EQ(server.say("BDAT 1\r\n"), "502");
}

TEST(ServerDialogue, WithoutPipeliningOneCommandAtATime)
{
    Server server = greeted({.pipelining = false});
    EXPECT_EQ(server.say("MAIL FROM:<>\r\n"), "250");
    EXPECT_EQ(server.say("RCPT TO:<a@b.example>\r\nDATA\r\n"), "503");
    EXPECT_TRUE(server.closed);
}

TEST(ServerDialogue, BoundsLinesErrorsAndRecipients)
{
    Server lines = greeted();
    EXPECT_EQ(lines.say("NOOP " + std::string(ServerDialogue::kCommandMax, 'x') + "\r\nNOOP\r\n"), "500 250");
    for (int i = 0; i < 100; ++i) EXPECT_EQ(lines.say(std::string(1000, 'x')), "");
    EXPECT_EQ(lines.say("\r\nNOOP\r\n"), "500 250");

    Server errors = greeted();
    std::string codes;
    for (std::size_t i = 0; i <= ServerDialogue::kErrorsMax; ++i) codes = errors.say("WIZ\r\n");
    EXPECT_EQ(codes, "421");
    EXPECT_TRUE(errors.closed);

    Server recipients = greeted();
    recipients.say("MAIL FROM:<>\r\n");
    for (std::size_t i = 0; i < ServerDialogue::kRecipientsMax; ++i)
        ASSERT_EQ(recipients.say("RCPT TO:<a@b.example>\r\n"), "250");
    EXPECT_EQ(recipients.say("RCPT TO:<a@b.example>\r\n"), "452");
}

TEST(ServerDialogue, ErrorsInParametersCountToo)
{
    Server server = greeted();
    std::string codes;
    for (std::size_t i = 0; i <= ServerDialogue::kErrorsMax; ++i) codes = server.say("MAIL FROM:<> X\r\n");
    EXPECT_EQ(codes, "421");
    EXPECT_TRUE(server.closed);
}

TEST(ServerDialogue, TakesMailForItsPostmaster)
{
    Server server = greeted({.name = "mx.example"});
    EXPECT_EQ(server.say("MAIL FROM:<>\r\nRCPT TO:<Postmaster>\r\n"), "250 250");
    EXPECT_EQ(server.dialogue.envelope().recipients.front().text(), "postmaster@mx.example");
}

TEST(ServerDialogue, HarmlessCommandsAreAnswered)
{
    Server server = greeted();
    EXPECT_EQ(server.say("NOOP\r\nRSET\r\nHELP\r\nVRFY x\r\n"), "250 250 214 252");
    EXPECT_EQ(server.say("MAIL FROM:<>\r\nRSET\r\n"), "250 250");
    EXPECT_EQ(server.aborted, 1U);
}

} // namespace
} // namespace penguin::smtp
