// engine/smtp/server_dialogue.h
// The server's side of SMTP, without I/O: cuts the client's bytes into commands and content, keeps the order of the
// dialogue, answers what needs no opinion, and asks its owner the rest.
//
//   in       any bytes. next(input) takes octets from the front and returns what happened; after an event that asks,
//            call answer() once, then next() again
//   out      output(): replies to write. Write them whenever next() says need_octets or close, and before a
//            handshake
//   limits   Options and the constants below. Over them: a refusal, and for kErrorsMax refusals in a row the end
//   errors   none: the client's mistakes are answered with 4xx and 5xx. A bare LF in a command, or octets behind a
//            command that must end its group (EHLO, HELO, DATA, STARTTLS: RFC 2920 3.1), end the connection, since such
//            bytes are how content gets smuggled in as commands. Content with a bare CR, bare LF or NUL is refused.
//   source   RFC 5321 3 and 4, RFC 2920, RFC 3207, RFC 3030 (BDAT), RFC 1870, RFC 6152, RFC 6531, RFC 2034
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/mail/envelope.h"
#include "engine/smtp/content_decoder.h"
#include "engine/smtp/reply.h"

namespace penguin::smtp {

class ServerDialogue {
public:
    static constexpr std::size_t kCommandMax = 2048;          // octets a command line, CRLF included
    static constexpr std::size_t kErrorsMax = 20;             // refused commands in a row
    static constexpr std::size_t kRecipientsMax = 1000;       // a transaction
    static constexpr std::uint64_t kOverrunMax = 64ULL << 20; // octets of content swallowed beyond size_max

    struct Options {
        std::string name = "localhost";       // how the server calls itself; also the domain of <postmaster>
        std::uint64_t size_max = 64ULL << 20; // octets of a message
        bool starttls = false;
        bool pipelining = true;
        bool eight_bit_mime = true;
        bool smtputf8 = true;
        bool chunking = true;
        bool enhanced_status_codes = true;
        bool size = true;
    };

    enum class Event : std::uint8_t {
        need_octets, // input is used up
        hello,     // asks: EHLO or HELO came; client_name(). Also ends a transaction. A positive answer's text is ours
        mail,      // asks: envelope().sender
        rcpt,      // asks: envelope().recipients.back(), which a refusal takes away again
        data,      // asks: DATA came and there is a recipient; a positive answer becomes 354. Never for BDAT
        content,   // a piece of the message: content()
        message,   // asks: the message is complete; envelope() is still there
        aborted,   // the transaction ended without a message (RSET, or content that was refused)
        start_tls, // asks; after a positive answer write output, do the handshake, then call tls_started()
        close,     // write output, close
    };

    explicit ServerDialogue(Options options);

    // Before anything else. A refusal (4xx, 5xx) leaves only QUIT.
    void greet(const Reply& reply);
    Event next(std::string_view& input);
    void answer(const Reply& reply);
    void accept(); // answer() with the usual words
    void tls_started();

    std::string& output() noexcept { return output_; }
    const Envelope& envelope() const noexcept { return envelope_; }
    const std::string& client_name() const noexcept { return client_name_; }
    std::string_view content() const noexcept { return content_; } // a view into the input of the latest next()
    std::uint64_t message_size() const noexcept { return message_size_; }
    bool extended() const noexcept { return extended_; } // EHLO, not HELO
    bool tls() const noexcept { return tls_; }

private:
    enum class State : std::uint8_t { command, data, chunk, closing };

    Event read_command(std::string_view& input);
    Event read_data(std::string_view& input);
    Event read_chunk(std::string_view& input);
    Event obey(std::string_view line, std::string_view behind);
    Event hello(std::string_view verb, std::string_view argument, std::string_view behind);
    Event start_tls(std::string_view argument, std::string_view behind);
    Event mail(std::string_view argument);
    Event rcpt(std::string_view argument);
    Event data(std::string_view argument, std::string_view behind);
    Event chunk(std::string_view argument);
    Event reset();
    Event end_of_message();

    Event ask(Event event);
    Event say(int code, std::string_view text);          // a reply of our own; then the next command
    Event refuse(int code, std::string_view text);       // counts as an error
    Event end_dialogue(int code, std::string_view text); // last words
    void write(int code, std::string_view text);
    void write_hello();
    bool take_parameters(std::string_view parameters);
    void end_transaction();
    Event pass_on(std::string_view piece);

    Options options_;
    std::string output_;
    std::string line_; // a command that came in pieces
    bool swallowing_line_ = false;
    State state_ = State::command;
    std::optional<Event> asked_;
    std::string client_name_;
    bool greeted_ = false;
    bool extended_ = false;
    bool tls_ = false;
    bool refused_at_greeting_ = false;
    bool in_transaction_ = false;
    bool utf8_ = false; // SMTPUTF8 was said in MAIL
    Envelope envelope_;
    std::size_t errors_ = 0;

    ContentDecoder decoder_;
    std::string_view content_;
    std::uint64_t message_size_ = 0;
    std::uint64_t chunk_left_ = 0;
    bool chunk_last_ = false;
    bool chunks_begun_ = false;
    bool chunk_unwanted_ = false; // its octets are swallowed, then it is refused
};

} // namespace penguin::smtp
