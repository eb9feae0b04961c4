// Commands and replies of a session, and its way from connect to where mail can go.
#include <algorithm>

#include "engine/delivery/session_impl.h"
#include "engine/net/connector.h"
#include "engine/net/tls_stream.h"

namespace penguin::delivery {

namespace {

using smtp::Outcome;
using smtp::Phase;
using smtp::Reply;

constexpr int kClosing = 421; // RFC 5321 3.8

SteadyTime now() { return std::chrono::steady_clock::now(); }

// A server that breaks the form or the bounds of a reply is at fault, whatever the rule. too_long would say that the
// message is.
Error unreadable(const Error& why) { return Error{Errc::malformed, why.detail}; }

} // namespace

Error Session::Impl::unasked(const Reply& reply)
{
    return Error{reply.code == kClosing ? Errc::closed : Errc::malformed,
                 "the server spoke unasked: " + std::to_string(reply.code) + " " + reply.text()};
}

// ---- the bytes

awaitable<Result<>> Session::Impl::write(std::string_view bytes, Duration limit)
{
    const std::array<std::string_view, 1> pieces{bytes};
    const Result<> written = co_await stream_->write(pieces, deadline(limit));
    co_return written;
}

awaitable<Result<Reply>> Session::Impl::read_reply(Duration limit)
{
    // One deadline for the whole reply: a server that drips octets gains no time.
    const SteadyTime until = deadline(limit);
    for (;;) {
        Result<std::optional<Reply>> reply = parser_.take(unread_);
        if (!reply) co_return std::unexpected{unreadable(reply.error())};
        if (*reply) co_return std::move(**reply);
        const Result<std::size_t> count = co_await stream_->read_some(buffer_, until);
        if (!count) co_return std::unexpected{count.error()};
        unread_ = std::string_view{buffer_.data(), *count};
    }
}

// A reply that is here although we wait for none, without waiting. Half a reply counts as malformed: whoever interrupts
// us sends at least a line.
std::optional<Result<Reply>> Session::Impl::reply_that_came()
{
    if (unread_.empty()) {
        const Result<std::size_t> count = stream_->read_now(buffer_);
        if (!count) return std::unexpected{count.error()};
        if (*count == 0) return std::nullopt;
        unread_ = std::string_view{buffer_.data(), *count};
    }
    Result<std::optional<Reply>> reply = parser_.take(unread_);
    if (!reply) return std::unexpected{unreadable(reply.error())};
    if (*reply) return std::move(**reply);
    return fail(Errc::malformed, "the server sent half a line unasked");
}

awaitable<Result<Reply>> Session::Impl::command(std::string line, Duration limit)
{
    if (const std::optional<Result<Reply>> early = reply_that_came()) {
        if (!*early) co_return std::unexpected{early->error()};
        if ((*early)->code == kClosing) co_return **early;
        co_return std::unexpected{unasked(**early)};
    }
    const Result<> written = co_await write(line, limit);
    if (!written) {
        // A server that refuses us may close before it has read what we say: its words are still in the socket.
        const std::optional<Result<Reply>> last_words = reply_that_came();
        if (last_words && *last_words && (*last_words)->code == kClosing) co_return **last_words;
        co_return std::unexpected{written.error()};
    }
    Result<Reply> reply = co_await read_reply(limit);
    co_return reply;
}

// ---- opening

awaitable<Result<>> Session::Impl::connect()
{
    limit_ = now() + options_.open_limit;
    Result<std::unique_ptr<net::TcpStream>> stream =
        co_await net::connect(endpoint_.source, endpoint_.target, deadline(options_.timeouts.connect));
    if (!stream) co_return std::unexpected{stream.error()};
    stream_ = std::move(*stream);
    co_return Result<>{};
}

awaitable<std::optional<Outcome>> Session::Impl::open()
{
    const Result<> connected = co_await connect();
    if (!connected) co_return Outcome::lost(Phase::connect, connected.error());
    std::optional<Outcome> failed = co_await hear_greeting();
    if (failed) co_return failed;
    failed = co_await say_hello();
    if (failed) co_return failed;
    if (!options_.starttls || options_.tls == nullptr || !offered_.starttls) co_return in_clear();
    failed = co_await start_tls();
    if (failed) co_return failed;
    if (!stream_->encrypted()) co_return in_clear();
    failed = co_await say_hello();
    co_return failed;
}

// Going on without TLS: nothing, or why not.
std::optional<Outcome> Session::Impl::in_clear() const
{
    if (!options_.demand_tls) return std::nullopt;
    return Outcome::lost(Phase::tls, Error{Errc::tls_failed, "TLS is demanded here, and the server does not give it"});
}

awaitable<std::optional<Outcome>> Session::Impl::hear_greeting()
{
    const Result<Reply> reply = co_await read_reply(options_.timeouts.greeting);
    if (!reply) co_return Outcome::lost(Phase::greeting, reply.error());
    if (reply->positive()) co_return std::nullopt;
    if (reply->intermediate()) co_return Outcome::lost(Phase::greeting, unasked(*reply));
    co_return Outcome::answered(Phase::greeting, *reply);
}

awaitable<std::optional<Outcome>> Session::Impl::say_hello()
{
    const std::string& name = endpoint_.ehlo_name.text();
    Result<Reply> reply = co_await command("EHLO " + name + "\r\n", options_.timeouts.ehlo);
    if (reply && reply->positive()) {
        offered_ = smtp::Capabilities::of_ehlo(*reply);
        co_return std::nullopt;
    }
    // RFC 5321 3.2: who does not know EHLO gets HELO. Behind STARTTLS there is no such server.
    if (reply && reply->permanent() && !stream_->encrypted()) {
        reply = co_await command("HELO " + name + "\r\n", options_.timeouts.ehlo);
        if (reply && reply->positive()) {
            offered_ = smtp::Capabilities::of_helo(*reply);
            co_return std::nullopt;
        }
    }
    if (!reply) co_return Outcome::lost(Phase::ehlo, reply.error());
    if (reply->intermediate()) co_return Outcome::lost(Phase::ehlo, unasked(*reply));
    co_return Outcome::answered(Phase::ehlo, *reply);
}

awaitable<std::optional<Outcome>> Session::Impl::start_tls()
{
    const Result<Reply> reply = co_await command("STARTTLS\r\n", options_.timeouts.ehlo);
    if (!reply) co_return Outcome::lost(Phase::tls, reply.error());
    if (reply->code == kClosing) co_return Outcome::answered(Phase::tls, *reply);
    if (reply->intermediate()) co_return Outcome::lost(Phase::tls, unasked(*reply));
    if (!reply->positive()) co_return std::nullopt; // not now: opportunistic means that we go on in clear
    const std::optional<Result<Reply>> early = reply_that_came();
    if (early && (*early || early->error().code == Errc::malformed))
        co_return Outcome::lost(Phase::tls, Error{Errc::malformed, "octets behind the answer to STARTTLS"});
    const Result<> done = co_await handshake();
    if (!done) co_return Outcome::lost(Phase::tls, done.error());
    co_return std::nullopt;
}

awaitable<Result<>> Session::Impl::handshake()
{
    // Only connect() makes stream_ before TLS, and it makes a TcpStream.
    std::unique_ptr<net::TcpStream> below{static_cast<net::TcpStream*>(stream_.release())};
    const std::string peer = endpoint_.host.text() + "/" + endpoint_.target.address().to_string() + "/" +
                             std::to_string(endpoint_.target.port());
    net::SslPtr ssl = options_.tls->make(endpoint_.host, peer);
    Result<std::unique_ptr<net::TlsStream>> stream =
        co_await net::TlsStream::start(std::move(below), std::move(ssl), deadline(options_.timeouts.tls));
    if (!stream) co_return std::unexpected{stream.error()};
    stream_ = std::move(*stream);
    parser_ = {};
    unread_ = {};
    co_return Result<>{};
}

} // namespace penguin::delivery
