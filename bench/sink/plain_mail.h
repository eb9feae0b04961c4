// bench/sink/plain_mail.h
// A client of an SMTP server that does one thing after another: EHLO, STARTTLS where it is told to, MAIL, RCPT, DATA.
//
//   in      messages with CRLF line ends, ASCII or 8BITMIME
//   out     the reply that decided about a message: that to the final dot, or the first that refused
//   errors  those of net::connect, ByteStream, TlsStream and ReplyParser; refused: what the server said before MAIL;
//           bad_value: see body_encoder.h. After any the connection is lost
//   threads belongs to one io_context
#pragma once

#include <array>
#include <memory>
#include <string>

#include <boost/asio/ip/tcp.hpp>

#include "engine/base/asio.h"
#include "engine/mail/email_address.h"
#include "engine/net/byte_stream.h"
#include "engine/smtp/body_encoder.h"
#include "engine/smtp/reply_parser.h"

namespace penguin::net {
class TlsClient;
}

namespace penguin::bench {

struct PlainMail {
    EmailAddress from;
    EmailAddress to;
    std::string message;
};

class PlainClient {
public:
    struct Options {
        asio::ip::tcp::endpoint server;
        DomainName ehlo_name;
        net::TlsClient* tls = nullptr; // outlives the client; null: in clear
    };

    static awaitable<Result<std::unique_ptr<PlainClient>>> open(Options options, SteadyTime deadline);
    awaitable<Result<smtp::Reply>> send(const PlainMail& mail, SteadyTime deadline);
    awaitable<void> quit(SteadyTime deadline);

private:
    explicit PlainClient(std::unique_ptr<net::ByteStream> stream) : stream_{std::move(stream)} {}
    awaitable<Result<>> greet(const Options& options, SteadyTime deadline);
    awaitable<Result<smtp::Reply>> reply(SteadyTime deadline);
    awaitable<Result<smtp::Reply>> say(std::string line, SteadyTime deadline);
    awaitable<Result<>> demand(std::string line, SteadyTime deadline); // refused: it was not positive
    awaitable<Result<smtp::Reply>> say_body(const smtp::Body& body, SteadyTime deadline);

    std::unique_ptr<net::ByteStream> stream_;
    smtp::ReplyParser parser_;
    std::array<char, 4096> buffer_{};
    std::string_view input_; // of buffer_
};

} // namespace penguin::bench
