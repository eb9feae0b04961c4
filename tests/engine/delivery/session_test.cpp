// The session over real sockets against servers that do what servers do: answer, refuse, drop, stall, babble, lie.
#include "engine/delivery/session.h"

#include "tests/engine/delivery/session_play.h"

namespace penguin::delivery {
namespace {

TEST(Session, DeliversWithPipelining)
{
    const Played played = play(kPipelining + kTaken + kQuit);
    EXPECT_EQ(played.messages, (std::vector<std::string>{"answered body 250"}));
    EXPECT_EQ(played.body, "Subject: x\r\n\r\n..dot\r\nend\r\n");
    EXPECT_EQ(played.heard, (std::vector<std::string>{"EHLO out.example", "MAIL FROM:<from@s.example>",
                                                      "RCPT TO:<r0@d.example>", "DATA", "QUIT"}));
    EXPECT_EQ(played.fault, "");
}

TEST(Session, DeliversStepByStepToAServerWithoutPipelining)
{
    const Played played =
        play(kPlain + Script{"C MAIL", "S 250 ok", "C RCPT", "S 250 ok", "C DATA", "S 354 go", "BODY", "S 250 taken"} +
             kQuit);
    EXPECT_EQ(played.messages, (std::vector<std::string>{"answered body 250"}));
    EXPECT_EQ(played.fault, "");
}

TEST(Session, FallsBackToHelo)
{
    const Played played = play(Script{"S 220 mx", "C EHLO", "S 502 what", "C HELO out.example", "S 250 old",
                                      "C MAIL FROM:<from@s.example>", "S 250 ok", "C RCPT", "S 250 ok", "C DATA",
                                      "S 354 go", "BODY", "S 250 taken"} +
                               kQuit);
    EXPECT_EQ(played.messages, (std::vector<std::string>{"answered body 250"}));
    EXPECT_EQ(played.fault, "");
}

TEST(Session, CarriesOneMessageAfterAnother)
{
    const Played played = play(kPipelining + kTaken + kTaken + kTaken + kQuit, {}, 3);
    EXPECT_EQ(played.messages, (std::vector<std::string>(3, "answered body 250")));
    EXPECT_EQ(played.fault, "");
}

TEST(Session, GoesOnAfterARefusal)
{
    const Played played =
        play(kPipelining +
                 Script{"C MAIL", "C RCPT", "C DATA", "S 250 ok", "S 550 5.1.1 no", "S 503 no", "C RSET", "S 250 ok"} +
                 kTaken + kQuit,
             {}, 2);
    EXPECT_EQ(played.messages, (std::vector<std::string>{"answered rcpt 550", "answered body 250"}));
    EXPECT_EQ(played.fault, "");
}

struct FaultCase {
    const char* name;
    Script script;
    const char* outcome;
};

const FaultCase kFaults[] = {
    // refusals
    {"GreetingRefuses", {"S 554 no"}, "open: answered greeting 554"},
    {"GreetingDefers", {"S 421 busy"}, "open: answered greeting 421"},
    {"EhloDefers", {"S 220 mx", "C EHLO", "S 450 later"}, "open: answered ehlo 450"},
    {"EhloAndHeloRefused", {"S 220 mx", "C EHLO", "S 550 no", "C HELO", "S 550 no"}, "open: answered ehlo 550"},
    {"ClosingAtEhlo", {"S 220 mx", "C EHLO", "S 421 bye"}, "open: answered ehlo 421"},
    {"ClosingAtMail", kPipelining + kEnvelope + Script{"S 421 bye"}, "answered mail 421 (over)"},
    {"ClosingAtRcpt", kPipelining + kEnvelope + Script{"S 250 ok", "S 421 bye"}, "answered rcpt 421 (over)"},
    {"ClosingAtData", kPipelining + kEnvelope + Script{"S 250 ok", "S 250 ok", "S 421 bye"},
     "answered data 421 (over)"},
    {"ClosingAtTheFinalDot", kPipelining + kEnvelope + Script{"S 250 ok", "S 250 ok", "S 354 go", "BODY", "S 421 bye"},
     "answered body 421 (over)"},
    // drops
    {"DropsAtOnce", {}, "open: lost greeting closed"},
    {"ResetsAtOnce", {"RESET"}, "open: lost greeting closed"},
    {"DropsAtEhlo", {"S 220 mx", "C EHLO"}, "open: lost ehlo closed"},
    {"DropsAtMail", kPipelining + kEnvelope, "lost mail closed (over)"},
    {"DropsAtRcpt", kPipelining + kEnvelope + Script{"S 250 ok"}, "lost rcpt closed (over)"},
    {"DropsAtData", kPipelining + kEnvelope + Script{"S 250 ok", "S 250 ok"}, "lost data closed (over)"},
    {"DropsBehindTheBody", kPipelining + kEnvelope + Script{"S 250 ok", "S 250 ok", "S 354 go", "BODY"},
     "lost body closed duplicate (over)"},
    {"ResetsBehindTheBody", kPipelining + kEnvelope + Script{"S 250 ok", "S 250 ok", "S 354 go", "BODY", "RESET"},
     "lost body closed duplicate (over)"},
    // half lines
    {"HalfAGreeting", {"RAW 22"}, "open: lost greeting closed"},
    {"HalfAnEhlo", {"S 220 mx", "C EHLO", "S 250-mx"}, "open: lost ehlo closed"},
    {"HalfAReplyToTheBody", kPipelining + kEnvelope + Script{"S 250 ok", "S 250 ok", "S 354 go", "BODY", "RAW 25"},
     "lost body closed duplicate (over)"},
    // nonsense
    {"SpeaksHttp", {"S HTTP/1.1 400 Bad Request"}, "open: lost greeting malformed"},
    {"NonsenseAtMail", kPipelining + kEnvelope + Script{"S what?"}, "lost mail malformed (over)"},
    {"NonsenseBehindTheBody", kPipelining + kEnvelope + Script{"S 250 ok", "S 250 ok", "S 354 go", "BODY", "S ok!"},
     "lost body malformed duplicate (over)"},
    {"LineWithoutEnd", kPipelining + kEnvelope + Script{"RAW 250 " + std::string(9000, 'x')},
     "lost mail malformed (over)"},
    // lies and babble
    {"IntermediateGreeting", {"S 354 go"}, "open: lost greeting malformed"},
    {"TwoGreetings", {"S 220 mx\r\n220 mx again", "STALL"}, "open: lost ehlo malformed"},
    {"TwoRepliesToEhlo", {"S 220 mx", "C EHLO", "RAW 250 mx\r\n250 mx\r\n", "STALL"}, "lost mail malformed (over)"},
    {"ClosingBehindEhlo", {"S 220 mx", "C EHLO", "RAW 250 mx\r\n421 bye\r\n"}, "answered mail 421 (over)"},
    {"TakesDataForAMessage", kPipelining + kEnvelope + Script{"S 250 ok", "S 250 ok", "S 250 ok"},
     "lost data malformed (over)"},
    {"SaysYesBeforeTheBody",
     kPipelining + kEnvelope + Script{"RAW 250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n", "STALL"},
     "lost body malformed (over)"},
    {"RefusesBeforeTheBody",
     kPipelining + kEnvelope + Script{"RAW 250 ok\r\n250 ok\r\n354 go\r\n552 too big\r\n", "STALL"},
     "answered body 552 (over)"},
    {"BabblesForEver", kPipelining + kEnvelope + Script{"RAW " + std::string(300'000, '2')},
     "lost mail malformed (over)"},
    {"RepliesForEver",
     [] {
         std::string lines;
         while (lines.size() < 100'000) lines += "250-more\r\n";
         return kPipelining + kEnvelope + Script{"RAW " + lines};
     }(),
     "lost mail malformed (over)"},
    {"ExtraReplyBehindTheBody",
     kPipelining + kEnvelope + Script{"S 250 ok", "S 250 ok", "S 354 go", "BODY", "RAW 250 taken\r\n250 twice\r\n"},
     "answered body 250 (over)"},
    // no recipient accepted
    {"LoneDot", kPipelining + kEnvelope + Script{"S 250 ok", "S 550 no", "S 354 go", "C .", "S 554 none"},
     "answered rcpt 550"},
    {"DropsAtReset", kPipelining + kEnvelope + Script{"S 250 ok", "S 550 no", "S 554 no"}, "answered rcpt 550 (over)"},
    // STARTTLS
    {"TlsRefusedGoesOnInClear",
     kStartTls + Script{"S 454 not now", "C MAIL", "S 250 ok", "C RCPT", "S 250 ok", "C DATA", "S 354 go", "BODY",
                        "S 250 taken"},
     "answered body 250"},
    {"TlsClosing", kStartTls + Script{"S 421 bye"}, "open: answered tls 421"},
    {"TlsInjection", kStartTls + Script{"RAW 220 go\r\n250 injected\r\n", "STALL"}, "open: lost tls malformed"},
    {"TlsInjectedHalfLine", kStartTls + Script{"RAW 220 go\r\n25", "STALL"}, "open: lost tls malformed"},
    {"TlsGarbage", kStartTls + Script{"S 220 go", "HEAR", "S 220 this is no handshake", "STALL"},
     "open: lost tls tls_failed"},
    {"TlsDrops", kStartTls + Script{"S 220 go"}, "open: lost tls closed"},
    {"TlsLies", kStartTls + Script{"S 354 go"}, "open: lost tls malformed"},
    {"EhloRefusedBehindTls", kStartTls + Script{"S 220 go", "TLS", "C EHLO", "S 550 no"}, "open: answered ehlo 550"},
    {"DropsBehindTls", kStartTls + Script{"S 220 go", "TLS", "C EHLO"}, "open: lost ehlo closed"},
};

class SessionFault : public testing::TestWithParam<FaultCase> {};

TEST_P(SessionFault, GivesThisOutcome)
{
    const Played played = play(GetParam().script);
    EXPECT_EQ(played.messages.front(), GetParam().outcome);
    EXPECT_EQ(played.fault, "");
}

INSTANTIATE_TEST_SUITE_P(Servers, SessionFault, testing::ValuesIn(kFaults),
                         [](const auto& info) { return info.param.name; });

struct StallCase {
    const char* name;
    Script script;
    Duration SmtpTimeouts::* timeout; // made small
    const char* outcome;
};

const StallCase kStalls[] = {
    {"Greeting", {}, &SmtpTimeouts::greeting, "open: lost greeting timeout"},
    {"GreetingDrips",
     {"RAW 2", "PAUSE", "RAW 2", "PAUSE", "RAW 0"},
     &SmtpTimeouts::greeting,
     "open: lost greeting timeout"},
    {"Ehlo", {"S 220 mx", "C EHLO"}, &SmtpTimeouts::ehlo, "open: lost ehlo timeout"},
    {"StartTls", kStartTls, &SmtpTimeouts::ehlo, "open: lost tls timeout"},
    {"Handshake", kStartTls + Script{"S 220 go"}, &SmtpTimeouts::tls, "open: lost tls timeout"},
    {"Mail", kPipelining + kEnvelope, &SmtpTimeouts::mail, "lost mail timeout (over)"},
    {"Rcpt", kPipelining + kEnvelope + Script{"S 250 ok"}, &SmtpTimeouts::rcpt, "lost rcpt timeout (over)"},
    {"Data", kPipelining + kEnvelope + Script{"S 250 ok", "S 250 ok"}, &SmtpTimeouts::data, "lost data timeout (over)"},
    {"FinalDot", kPipelining + kEnvelope + Script{"S 250 ok", "S 250 ok", "S 354 go", "BODY"}, &SmtpTimeouts::final_dot,
     "lost body timeout duplicate (over)"},
    {"Reset", kPipelining + kEnvelope + Script{"S 250 ok", "S 550 no", "S 554 no", "C RSET"}, &SmtpTimeouts::reset,
     "answered rcpt 550 (over)"},
};

class SessionStall : public testing::TestWithParam<StallCase> {};

TEST_P(SessionStall, EndsAtTheTimeoutOfItsPhase)
{
    Client client;
    client.options.timeouts.*GetParam().timeout = 50ms;
    const Played played = play(GetParam().script + Script{"STALL"}, client);
    EXPECT_EQ(played.messages.front(), GetParam().outcome);
    EXPECT_EQ(played.fault, "");
}

INSTANTIATE_TEST_SUITE_P(Servers, SessionStall, testing::ValuesIn(kStalls),
                         [](const auto& info) { return info.param.name; });

TEST(Session, QuitIsBounded)
{
    Client client;
    client.options.timeouts.quit = 50ms;
    EXPECT_EQ(first(kPipelining + kTaken + Script{"C QUIT", "STALL"}, client), "answered body 250");
}

TEST(Session, AStalledBodyEndsAndIsNoDuplicate)
{
    Client client;
    client.message.clear();
    while (client.message.size() < (32U << 20))
        client.message += std::string(900, 'x') + "\r\n"; // more than sockets hold
    client.options.timeouts.body_block = 100ms;
    asio::io_context io{1};
    net::Listener listener{io};
    std::vector<std::string> messages;
    // A server that reads nothing behind its 354.
    std::unique_ptr<net::TcpStream> stream;
    asio::co_spawn(
        io,
        [](net::Listener& from, std::unique_ptr<net::TcpStream>& to) -> awaitable<void> {
            to = co_await from.accept();
            co_await net::write_text(*to, "220 mx\r\n");
            co_await net::read_text(*to, 10);
            co_await net::write_text(*to, "250-mx\r\n250 PIPELINING\r\n");
            co_await net::read_text(*to, 20);
            co_await net::write_text(*to, "250 ok\r\n250 ok\r\n354 go\r\n");
        }(listener, stream),
        asio::detached);
    net::run_to_end(io, deliver_all(client, listener.endpoint(), 1, messages));
    EXPECT_EQ(messages, (std::vector<std::string>{"lost body timeout (over)"}));
}

TEST(Session, TheAttemptHasItsOwnDeadline)
{
    Client client;
    client.options.attempt = 1s;
    const SteadyTime start = std::chrono::steady_clock::now();
    EXPECT_EQ(first(kPipelining + kEnvelope + Script{"STALL"}, client), "lost mail timeout (over)");
    EXPECT_LT(std::chrono::steady_clock::now() - start, 15s);
}

TEST(Session, CarriesABigMessageInPieces)
{
    Client client;
    client.message.clear();
    while (client.message.size() < (3U << 20))
        client.message += ".line " + std::string(client.message.size() % 900, 'x') + "\r\n";
    for (const Script& hello :
         {kPipelining, kStartTls + Script{"S 220 go", "TLS", "C EHLO", "S 250-mx", "S 250 PIPELINING"}}) {
        const Played played = play(hello + kTaken + kQuit, client);
        EXPECT_EQ(played.messages, (std::vector<std::string>{"answered body 250"}));
        std::string unstuffed;
        for (std::size_t at = 0; at < played.body.size();) {
            const std::size_t end = played.body.find('\n', at) + 1;
            unstuffed += played.body.substr(at + 1, end - at - 1); // each line begins with a stuffed dot
            at = end;
        }
        EXPECT_TRUE(unstuffed == client.message);
    }
}

TEST(Session, ARefusalInTheMiddleOfABigBodyIsHeard)
{
    Client client;
    client.message.clear();
    while (client.message.size() < (32U << 20)) client.message += std::string(900, 'x') + "\r\n";
    EXPECT_EQ(first(kPipelining + kEnvelope + Script{"S 250 ok", "S 250 ok", "S 354 go", "C x", "S 552 5.3.4 enough"},
                    client),
              "answered body 552 (over)");
}

TEST(Session, UsesTlsAndTheSecondEhlo)
{
    asio::io_context io{1};
    ScriptedServer server{
        io, {kStartTls + Script{"S 220 go", "TLS", "C EHLO", "S 250-mx", "S 250 PIPELINING"} + kTaken + kQuit}};
    net::run_to_end(io, [](asio::ip::tcp::endpoint target) -> awaitable<void> {
        const Client client;
        auto session = co_await client.open(target);
        EXPECT_TRUE(session.has_value());
        if (!session) co_return;
        EXPECT_TRUE((*session)->tls());
        EXPECT_TRUE((*session)->capabilities().pipelining);
        EXPECT_FALSE((*session)->capabilities().starttls);
        EXPECT_EQ((*session)->remote(), "mx.example (127.0.0.1)");
        const Report report = co_await (*session)->deliver(client.mail());
        EXPECT_EQ(said(report.outcomes.front()), "answered body 250");
        co_await (*session)->quit();
    }(server.endpoint()));
    EXPECT_EQ(server.fault(), "");
}

TEST(Session, SpeaksInClearWhenToldSo)
{
    Client client;
    client.options.starttls = false;
    EXPECT_EQ(first({"S 220 mx", "C EHLO", "S 250-mx", "S 250 STARTTLS", "C MAIL", "S 550 no"}, client),
              "answered mail 550");
    client.options.starttls = true;
    client.options.tls = nullptr;
    EXPECT_EQ(first({"S 220 mx", "C EHLO", "S 250-mx", "S 250 STARTTLS", "C MAIL", "S 550 no"}, client),
              "answered mail 550");
}

TEST(Session, SaysNothingInClearWhenTlsIsDemanded)
{
    Client client;
    client.options.demand_tls = true;
    EXPECT_EQ(first({"S 220 mx", "C EHLO", "S 250 mx"}, client), "open: lost tls tls_failed") << "not offered";
    EXPECT_EQ(first(kStartTls + Script{"S 454 not now"}, client), "open: lost tls tls_failed");
    EXPECT_EQ(first(kStartTls + Script{"S 220 go", "TLS", "C EHLO", "S 250 mx", "C MAIL", "S 550 no"}, client),
              "answered mail 550");
}

TEST(Session, NobodyListens)
{
    asio::io_context io{1};
    auto listener = std::make_optional<net::Listener>(io);
    const asio::ip::tcp::endpoint target = listener->endpoint();
    listener.reset();
    std::vector<std::string> messages;
    const Client client;
    net::run_to_end(io, deliver_all(client, target, 1, messages));
    EXPECT_EQ(messages, (std::vector<std::string>{"open: lost connect refused"}));
}

TEST(Session, RefusesContentThatCouldSmuggle)
{
    for (const char* content : {"a\nb\r\n", "a\rb\r\n", "a\r\n\n.\r\n"}) {
        Client client;
        client.message = content;
        const Played played = play(kPipelining + kQuit, client);
        EXPECT_EQ(played.messages, (std::vector<std::string>{"lost mail bad_value"}));
        EXPECT_EQ(played.heard, (std::vector<std::string>{"EHLO out.example", "QUIT"})); // nothing of it was said
    }
}

TEST(Session, RefusesEarlyWhatTheServerDoesNotTake)
{
    Client big;
    const Script small = {"S 220 mx", "C EHLO", "S 250-mx", "S 250 SIZE 10"};
    EXPECT_EQ(play(small + kQuit, big, 2).messages, (std::vector<std::string>(2, "lost mail too_long")));
    Client eight_bit;
    eight_bit.message = "\xC3\xA9\r\n";
    EXPECT_EQ(first(kPlain + kQuit, eight_bit), "lost mail bad_value");
}

// ---- connections that end while they are idle

TEST(Session, AnIdleConnectionThatEndedCostsNoMessageItsTurn)
{
    EXPECT_EQ(play(kPipelining + kTaken + Script{"NEXT"}, {}, 2).messages[1], "not_tried mail closed (over)");
    EXPECT_EQ(play(kPipelining + kTaken + Script{"NEXT", "S 421 idle too long"}, {}, 2).messages[1],
              "not_tried mail closed (over)");
    EXPECT_EQ(play(kPipelining + kTaken + Script{"NEXT", "S 250 by the way", "STALL"}, {}, 2).messages[1],
              "not_tried mail malformed (over)");
}

TEST(Session, AnEndThatCrossesOurCommandCostsNoMessageItsTurn)
{
    EXPECT_EQ(play(kPipelining + kTaken + Script{"C MAIL"}, {}, 2).messages[1], "not_tried mail closed (over)");
    // But what was answered was answered, and silence is no end.
    EXPECT_EQ(play(kPipelining + kTaken + kEnvelope + Script{"S 250 ok"}, {}, 2).messages[1],
              "lost rcpt closed (over)");
    EXPECT_EQ(play(kPipelining + kTaken + kEnvelope + Script{"S 421 limit"}, {}, 2).messages[1],
              "answered mail 421 (over)");
}

TEST(Session, IsOverOnceItIsOver)
{
    EXPECT_EQ(play(kPipelining + kEnvelope, {}, 2).messages,
              (std::vector<std::string>{"lost mail closed (over)", "not_tried mail closed (over)"}));
}

// ---- the permit

TEST(SessionPermit, IsAskedBeforeMail)
{
    Client client;
    client.permit = [] { return false; };
    const Played played = play(kPipelining + kQuit, client);
    EXPECT_EQ(played.messages, (std::vector<std::string>{"not_tried mail stale"}));
    EXPECT_EQ(played.heard, (std::vector<std::string>{"EHLO out.example", "QUIT"}));
}

TEST(SessionPermit, IsAskedBeforeTheLastOctet)
{
    for (const std::size_t size : {100UL, 3UL << 20}) {
        Client client;
        client.message.clear();
        while (client.message.size() < size) client.message += "text\r\n";
        client.permit = [asked = 0]() mutable { return asked++ == 0; };
        const Played played =
            play(kPipelining + kEnvelope + Script{"S 250 ok", "S 250 ok", "S 354 go", "BODY", "S 250 taken"}, client);
        EXPECT_EQ(played.messages, (std::vector<std::string>{"not_tried body stale (over)"}));
        EXPECT_EQ(played.body, "(closed)"); // the end of the body never came
    }
}

TEST(SessionPermit, KeepsWhatTheServerDecidedAlready)
{
    Client client;
    client.recipients = 2;
    client.permit = [asked = 0]() mutable { return asked++ == 0; };
    EXPECT_EQ(first(kPipelining + Script{"C MAIL", "C RCPT", "C RCPT", "C DATA", "S 250 ok", "S 550 no", "S 250 ok",
                                         "S 354 go", "BODY"},
                    client),
              "answered rcpt 550, not_tried body stale (over)");
}

TEST(Session, EachOfSeveralRecipientsHasItsOutcome)
{
    Client client;
    client.recipients = 3;
    EXPECT_EQ(first(kPipelining + Script{"C MAIL", "C RCPT", "C RCPT", "C RCPT", "C DATA", "S 250 ok", "S 250 ok",
                                         "S 550 no", "S 450 later", "S 354 go", "BODY", "S 250 taken"},
                    client),
              "answered body 250, answered rcpt 550, answered rcpt 450");
}

TEST(Session, ManyRecipientsGoInBoundedFlights)
{
    Client client;
    client.recipients = 250;
    Script script = kPipelining + Script{"C MAIL", "S 250 ok"};
    for (std::size_t i = 0; i < client.recipients; ++i) script = script + Script{"C RCPT", "S 250 ok"};
    const Played played = play(script + Script{"C DATA", "S 354 go", "BODY", "S 250 taken"} + kQuit, client);
    EXPECT_EQ(played.fault, "");
    EXPECT_TRUE(played.messages.front().ends_with("answered body 250"));
}

} // namespace
} // namespace penguin::delivery
