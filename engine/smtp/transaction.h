// engine/smtp/transaction.h
// One mail transaction as the client sees it: what to write, what a reply means, what became of each recipient.
// Does no I/O: somebody else writes and reads (delivery/session.h).
//
//   in       envelope, the server's capabilities, the checked body; then replies, or the news that the connection is lost
//   out      exactly one Outcome a recipient of the envelope, in its order
//   limits   kFlightMax commands are in flight at once, so that two full sockets never wait for each other (RFC 2920 3.1)
//   errors   as Outcomes; delivery/session.h lists those that no server said
//   source   RFC 5321 3.3 and 4.1; PIPELINING RFC 2920, SIZE RFC 1870, 8BITMIME RFC 6152, SMTPUTF8 RFC 6531
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "engine/mail/envelope.h"
#include "engine/smtp/body_encoder.h"
#include "engine/smtp/capabilities.h"
#include "engine/smtp/outcome.h"

namespace penguin::smtp {

class Transaction {
public:
    static constexpr std::size_t kFlightMax = 100; // commands

    enum class Step : std::uint8_t {
        write_commands, // write commands(), then call commands_written()
        write_body,     // write the body with its final dot, then call body_written()
        hear,           // wait for one reply
        done,
    };

    Transaction(const Envelope& envelope, const Capabilities& offered, const Body& body);

    // The first flight goes out behind the last octet of another message's body, with RSET in front (RFC 2920 3.1). To be
    // called before anything is written. A server that refuses RSET is left, with every recipient not tried.
    void come_behind_a_body();

    Step step() const noexcept { return step_; }
    // Whose turn it is: the phase that the next write begins, or whose reply is awaited.
    Phase phase() const noexcept;
    const std::string& commands() const noexcept { return commands_; }
    bool anything_said() const noexcept { return said_ > 0; }
    bool anything_heard() const noexcept { return heard_ > 0; }

    void commands_written();
    void body_written();
    void on_reply(const Reply& reply);
    // A reply that came before we had said all that it could answer: a refusal ends the attempt, anything else is a
    // lie.
    void on_unasked(const Reply& reply);
    // The connection failed. Recipients without an outcome are lost; as possible duplicates once body_written() was
    // called.
    void on_lost(const Error& why);
    // We stop here of our own will, with nothing of the message complete at the server.
    void abandon(const Error& why);

    // After done: may the connection carry another transaction?
    bool reusable() const noexcept { return reusable_; }
    std::vector<Outcome> take_outcomes();

private:
    enum class Stage : std::uint8_t { envelope, body, lone_dot, reset, done };

    void settle(std::size_t recipient, Outcome outcome);
    void settle_undecided(const Outcome& outcome);
    bool any_undecided() const;
    std::optional<Error> obstacle(const Capabilities& offered, const Body& body) const;
    void leave_out_recipients(const Capabilities& offered);
    std::string mail_command(const Capabilities& offered, const Body& body) const;

    void next_flight();
    void on_leading_reset(const Reply& reply);
    void on_envelope_reply(const Reply& reply);
    void on_mail_reply(const Reply& reply);
    void on_rcpt_reply(const Reply& reply);
    void on_data_reply(const Reply& reply);
    void on_body_reply(const Reply& reply);
    void after_envelope();
    void begin_reset();
    void lie(const Reply& reply);
    void finish(bool reusable);

    const Envelope& envelope_;
    bool pipelining_;
    std::string mail_command_;
    std::string commands_;
    std::vector<std::optional<Outcome>> outcomes_;
    std::vector<std::size_t> asked_; // indices of the recipients that RCPT names
    std::size_t said_ = 0;           // commands: MAIL is 0, then the RCPTs, then DATA
    std::size_t flight_end_ = 0;     // commands said once the flight in commands_ is written
    std::size_t heard_ = 0;          // replies to them
    Stage stage_ = Stage::envelope;
    Step step_ = Step::done;
    bool leading_reset_ = false; // its reply comes before that of MAIL
    bool mail_accepted_ = false;
    bool data_accepted_ = false;
    bool body_written_ = false;
    bool reusable_ = true;
};

} // namespace penguin::smtp
