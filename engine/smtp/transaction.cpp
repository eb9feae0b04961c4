#include "engine/smtp/transaction.h"

#include <algorithm>
#include <cassert>

namespace penguin::smtp {

namespace {

constexpr int kClosing = 421; // RFC 5321 3.8: may answer any command; the server closes the connection

std::string quoted(const Reply& reply) { return std::to_string(reply.code) + " " + reply.text(); }

} // namespace

Transaction::Transaction(const Envelope& envelope, const Capabilities& offered, const Body& body)
    : envelope_{envelope},
      pipelining_{offered.pipelining},
      outcomes_(envelope.recipients.size())
{
    assert(!envelope.recipients.empty());
    if (const std::optional<Error> why = obstacle(offered, body)) {
        settle_undecided(Outcome::lost(Phase::mail, *why));
        finish(true);
        return;
    }
    leave_out_recipients(offered);
    if (asked_.empty()) {
        finish(true);
        return;
    }
    mail_command_ = mail_command(offered, body);
    next_flight();
}

void Transaction::come_behind_a_body()
{
    assert(step_ == Step::write_commands && said_ == 0);
    commands_.insert(0, "RSET\r\n");
    leading_reset_ = true;
}

// Why this server can take this message for nobody; no command is spent on it.
std::optional<Error> Transaction::obstacle(const Capabilities& offered, const Body& body) const
{
    if (offered.size_limit && body.size() > *offered.size_limit)
        return Error{Errc::too_long, "message of " + std::to_string(body.size()) + " octets, the server takes " +
                                         std::to_string(*offered.size_limit)};
    if (body.eight_bit() && !offered.eight_bit_mime) return Error{Errc::bad_value, "8BITMIME needed"};
    if (envelope_.sender && envelope_.sender->needs_smtputf8() && !offered.smtputf8)
        return Error{Errc::bad_value, "SMTPUTF8 needed for the sender"};
    return std::nullopt;
}

void Transaction::leave_out_recipients(const Capabilities& offered)
{
    for (std::size_t i = 0; i < envelope_.recipients.size(); ++i) {
        if (envelope_.recipients[i].needs_smtputf8() && !offered.smtputf8)
            settle(i, Outcome::lost(Phase::mail, Error{Errc::bad_value, "SMTPUTF8 needed for the recipient"}));
        else
            asked_.push_back(i);
    }
}

std::string Transaction::mail_command(const Capabilities& offered, const Body& body) const
{
    std::string command = "MAIL FROM:<" + (envelope_.sender ? envelope_.sender->text() : "") + ">";
    if (offered.size) command += " SIZE=" + std::to_string(body.size());
    if (body.eight_bit()) command += " BODY=8BITMIME";
    const bool utf8_recipient =
        std::ranges::any_of(asked_, [&](std::size_t i) { return envelope_.recipients[i].needs_smtputf8(); });
    if (utf8_recipient || (envelope_.sender && envelope_.sender->needs_smtputf8())) command += " SMTPUTF8";
    return command + "\r\n";
}

Phase Transaction::phase() const noexcept
{
    switch (stage_) {
    case Stage::envelope: {
        const std::size_t command = step_ == Step::hear ? heard_ : said_;
        if (command == 0) return Phase::mail;
        return command <= asked_.size() ? Phase::rcpt : Phase::data;
    }
    case Stage::body: return Phase::body;
    case Stage::lone_dot:
    case Stage::reset: return Phase::reset;
    case Stage::done: break;
    }
    return Phase::done;
}

void Transaction::next_flight()
{
    const std::size_t all = asked_.size() + 2;
    flight_end_ = std::min(all, said_ + (pipelining_ ? kFlightMax : 1));
    commands_.clear();
    for (std::size_t command = said_; command < flight_end_; ++command) {
        if (command == 0)
            commands_ += mail_command_;
        else if (command == all - 1)
            commands_ += "DATA\r\n";
        else
            commands_ += "RCPT TO:<" + envelope_.recipients[asked_[command - 1]].text() + ">\r\n";
    }
    step_ = Step::write_commands;
}

void Transaction::commands_written()
{
    assert(step_ == Step::write_commands);
    if (stage_ == Stage::envelope) said_ = flight_end_;
    step_ = Step::hear;
}

void Transaction::body_written()
{
    assert(step_ == Step::write_body);
    body_written_ = true;
    step_ = Step::hear;
}

void Transaction::on_reply(const Reply& reply)
{
    assert(step_ == Step::hear);
    if (leading_reset_) return on_leading_reset(reply);
    if (reply.code == kClosing) {
        settle_undecided(Outcome::answered(phase(), reply));
        return finish(false);
    }
    switch (stage_) {
    case Stage::envelope: return on_envelope_reply(reply);
    case Stage::body: return on_body_reply(reply);
    case Stage::lone_dot: return finish(!reply.intermediate());
    case Stage::reset: return finish(reply.positive());
    case Stage::done: break;
    }
    assert(!"a reply after the transaction ended");
}

// What is wrong with it is wrong with the connection: nothing was said of this message.
void Transaction::on_leading_reset(const Reply& reply)
{
    leading_reset_ = false;
    if (!reply.positive()) abandon(Error{Errc::closed, "\"" + quoted(reply) + "\" is the answer to RSET"});
}

void Transaction::on_envelope_reply(const Reply& reply)
{
    const Phase of = phase();
    ++heard_;
    if (of == Phase::mail)
        on_mail_reply(reply);
    else if (of == Phase::rcpt)
        on_rcpt_reply(reply);
    else
        on_data_reply(reply);
    if (stage_ == Stage::envelope && heard_ == said_) after_envelope();
}

void Transaction::on_mail_reply(const Reply& reply)
{
    if (reply.intermediate()) return lie(reply);
    mail_accepted_ = reply.positive();
    if (!mail_accepted_) settle_undecided(Outcome::answered(Phase::mail, reply));
}

void Transaction::on_rcpt_reply(const Reply& reply)
{
    if (reply.intermediate()) return lie(reply);
    const std::size_t recipient = asked_[heard_ - 2];
    if (!reply.positive() && !outcomes_[recipient]) settle(recipient, Outcome::answered(Phase::rcpt, reply));
}

void Transaction::on_data_reply(const Reply& reply)
{
    if (reply.positive()) return lie(reply);
    data_accepted_ = reply.intermediate();
    if (!data_accepted_) settle_undecided(Outcome::answered(Phase::data, reply));
}

// Every reply to what was said so far is in.
void Transaction::after_envelope()
{
    const bool data_said = said_ == asked_.size() + 2;
    if (!data_said) {
        if (any_undecided()) return next_flight();
        return mail_accepted_ ? begin_reset() : finish(true);
    }
    if (data_accepted_ && any_undecided()) {
        stage_ = Stage::body;
        step_ = Step::write_body;
        return;
    }
    if (data_accepted_) {
        // It asks for the content of a message that it refused. Where recipients alone were refused, RFC 2920 3.1 says
        // how to get out; a server that refused MAIL may have taken recipients all the same, and would send them the
        // empty message.
        if (!mail_accepted_) return finish(false);
        stage_ = Stage::lone_dot;
        commands_ = ".\r\n";
        step_ = Step::write_commands;
        return;
    }
    if (mail_accepted_) return begin_reset();
    finish(true);
}

void Transaction::on_body_reply(const Reply& reply)
{
    if (reply.intermediate()) return lie(reply);
    settle_undecided(Outcome::answered(Phase::body, reply));
    finish(true);
}

void Transaction::begin_reset()
{
    stage_ = Stage::reset;
    commands_ = "RSET\r\n";
    step_ = Step::write_commands;
}

// A reply that this command cannot have: we and the server no longer speak of the same thing.
void Transaction::lie(const Reply& reply)
{
    const Phase of = stage_ == Stage::body        ? Phase::body
                     : heard_ == 1                ? Phase::mail
                     : heard_ < asked_.size() + 2 ? Phase::rcpt
                                                  : Phase::data;
    settle_undecided(Outcome::lost(
        of, Error{Errc::malformed, "\"" + quoted(reply) + "\" is no answer to " + std::string{name_of(of)}},
        body_written_));
    finish(false);
}

void Transaction::on_unasked(const Reply& reply)
{
    assert(step_ == Step::write_commands || step_ == Step::write_body);
    const bool refused = reply.code == kClosing || (stage_ == Stage::body && (reply.transient() || reply.permanent()));
    if (refused)
        settle_undecided(Outcome::answered(phase(), reply));
    else
        settle_undecided(Outcome::lost(phase(), Error{Errc::malformed, "\"" + quoted(reply) + "\" came unasked"}));
    finish(false);
}

void Transaction::on_lost(const Error& why)
{
    // Once the last octet is handed to the socket the server may hold the message although we never saw its 250.
    // Trying again risks a duplicate, giving up risks a loss. We risk the duplicate (RFC 1047) and say so in the
    // outcome, for reports to show.
    settle_undecided(Outcome::lost(phase(), why, body_written_));
    finish(false);
}

void Transaction::abandon(const Error& why)
{
    assert(!body_written_);
    const bool untouched = !anything_said();
    settle_undecided(Outcome::not_tried(phase(), why));
    finish(untouched);
}

void Transaction::settle(std::size_t recipient, Outcome outcome)
{
    assert(!outcomes_[recipient]);
    outcomes_[recipient] = std::move(outcome);
}

void Transaction::settle_undecided(const Outcome& outcome)
{
    for (std::optional<Outcome>& known : outcomes_)
        if (!known) known = outcome;
}

bool Transaction::any_undecided() const
{
    return std::ranges::any_of(outcomes_, [](const std::optional<Outcome>& known) { return !known; });
}

void Transaction::finish(bool reusable)
{
    stage_ = Stage::done;
    step_ = Step::done;
    reusable_ = reusable;
}

std::vector<Outcome> Transaction::take_outcomes()
{
    assert(step_ == Step::done);
    std::vector<Outcome> out;
    out.reserve(outcomes_.size());
    for (std::optional<Outcome>& known : outcomes_) out.push_back(std::move(*known));
    return out;
}

} // namespace penguin::smtp
