#include "engine/delivery/session.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <optional>

#include "engine/base/crash_point.h"
#include "engine/net/connector.h"
#include "engine/net/tls_stream.h"
#include "engine/smtp/body_encoder.h"
#include "engine/smtp/reply_parser.h"
#include "engine/smtp/transaction.h"

namespace penguin::delivery {

namespace {

using smtp::Outcome;
using smtp::Phase;
using smtp::Reply;
using smtp::Transaction;

constexpr std::size_t kReadMax = 4096; // octets that we read ahead of the dialogue
constexpr int kClosing = 421;          // RFC 5321 3.8

SteadyTime now() { return std::chrono::steady_clock::now(); }

Error unasked(const Reply& reply)
{
    return Error{reply.code == kClosing ? Errc::closed : Errc::malformed,
                 "the server spoke unasked: " + std::to_string(reply.code) + " " + reply.text()};
}

// A server that breaks the form or the bounds of a reply is at fault, whatever the rule. too_long would say that the
// message is.
Error unreadable(const Error& why) { return Error{Errc::malformed, why.detail}; }

Report same_for_all(const Envelope& envelope, const Outcome& outcome, bool reusable)
{
    return Report{std::vector<Outcome>(envelope.recipients.size(), outcome), reusable};
}

} // namespace

class Session::Impl {
public:
    Impl(Endpoint endpoint, SessionOptions options, SendPermit permit)
        : endpoint_{std::move(endpoint)},
          options_{options},
          permit_{std::move(permit)},
          remote_{endpoint_.host.text() + " (" + endpoint_.target.address().to_string() + ")"}
    {
    }

    awaitable<std::optional<Outcome>> open();
    awaitable<Report> deliver(MailPtr mail, NextMail next);
    awaitable<void> quit();

    const smtp::Capabilities& offered() const noexcept { return offered_; }
    bool tls() const noexcept { return stream_ && stream_->encrypted(); }
    const std::string& remote() const noexcept { return remote_; }

private:
    awaitable<Result<>> connect();
    awaitable<std::optional<Outcome>> hear_greeting();
    awaitable<std::optional<Outcome>> say_hello();
    awaitable<std::optional<Outcome>> start_tls();
    awaitable<Result<>> handshake();

    awaitable<Result<Reply>> command(std::string line, Duration limit);
    awaitable<Result<>> write(std::string_view bytes, Duration limit);
    awaitable<Result<Reply>> read_reply(Duration limit);
    std::optional<Result<Reply>> reply_that_came();

    // One mail on its way.
    struct Course {
        MailPtr mail;
        smtp::Body body;
        Transaction transaction;
    };
    Result<std::unique_ptr<Course>> begin(MailPtr mail) const;
    std::unique_ptr<Course> begin_behind(const NextMail& next) const;
    awaitable<void> step(Course& course, const NextMail& next);
    awaitable<void> write_body(Course& course, const NextMail& next);
    awaitable<Result<>> write_last(std::span<const std::string_view> pieces, std::unique_ptr<Course> behind);
    awaitable<void> hear(Transaction& transaction);
    bool interrupted(Transaction& transaction);
    void on_write_failed(Transaction& transaction, const Error& why);
    void give_up(Transaction& transaction, const Error& why);
    Duration timeout_of(Phase phase) const;
    SteadyTime deadline(Duration limit) const { return std::min(limit_, now() + limit); }
    void close();

    Endpoint endpoint_;
    SessionOptions options_;
    SendPermit permit_;
    std::string remote_;
    std::unique_ptr<net::ByteStream> stream_;
    smtp::ReplyParser parser_;
    std::array<char, kReadMax> buffer_;
    std::string_view unread_; // of buffer_
    smtp::Capabilities offered_;
    std::unique_ptr<Course> ahead_; // the next mail: its envelope is said
    SteadyTime limit_;              // of opening, or of the attempt
    bool used_ = false;             // has carried a transaction
    bool broken_ = false;           // the server left, or said what nobody asked
    bool closed_ = false;
};

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
    if (!options_.starttls || options_.tls == nullptr || !offered_.starttls) co_return std::nullopt;
    failed = co_await start_tls();
    if (failed || !stream_->encrypted()) co_return failed;
    failed = co_await say_hello();
    co_return failed;
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

// ---- delivering

Result<std::unique_ptr<Session::Impl::Course>> Session::Impl::begin(MailPtr mail) const
{
    Result<smtp::Body> body = smtp::Body::check(mail->message);
    if (!body) return std::unexpected{body.error()};
    Transaction transaction{mail->envelope, offered_, *body};
    return std::unique_ptr<Course>{new Course{std::move(mail), std::move(*body), std::move(transaction)}};
}

// Null: nothing goes out behind the body. What is wrong with a mail is said when its turn comes.
std::unique_ptr<Session::Impl::Course> Session::Impl::begin_behind(const NextMail& next) const
{
    if (!next || !offered_.pipelining) return nullptr;
    MailPtr mail = next();
    if (!mail) return nullptr;
    Result<std::unique_ptr<Course>> course = begin(std::move(mail));
    if (!course || (*course)->transaction.step() == Transaction::Step::done) return nullptr;
    (*course)->transaction.come_behind_a_body();
    return std::move(*course);
}

awaitable<Report> Session::Impl::deliver(MailPtr mail, NextMail next)
{
    assert(!mail->envelope.recipients.empty());
    if (ahead_ && ahead_->mail != mail) close();
    if (closed_)
        co_return same_for_all(mail->envelope,
                               Outcome::not_tried(Phase::mail, Error{Errc::closed, "the session is over"}), false);
    limit_ = now() + options_.attempt;
    std::unique_ptr<Course> course = std::move(ahead_);
    if (!course) {
        Result<std::unique_ptr<Course>> begun = begin(mail);
        if (!begun) co_return same_for_all(mail->envelope, Outcome::lost(Phase::mail, begun.error()), true);
        course = std::move(*begun);
    }
    Transaction& transaction = course->transaction;
    if (transaction.step() != Transaction::Step::done && !permit_())
        transaction.abandon(Error{Errc::stale, "the node may not send any more"});
    while (transaction.step() != Transaction::Step::done) co_await step(*course, next);
    used_ = true;
    const bool reusable = transaction.reusable() && !broken_ && (ahead_ || unread_.empty());
    if (!reusable) close();
    co_return Report{transaction.take_outcomes(), reusable};
}

awaitable<void> Session::Impl::step(Course& course, const NextMail& next)
{
    Transaction& transaction = course.transaction;
    switch (transaction.step()) {
    case Transaction::Step::write_commands: {
        if (interrupted(transaction)) co_return;
        const Result<> written = co_await write(transaction.commands(), timeout_of(transaction.phase()));
        if (written)
            transaction.commands_written();
        else
            on_write_failed(transaction, written.error());
        co_return;
    }
    case Transaction::Step::write_body: co_await write_body(course, next); co_return;
    case Transaction::Step::hear: co_await hear(transaction); co_return;
    case Transaction::Step::done: co_return;
    }
}

awaitable<void> Session::Impl::write_body(Course& course, const NextMail& next)
{
    Transaction& transaction = course.transaction;
    smtp::BodyEncoder encoder{course.body};
    while (!encoder.last()) {
        const std::span<const std::string_view> pieces = encoder.next();
        if (encoder.last()) {
            // Last look before the point of no return. A "250" that came already would be no answer to this message.
            if (interrupted(transaction)) co_return;
            if (!permit_()) {
                transaction.abandon(Error{Errc::stale, "the node may not send any more"});
                co_return;
            }
            crash_point("delivery.dot.before");
        }
        const Result<> written = encoder.last()
                                     ? co_await write_last(pieces, begin_behind(next))
                                     : co_await stream_->write(pieces, deadline(options_.timeouts.body_block));
        if (!written) {
            on_write_failed(transaction, written.error());
            co_return;
        }
    }
    transaction.body_written();
    crash_point("delivery.dot.after");
}

awaitable<Result<>> Session::Impl::write_last(std::span<const std::string_view> pieces, std::unique_ptr<Course> behind)
{
    const SteadyTime until = deadline(options_.timeouts.body_block);
    if (!behind) {
        const Result<> written = co_await stream_->write(pieces, until);
        co_return written;
    }
    std::vector<std::string_view> all{pieces.begin(), pieces.end()};
    all.push_back(behind->transaction.commands());
    const Result<> written = co_await stream_->write(all, until);
    if (written) {
        behind->transaction.commands_written();
        ahead_ = std::move(behind);
    }
    co_return written;
}

awaitable<void> Session::Impl::hear(Transaction& transaction)
{
    const Result<Reply> reply = co_await read_reply(timeout_of(transaction.phase()));
    if (reply)
        transaction.on_reply(*reply);
    else
        give_up(transaction, reply.error());
}

// The server says something, or leaves, before we have said all of our part.
bool Session::Impl::interrupted(Transaction& transaction)
{
    const std::optional<Result<Reply>> early = reply_that_came();
    if (!early) return false;
    broken_ = true;
    const bool idle_until_now = used_ && !transaction.anything_said();
    if (!*early)
        give_up(transaction, early->error());
    else if (idle_until_now)
        transaction.abandon(unasked(**early));
    else
        transaction.on_unasked(**early);
    return true;
}

void Session::Impl::on_write_failed(Transaction& transaction, const Error& why)
{
    broken_ = true;
    // A server that refuses in the middle of a body closes, but says why first.
    const std::optional<Result<Reply>> last_words = reply_that_came();
    if (last_words && *last_words && used_ && !transaction.anything_said())
        transaction.abandon(unasked(**last_words));
    else if (last_words && *last_words)
        transaction.on_unasked(**last_words);
    else
        give_up(transaction, why);
}

void Session::Impl::give_up(Transaction& transaction, const Error& why)
{
    // Servers end idle connections; that our command crossed the end on its way says nothing about the message. On a
    // fresh connection the same is a fault of the server, or the next one would end like this one, for ever.
    broken_ = true;
    const bool crossed = used_ && why.code == Errc::closed && !transaction.anything_heard();
    if (crossed)
        transaction.abandon(why);
    else
        transaction.on_lost(why);
}

Duration Session::Impl::timeout_of(Phase phase) const
{
    const SmtpTimeouts& timeouts = options_.timeouts;
    switch (phase) {
    case Phase::resolve:
    case Phase::connect: return timeouts.connect;
    case Phase::tls: return timeouts.tls;
    case Phase::greeting: return timeouts.greeting;
    case Phase::ehlo: return timeouts.ehlo;
    case Phase::mail: return timeouts.mail;
    case Phase::rcpt: return timeouts.rcpt;
    case Phase::data: return timeouts.data;
    case Phase::body: return timeouts.final_dot;
    case Phase::reset: return timeouts.reset;
    case Phase::quit:
    case Phase::done: break;
    }
    return timeouts.quit;
}

void Session::Impl::close()
{
    closed_ = true;
    ahead_.reset();
    if (stream_) stream_->close();
}

awaitable<void> Session::Impl::quit()
{
    if (ahead_) close(); // the server may wait for a body: QUIT would be a line of it
    if (closed_) co_return;
    limit_ = now() + options_.timeouts.quit;
    const Result<Reply> reply = co_await command("QUIT\r\n", options_.timeouts.quit);
    (void)reply; // whatever it says, this is the end
    close();
}

// ---- the public face

Session::Session(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
Session::~Session() = default;

awaitable<std::expected<std::unique_ptr<Session>, Outcome>> Session::open(Endpoint endpoint, SessionOptions options,
                                                                          SendPermit permit)
{
    auto impl = std::make_unique<Impl>(std::move(endpoint), options, std::move(permit));
    std::optional<Outcome> failed = co_await impl->open();
    if (failed) co_return std::unexpected{std::move(*failed)};
    co_return std::unique_ptr<Session>{new Session{std::move(impl)}};
}

awaitable<Report> Session::deliver(MailPtr mail, NextMail next)
{
    return impl_->deliver(std::move(mail), std::move(next));
}

awaitable<void> Session::quit() { return impl_->quit(); }

const smtp::Capabilities& Session::capabilities() const noexcept { return impl_->offered(); }
bool Session::tls() const noexcept { return impl_->tls(); }
const std::string& Session::remote() const noexcept { return impl_->remote(); }

} // namespace penguin::delivery
