#include "bench/sink/plain_mail.h"

#include "engine/net/connector.h"
#include "engine/net/tls_stream.h"

namespace penguin::bench {

namespace {

std::unexpected<Error> refusal(const smtp::Reply& reply)
{
    return fail(Errc::refused, std::to_string(reply.code) + " " + reply.text());
}

} // namespace

awaitable<Result<std::unique_ptr<PlainClient>>> PlainClient::open(Options options, SteadyTime deadline)
{
    Result<std::unique_ptr<net::TcpStream>> stream =
        co_await net::connect(asio::ip::address{}, options.server, deadline);
    if (!stream) co_return std::unexpected{stream.error()};
    std::unique_ptr<PlainClient> client{new PlainClient{std::move(*stream)}};
    const Result<> greeted = co_await client->greet(options, deadline);
    if (!greeted) co_return std::unexpected{greeted.error()};
    co_return client;
}

awaitable<Result<>> PlainClient::greet(const Options& options, SteadyTime deadline)
{
    const std::string hello = "EHLO " + options.ehlo_name.text();
    const Result<smtp::Reply> greeting = co_await reply(deadline);
    if (!greeting) co_return std::unexpected{greeting.error()};
    if (!greeting->positive()) co_return refusal(*greeting);
    const Result<> met = co_await demand(hello, deadline);
    if (!met || options.tls == nullptr) co_return met;
    const Result<> ready = co_await demand("STARTTLS", deadline);
    if (!ready) co_return ready;
    // In clear so far, so it is the TcpStream that the connection began with.
    std::unique_ptr<net::TcpStream> below{static_cast<net::TcpStream*>(stream_.release())};
    Result<std::unique_ptr<net::TlsStream>> stream = co_await net::TlsStream::start(
        std::move(below), options.tls->make(options.ehlo_name, options.server.address().to_string()), deadline);
    if (!stream) co_return std::unexpected{stream.error()};
    stream_ = std::move(*stream);
    input_ = {};
    co_return co_await demand(hello, deadline);
}

awaitable<Result<smtp::Reply>> PlainClient::reply(SteadyTime deadline)
{
    for (;;) {
        Result<std::optional<smtp::Reply>> reply = parser_.take(input_);
        if (!reply) co_return std::unexpected{reply.error()};
        if (*reply) co_return std::move(**reply);
        const Result<std::size_t> count = co_await stream_->read_some(buffer_, deadline);
        if (!count) co_return std::unexpected{count.error()};
        input_ = std::string_view{buffer_.data(), *count};
    }
}

awaitable<Result<smtp::Reply>> PlainClient::say(std::string line, SteadyTime deadline)
{
    line += "\r\n";
    const std::array<std::string_view, 1> pieces{line};
    const Result<> written = co_await stream_->write(pieces, deadline);
    if (!written) co_return std::unexpected{written.error()};
    co_return co_await reply(deadline);
}

awaitable<Result<>> PlainClient::demand(std::string line, SteadyTime deadline)
{
    const Result<smtp::Reply> reply = co_await say(std::move(line), deadline);
    if (!reply) co_return std::unexpected{reply.error()};
    if (!reply->positive()) co_return refusal(*reply);
    co_return Result<>{};
}

awaitable<Result<smtp::Reply>> PlainClient::say_body(const smtp::Body& body, SteadyTime deadline)
{
    smtp::BodyEncoder encoder{body};
    while (!encoder.last()) {
        const Result<> written = co_await stream_->write(encoder.next(), deadline);
        if (!written) co_return std::unexpected{written.error()};
    }
    co_return co_await reply(deadline);
}

awaitable<Result<smtp::Reply>> PlainClient::send(const PlainMail& mail, SteadyTime deadline)
{
    const Result<smtp::Body> body = smtp::Body::check(mail.message);
    if (!body) co_return std::unexpected{body.error()};
    const std::string from = "MAIL FROM:<" + mail.from.text() + ">" + (body->eight_bit() ? " BODY=8BITMIME" : "");
    Result<smtp::Reply> said = co_await say(from, deadline);
    if (!said || !said->positive()) co_return said;
    said = co_await say("RCPT TO:<" + mail.to.text() + ">", deadline);
    if (said && said->positive()) said = co_await say("DATA", deadline);
    if (!said) co_return said;
    if (said->intermediate()) co_return co_await say_body(*body, deadline);
    if (said->code == 421) co_return said;
    const Result<smtp::Reply> reset = co_await say("RSET", deadline);
    if (!reset) co_return std::unexpected{reset.error()};
    co_return said;
}

awaitable<void> PlainClient::quit(SteadyTime deadline) { co_await say("QUIT", deadline); }

} // namespace penguin::bench
