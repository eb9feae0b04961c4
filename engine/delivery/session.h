// engine/delivery/session.h
// One connection to a receiving server, from connect to QUIT: the coroutine around smtp::Transaction.
//
//   in       mails: an envelope and a whole message, CRLF line ends only, already signed, not dot-stuffed
//   speed    where the server offers PIPELINING, the envelope of the next mail goes out behind the last octet of the one
//            before it: one round trip a mail while there is work
//   out      exactly one Outcome a recipient, in the order of the envelope, whatever the server or the network does
//   limits   every wait has a deadline: the phase's own, and `attempt` over the whole of one deliver()
//   errors   as Outcomes. lost at Phase::tls: the handshake failed, a new connection may be tried in clear.
//            not_tried: no command about this message was answered, it may go again at once.
//            lost at Phase::mail with bad_value (the server lacks 8BITMIME or SMTPUTF8, or the content breaks a rule of
//            body_encoder.h) or too_long (over the SIZE that the server declared): the same server will never take it.
//            lost with malformed: the server sent what is no reply, or more than a reply may be.
//   threads  belongs to the io_context on which it was opened
//   source   RFC 5321, 3207 (STARTTLS), 2920 (PIPELINING), 1870 (SIZE), 6152 (8BITMIME), 6531 (SMTPUTF8)
#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "engine/base/asio.h"
#include "engine/mail/envelope.h"
#include "engine/smtp/capabilities.h"
#include "engine/smtp/outcome.h"

namespace penguin::net {
class TlsClient;
}

namespace penguin::delivery {

struct Endpoint {
    asio::ip::address source; // unspecified: any
    asio::ip::tcp::endpoint target;
    DomainName host;      // the MX host: SNI, session cache, logs
    DomainName ehlo_name; // of our source
};

// Defaults: the minimums of RFC 5321 4.5.3.2, and ours where it has none.
struct SmtpTimeouts {
    Duration connect = std::chrono::seconds{30};
    Duration tls = std::chrono::seconds{30};
    Duration greeting = std::chrono::minutes{5};
    Duration ehlo = std::chrono::minutes{5}; // also HELO and STARTTLS
    Duration mail = std::chrono::minutes{5};
    Duration rcpt = std::chrono::minutes{5};
    Duration data = std::chrono::minutes{2};
    Duration body_block = std::chrono::minutes{3}; // each write of at most kWriteMax octets
    Duration final_dot = std::chrono::minutes{10};
    Duration reset = std::chrono::seconds{20};
    Duration quit = std::chrono::seconds{5};
};

struct SessionOptions {
    SmtpTimeouts timeouts;
    std::chrono::seconds open_limit{15 * 60}; // connect to the last EHLO
    std::chrono::seconds attempt{30 * 60};    // one whole deliver()
    bool starttls = true;                     // use it when the server offers it
    bool demand_tls = false;                  // nothing goes in clear: without TLS there is no session
    net::TlsClient* tls = nullptr;            // outlives the session; null: never TLS
};

// Asked before MAIL and before the last octet of a body: may this node still send (its lease)? Must be cheap.
using SendPermit = std::function<bool()>;

struct Mail {
    Envelope envelope; // at least one recipient
    std::string message;
};
using MailPtr = std::shared_ptr<const Mail>;

// Asked at the last octet of a body: the mail that comes next on this connection, if it is ready. Must be cheap.
using NextMail = std::function<MailPtr()>;

struct Report {
    std::vector<smtp::Outcome> outcomes; // one a recipient, in order
    bool reusable = false; // the session may take another message; else destroy it (quit() first if you like)
};

class Session {
public:
    // Connect, greeting, EHLO (HELO when the server refuses EHLO for good), STARTTLS when offered, EHLO again.
    static awaitable<std::expected<std::unique_ptr<Session>, smtp::Outcome>>
    open(Endpoint endpoint, SessionOptions options, SendPermit permit);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session(); // closes at once, without QUIT

    // Once `next` has given a mail, that one is the next to deliver: any other is not tried, and the session over, since
    // the server may already wait for the body.
    awaitable<Report> deliver(MailPtr mail, NextMail next = {});

    // Best effort, bounded by timeouts.quit. The session is closed afterwards.
    awaitable<void> quit();

    // Closes at once, also under a deliver(): it ends with what is true of its mail then (error `cancelled`).
    void cut();

    const smtp::Capabilities& capabilities() const noexcept;
    bool tls() const noexcept;
    const std::string& remote() const noexcept; // "mx1.example (192.0.2.1)"

private:
    class Impl;
    explicit Session(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

} // namespace penguin::delivery
