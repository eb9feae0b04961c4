#include "engine/delivery/session.h"

#include <algorithm>
#include <cassert>

#include "engine/base/crash_point.h"
#include "engine/delivery/session_impl.h"

namespace penguin::delivery {

namespace {

using smtp::Outcome;
using smtp::Phase;
using smtp::Reply;
using smtp::Transaction;

SteadyTime now() { return std::chrono::steady_clock::now(); }

Report same_for_all(const Envelope& envelope, const Outcome& outcome, bool reusable)
{
    return Report{std::vector<Outcome>(envelope.recipients.size(), outcome), reusable};
}

} // namespace

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

void Session::Impl::cut()
{
    broken_ = true;
    if (stream_) stream_->close();
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

void Session::cut() { impl_->cut(); }
const smtp::Capabilities& Session::capabilities() const noexcept { return impl_->offered(); }
bool Session::tls() const noexcept { return impl_->tls(); }
const std::string& Session::remote() const noexcept { return impl_->remote(); }

} // namespace penguin::delivery
