// tests/engine/delivery/session_play.h
// A session against a scripted server: what became of each message, and what the server heard.
#pragma once

#include "engine/delivery/session.h"
#include "engine/net/tls_context.h"
#include "tests/engine/delivery/scripted_server.h"

namespace penguin::delivery {

using namespace std::chrono_literals;
using smtp::Outcome;

inline const Script kPlain = {"S 220 mx", "C EHLO out.example", "S 250 mx"};
inline const Script kPipelining = {"S 220 mx", "C EHLO out.example", "S 250-mx", "S 250 PIPELINING"};
inline const Script kStartTls = {"S 220 mx", "C EHLO", "S 250-mx", "S 250 STARTTLS", "C STARTTLS"};
inline const Script kEnvelope = {"C MAIL", "C RCPT", "C DATA"};
inline const Script kTaken = {"C MAIL", "C RCPT", "C DATA", "S 250 ok", "S 250 ok", "S 354 go", "BODY", "S 250 taken"};
inline const Script kQuit = {"C QUIT", "S 221 bye"};

// The timeout that a test is about is small, all others are far beyond what any step needs.
inline SmtpTimeouts patient()
{
    return SmtpTimeouts{.connect = 20s,
                        .tls = 20s,
                        .greeting = 20s,
                        .ehlo = 20s,
                        .mail = 20s,
                        .rcpt = 20s,
                        .data = 20s,
                        .body_block = 20s,
                        .final_dot = 20s,
                        .reset = 20s,
                        .quit = 20s};
}

inline std::string said(const Outcome& outcome)
{
    std::string out;
    switch (outcome.kind) {
    case Outcome::Kind::answered: out = "answered"; break;
    case Outcome::Kind::lost: out = "lost"; break;
    case Outcome::Kind::not_tried: out = "not_tried"; break;
    }
    out += " " + std::string{name_of(outcome.phase)};
    if (outcome.reply) out += " " + std::to_string(outcome.reply->code);
    if (outcome.error) out += " " + std::string{name_of(outcome.error->code)};
    if (outcome.may_be_duplicate) out += " duplicate";
    return out;
}

struct Client {
    SessionOptions options{.timeouts = patient(), .tls = &tls()};
    SendPermit permit = [] { return true; };
    std::size_t recipients = 1;
    std::string message = "Subject: x\r\n\r\n.dot\r\nend\r\n";

    // A context each test run shares, as a shard does.
    static net::TlsClient& tls()
    {
        static net::TlsClient context;
        return context;
    }

    awaitable<std::expected<std::unique_ptr<Session>, Outcome>> open(const asio::ip::tcp::endpoint& target) const
    {
        Endpoint endpoint{asio::ip::make_address("127.0.0.1"), target, *DomainName::parse("mx.example"),
                          *DomainName::parse("out.example")};
        return Session::open(std::move(endpoint), options, permit);
    }
    MailPtr mail() const { return std::make_shared<const Mail>(envelope(), message); }
    Envelope envelope() const
    {
        Envelope envelope{EmailAddress::parse("from@s.example").value(), {}};
        for (std::size_t i = 0; i < recipients; ++i)
            envelope.recipients.push_back(EmailAddress::parse("r" + std::to_string(i) + "@d.example").value());
        return envelope;
    }
};

// Opens a session and delivers `messages` messages over it. What happened to each, one line a message: the outcomes of its
// recipients, and "(over)" when the session may not be used again.
inline awaitable<void> deliver_all(const Client& client, asio::ip::tcp::endpoint target, std::size_t messages,
                                   std::vector<std::string>& out, ScriptedServer* server = nullptr)
{
    const MailPtr mail = client.mail();
    std::expected<std::unique_ptr<Session>, Outcome> session = co_await client.open(target);
    if (!session) {
        out.push_back("open: " + said(session.error()));
        co_return;
    }
    for (std::size_t i = 0; i < messages; ++i) {
        const Report report = co_await (*session)->deliver(mail);
        EXPECT_EQ(report.outcomes.size(), mail->envelope.recipients.size());
        std::string line;
        for (const Outcome& outcome : report.outcomes) line += (line.empty() ? "" : ", ") + said(outcome);
        out.push_back(line + (report.reusable ? "" : " (over)"));
        // Lets the server act between two messages, as it may while a connection is idle.
        if (server != nullptr) server->next();
        while (server != nullptr && !server->settled()) co_await sleep_for(1ms);
    }
    co_await (*session)->quit();
}

struct Played {
    std::vector<std::string> messages;
    std::vector<std::string> heard;
    std::string body;
    std::string fault;
};

inline Played play(const Script& script, const Client& client = {}, std::size_t messages = 1)
{
    asio::io_context io{1};
    ScriptedServer server{io, {script}};
    Played played;
    net::run_to_end(io, deliver_all(client, server.endpoint(), messages, played.messages, &server));
    while (!server.ended()) io.run_one_for(10s);
    played.heard = server.heard();
    played.body = server.body();
    played.fault = server.fault();
    return played;
}

inline std::string first(const Script& script, const Client& client = {})
{
    return play(script, client).messages.front();
}

} // namespace penguin::delivery
