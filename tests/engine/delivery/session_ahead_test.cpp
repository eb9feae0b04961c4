// The next envelope behind the last octet of a body: one round trip a mail, and what every way of ending it leaves.
#include "tests/engine/delivery/session_play.h"

namespace penguin::delivery {
namespace {

const Script kBodyAndNext = {"BODY", "C RSET", "C MAIL", "C RCPT", "C DATA"};
const Script kFirstBody = kPipelining + kEnvelope + Script{"S 250 ok", "S 250 ok", "S 354 go"};

// Delivers two mails, the second announced while the first is sent.
awaitable<void> deliver_pair(const Client& client, asio::ip::tcp::endpoint target, MailPtr announced, MailPtr second,
                             std::vector<std::string>& out)
{
    auto session = co_await client.open(target);
    EXPECT_TRUE(session.has_value());
    if (!session) co_return;
    for (const bool is_first : {true, false}) {
        if (!is_first && !second) break;
        const MailPtr mail = is_first ? client.mail() : second;
        const NextMail next = [&announced, is_first] { return is_first ? announced : nullptr; };
        const Report report = co_await (*session)->deliver(mail, next);
        out.push_back(said(report.outcomes.front()) + (report.reusable ? "" : " (over)"));
    }
    co_await (*session)->quit();
}

Played play_pair(const Script& script, MailPtr announced, MailPtr second, const Client& client = {})
{
    asio::io_context io{1};
    ScriptedServer server{io, {script}};
    Played played;
    net::run_to_end(io,
                    deliver_pair(client, server.endpoint(), std::move(announced), std::move(second), played.messages));
    while (!server.ended()) io.run_one_for(10s);
    played.heard = server.heard();
    played.body = server.body();
    played.fault = server.fault();
    return played;
}

// The server has the whole next flight before it answers the body: one round trip a mail.
TEST(Session, TheNextEnvelopeTravelsBehindTheBody)
{
    const Script replies = {"S 250 taken", "S 250 reset", "S 250 ok", "S 250 ok", "S 354 go", "BODY", "S 250 taken"};
    for (const Script& hello :
         {kPipelining, kStartTls + Script{"S 220 go", "TLS", "C EHLO", "S 250-mx", "S 250 PIPELINING"}}) {
        const MailPtr mail = Client{}.mail();
        const Played played =
            play_pair(hello + kEnvelope + Script{"S 250 ok", "S 250 ok", "S 354 go"} + kBodyAndNext + replies + kQuit,
                      mail, mail);
        EXPECT_EQ(played.messages, (std::vector<std::string>(2, "answered body 250")));
        EXPECT_EQ(played.body, "Subject: x\r\n\r\n..dot\r\nend\r\n");
        EXPECT_EQ(played.fault, "");
    }
}

TEST(Session, NothingTravelsBehindTheBodyWithoutPipelining)
{
    const Script stepwise = {"C MAIL", "S 250 ok", "C RCPT", "S 250 ok", "C DATA", "S 354 go", "BODY", "S 250 taken"};
    const MailPtr mail = Client{}.mail();
    const Played played = play_pair(kPlain + stepwise + stepwise + kQuit, mail, mail);
    EXPECT_EQ(played.messages, (std::vector<std::string>(2, "answered body 250")));
    EXPECT_EQ(played.fault, "");
}

TEST(Session, AMailThatCannotGoIsNotAnnounced)
{
    Client broken;
    broken.message = "Subject: x\r\n\r\nbare\nline feed\r\n";
    const MailPtr mail = broken.mail();
    const Played played = play_pair(kFirstBody + Script{"BODY", "S 250 taken"} + kQuit, mail, mail);
    EXPECT_EQ(played.messages, (std::vector<std::string>{"answered body 250", "lost mail bad_value"}));
    EXPECT_EQ(played.fault, "");
}

TEST(Session, AnAnnouncedMailThatDoesNotComeEndsTheConnection)
{
    const MailPtr mail = Client{}.mail();
    const Script script =
        kFirstBody + kBodyAndNext + Script{"S 250 taken", "S 250 reset", "S 250 ok", "S 250 ok", "S 354 go", "STALL"};
    EXPECT_EQ(play_pair(script, mail, nullptr).heard.back(), "DATA"); // QUIT would be a line of the body
    const Played other = play_pair(script, mail, Client{}.mail());
    EXPECT_EQ(other.messages, (std::vector<std::string>{"answered body 250", "not_tried mail closed (over)"}));
    EXPECT_EQ(other.heard.back(), "DATA");
}

struct BehindCase {
    const char* name;
    Script replies; // to the first body, RSET, MAIL, RCPT, DATA and what follows
    std::vector<std::string> outcomes;
};

const BehindCase kBehind[] = {
    {"FirstRefused",
     {"S 552 no", "S 250 reset", "S 250 ok", "S 250 ok", "S 354 go", "BODY", "S 250 taken"},
     {"answered body 552", "answered body 250"}},
    {"FirstClosing", {"S 421 bye"}, {"answered body 421 (over)", "not_tried mail closed (over)"}},
    {"FirstLost", {}, {"lost body closed duplicate (over)", "not_tried mail closed (over)"}},
    {"DropsBehindTheFirst", {"S 250 taken"}, {"answered body 250", "not_tried mail closed (over)"}},
    {"ResetRefused", {"S 250 taken", "S 502 what"}, {"answered body 250", "not_tried mail closed (over)"}},
    {"ClosingAtReset", {"S 250 taken", "S 421 bye"}, {"answered body 250", "not_tried mail closed (over)"}},
    {"DropsBehindReset", {"S 250 taken", "S 250 reset"}, {"answered body 250", "not_tried mail closed (over)"}},
    {"NonsenseAtReset", {"S 250 taken", "S what?"}, {"answered body 250", "lost mail malformed (over)"}},
    {"MailRefused",
     {"S 250 taken", "S 250 reset", "S 451 later", "S 503 no", "S 503 no"},
     {"answered body 250", "answered mail 451"}},
    {"RcptRefused",
     {"S 250 taken", "S 250 reset", "S 250 ok", "S 550 no", "S 554 no", "C RSET", "S 250 reset"},
     {"answered body 250", "answered rcpt 550"}},
    {"DropsAtTheSecondBody",
     {"S 250 taken", "S 250 reset", "S 250 ok", "S 250 ok", "S 354 go", "BODY"},
     {"answered body 250", "lost body closed duplicate (over)"}},
};

class SessionBehind : public testing::TestWithParam<BehindCase> {};

TEST_P(SessionBehind, GivesTheseOutcomes)
{
    const MailPtr mail = Client{}.mail();
    const Played played = play_pair(kFirstBody + kBodyAndNext + GetParam().replies, mail, mail);
    EXPECT_EQ(played.messages, GetParam().outcomes);
    EXPECT_EQ(played.fault, "");
}

INSTANTIATE_TEST_SUITE_P(Servers, SessionBehind, testing::ValuesIn(kBehind),
                         [](const auto& info) { return info.param.name; });

} // namespace
} // namespace penguin::delivery
