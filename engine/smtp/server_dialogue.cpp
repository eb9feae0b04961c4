#include "engine/smtp/server_dialogue.h"

#include <algorithm>
#include <cassert>

#include "engine/smtp/command_text.h"

namespace penguin::smtp {

namespace {

// RFC 5321 4.2.1. `before` goes in front of the first line's text; there is a line in any case.
std::string written(const Reply& reply, std::string_view before = {})
{
    std::string out;
    for (std::size_t i = 0; i < std::max<std::size_t>(1, reply.lines.size()); ++i) {
        out += std::to_string(reply.code) + (i + 1 < reply.lines.size() ? "-" : " ");
        if (i == 0) out += before;
        if (i < reply.lines.size()) out += reply.lines[i];
        out += "\r\n";
    }
    return out;
}

} // namespace

ServerDialogue::ServerDialogue(Options options) : options_{std::move(options)} {}

void ServerDialogue::greet(const Reply& reply)
{
    refused_at_greeting_ = !reply.positive();
    const std::string name = reply.positive() ? options_.name + " ESMTP " : "";
    output_ += written(reply, name);
}

ServerDialogue::Event ServerDialogue::next(std::string_view& input)
{
    assert(!asked_);
    for (;;) {
        Event event = Event::need_octets;
        switch (state_) {
        case State::command: event = read_command(input); break;
        case State::data: event = read_data(input); break;
        case State::chunk: event = read_chunk(input); break;
        case State::closing: return Event::close;
        }
        if (state_ == State::closing) return Event::close;
        // need_octets with input left: something was digested, go on.
        const bool chunk_done = state_ == State::chunk && chunk_left_ == 0;
        if (event != Event::need_octets || (input.empty() && !chunk_done)) return event;
    }
}

ServerDialogue::Event ServerDialogue::read_command(std::string_view& input)
{
    const std::size_t end = input.find('\n');
    const std::string_view piece = input.substr(0, end == std::string_view::npos ? end : end + 1);
    const std::string_view behind = input.substr(piece.size());
    input = behind;
    if (piece.empty()) return Event::need_octets;
    const bool whole = piece.back() == '\n';
    if (swallowing_line_ || line_.size() + piece.size() > kCommandMax) {
        line_.clear();
        swallowing_line_ = !whole;
        return whole ? refuse(500, "5.5.2 the line is too long") : Event::need_octets;
    }
    if (!whole || !line_.empty()) line_ += piece;
    if (!whole) return Event::need_octets;
    const std::string kept = std::exchange(line_, {});
    std::string_view line = kept.empty() ? piece : std::string_view{kept};
    line.remove_suffix(1);
    if (!line.ends_with('\r')) return end_dialogue(521, "5.5.2 a line ends with CR LF");
    line.remove_suffix(1);
    if (has_control(line)) return refuse(500, "5.5.2 a control octet in a command");
    if (!options_.pipelining && !behind.empty()) return end_dialogue(503, "5.5.1 PIPELINING is not offered");
    return obey(line, behind);
}

ServerDialogue::Event ServerDialogue::obey(std::string_view line, std::string_view behind)
{
    const std::string_view whole = line;
    const std::string_view verb = take_word(line);
    if (equal_folded(verb, "QUIT")) return end_dialogue(221, "2.0.0 bye");
    if (refused_at_greeting_) return refuse(503, "5.5.1 no service here");
    if (equal_folded(verb, "EHLO") || equal_folded(verb, "HELO")) return hello(verb, line, behind);
    if (equal_folded(verb, "NOOP")) return say(250, "2.0.0 ok");
    if (equal_folded(verb, "RSET")) return reset();
    if (equal_folded(verb, "HELP")) return say(214, "2.0.0 RFC 5321");
    if (equal_folded(verb, "VRFY")) return say(252, "2.5.0 send and see");
    if (equal_folded(verb, "STARTTLS")) return start_tls(line, behind);
    if (equal_folded(verb, "MAIL")) return mail(line);
    if (equal_folded(verb, "RCPT")) return rcpt(line);
    if (equal_folded(verb, "DATA")) return data(line, behind);
    if (equal_folded(verb, "BDAT") && options_.chunking) return chunk(line);
    return refuse(whole.empty() ? 500 : 502, "5.5.1 command not known");
}

ServerDialogue::Event ServerDialogue::hello(std::string_view verb, std::string_view argument, std::string_view behind)
{
    if (argument.empty() || argument.contains(' ')) return refuse(501, "5.5.4 one name, please");
    if (!behind.empty()) return end_dialogue(503, "5.5.1 wait for the answer");
    end_transaction();
    client_name_ = argument;
    extended_ = equal_folded(verb, "EHLO");
    return ask(Event::hello);
}

ServerDialogue::Event ServerDialogue::start_tls(std::string_view argument, std::string_view behind)
{
    if (!options_.starttls) return refuse(502, "5.5.1 command not known");
    if (tls_) return refuse(503, "5.5.1 already in TLS");
    if (!argument.empty()) return refuse(501, "5.5.4 no parameter, please");
    if (!behind.empty()) return end_dialogue(503, "5.5.1 wait for the answer");
    return ask(Event::start_tls);
}

void ServerDialogue::tls_started()
{
    end_transaction();
    tls_ = true;
    greeted_ = false; // RFC 3207 4.2: all that was said before is forgotten
    extended_ = false;
    client_name_.clear();
}

ServerDialogue::Event ServerDialogue::mail(std::string_view argument)
{
    if (!greeted_) return refuse(503, "5.5.1 EHLO first");
    if (in_transaction_) return refuse(503, "5.5.1 a transaction is open");
    const std::optional<std::string_view> path = take_prefix(argument, "FROM:") ? take_path(argument) : std::nullopt;
    if (!path) return refuse(501, "5.5.4 MAIL FROM:<address>");
    utf8_ = false;
    if (!take_parameters(argument)) return Event::need_octets;
    if (!path->empty()) {
        Result<EmailAddress> sender = EmailAddress::parse(*path);
        if (!sender) return refuse(501, "5.1.7 " + sender.error().detail);
        if (sender->needs_smtputf8() && !utf8_) return refuse(553, "5.6.7 SMTPUTF8 was not said");
        envelope_.sender = std::move(*sender);
    }
    in_transaction_ = true;
    return ask(Event::mail);
}

// The parameters of MAIL. False: refused, the reply is written.
bool ServerDialogue::take_parameters(std::string_view parameters)
{
    const auto refused = [this](int code, std::string_view text) {
        refuse(code, text);
        return false;
    };
    if (parameters.empty()) return true;
    if (!extended_ || !parameters.starts_with(' ')) return refused(555, "5.5.4 parameter not known");
    parameters.remove_prefix(1);
    while (!parameters.empty()) {
        std::string_view parameter = take_word(parameters);
        if (options_.size && take_prefix(parameter, "SIZE=")) {
            const std::optional<std::uint64_t> size = number_in(parameter);
            if (!size) return refused(501, "5.5.4 SIZE=octets");
            if (*size > options_.size_max) return refused(552, "5.3.4 the message is too big");
        } else if (options_.eight_bit_mime && take_prefix(parameter, "BODY=")) {
            if (!equal_folded(parameter, "7BIT") && !equal_folded(parameter, "8BITMIME"))
                return refused(555, "5.5.4 BODY=7BIT or 8BITMIME");
        } else if (options_.smtputf8 && equal_folded(parameter, "SMTPUTF8"))
            utf8_ = true;
        else
            return refused(555, "5.5.4 parameter not known");
    }
    return true;
}

ServerDialogue::Event ServerDialogue::rcpt(std::string_view argument)
{
    if (!in_transaction_ || chunks_begun_) return refuse(503, "5.5.1 MAIL first");
    const std::optional<std::string_view> path = take_prefix(argument, "TO:") ? take_path(argument) : std::nullopt;
    if (!path) return refuse(501, "5.5.4 RCPT TO:<address>");
    if (!argument.empty()) return refuse(555, "5.5.4 parameter not known");
    if (envelope_.recipients.size() == kRecipientsMax) return refuse(452, "4.5.3 too many recipients");
    // RFC 5321 4.5.1: a server takes mail for its postmaster without a domain.
    const bool postmaster = equal_folded(*path, "POSTMASTER");
    Result<EmailAddress> address = EmailAddress::parse(postmaster ? "postmaster@" + options_.name : std::string{*path});
    if (!address) return refuse(501, "5.1.3 " + address.error().detail);
    if (address->needs_smtputf8() && !utf8_) return refuse(553, "5.6.7 SMTPUTF8 was not said");
    envelope_.recipients.push_back(std::move(*address));
    return ask(Event::rcpt);
}

ServerDialogue::Event ServerDialogue::data(std::string_view argument, std::string_view behind)
{
    if (!argument.empty()) return refuse(501, "5.5.4 no parameter, please");
    if (!behind.empty()) return end_dialogue(503, "5.5.1 wait for 354");
    if (!in_transaction_ || chunks_begun_) return refuse(503, "5.5.1 MAIL first");
    if (envelope_.recipients.empty()) return refuse(554, "5.5.1 no valid recipient");
    return ask(Event::data);
}

ServerDialogue::Event ServerDialogue::chunk(std::string_view argument)
{
    const std::optional<std::uint64_t> size = number_in(take_word(argument));
    const bool last = equal_folded(argument, "LAST");
    // Without a size nobody knows where the octets end, and they must not be taken for commands.
    if (!size || (!argument.empty() && !last)) return end_dialogue(501, "5.5.4 BDAT octets [LAST]");
    if (*size > options_.size_max + kOverrunMax) return end_dialogue(552, "5.3.4 the message is too big");
    chunk_left_ = *size;
    chunk_last_ = last;
    chunk_unwanted_ = envelope_.recipients.empty();
    chunks_begun_ = !chunk_unwanted_;
    state_ = State::chunk;
    return Event::need_octets;
}

ServerDialogue::Event ServerDialogue::read_data(std::string_view& input)
{
    const ContentDecoder::Piece piece = decoder_.take(input);
    message_size_ += piece.content.size();
    if (piece.ended) return end_of_message();
    return pass_on(piece.content);
}

ServerDialogue::Event ServerDialogue::read_chunk(std::string_view& input)
{
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left_, input.size()));
    const std::string_view piece = input.substr(0, length);
    input.remove_prefix(length);
    chunk_left_ -= length;
    if (!chunk_unwanted_) {
        decoder_.look(piece);
        message_size_ += length;
        if (const Event event = pass_on(piece); event != Event::need_octets) return event;
    }
    if (chunk_left_ > 0) return Event::need_octets;
    state_ = State::command;
    if (chunk_unwanted_) return refuse(503, "5.5.1 no valid recipient");
    if (chunk_last_) return end_of_message();
    return say(250, "2.0.0 chunk taken");
}

// Content over the limit is read, since the client goes on sending it, but goes to nobody.
ServerDialogue::Event ServerDialogue::pass_on(std::string_view piece)
{
    if (message_size_ > options_.size_max + kOverrunMax) return end_dialogue(552, "5.3.4 the message is too big");
    if (piece.empty() || message_size_ > options_.size_max) return Event::need_octets;
    content_ = piece;
    return Event::content;
}

ServerDialogue::Event ServerDialogue::end_of_message()
{
    state_ = State::command;
    const std::optional<std::string_view> fault = decoder_.fault();
    if (!fault && message_size_ <= options_.size_max) return ask(Event::message);
    if (fault)
        refuse(550, "5.6.0 content with " + std::string{*fault});
    else
        refuse(552, "5.3.4 the message is too big");
    end_transaction();
    return state_ == State::closing ? Event::close : Event::aborted;
}

ServerDialogue::Event ServerDialogue::reset()
{
    const bool open = in_transaction_;
    end_transaction();
    say(250, "2.0.0 ok");
    return open ? Event::aborted : Event::need_octets;
}

void ServerDialogue::accept()
{
    assert(asked_);
    switch (*asked_) {
    case Event::hello: return answer(Reply::make(250, {"welcome"}));
    case Event::mail: return answer(Reply::make(250, {"2.1.0 sender ok"}));
    case Event::rcpt: return answer(Reply::make(250, {"2.1.5 recipient ok"}));
    case Event::data: return answer(Reply::make(354, {"go on, end with a lone dot"}));
    case Event::message: return answer(Reply::make(250, {"2.0.0 taken"}));
    case Event::start_tls: return answer(Reply::make(220, {"2.0.0 ready"}));
    case Event::need_octets:
    case Event::content:
    case Event::aborted:
    case Event::close: break;
    }
    assert(!"this event asks nothing");
}

void ServerDialogue::answer(const Reply& reply)
{
    assert(asked_);
    const Event event = *std::exchange(asked_, std::nullopt);
    const bool yes = reply.positive() || reply.intermediate();
    if (yes) errors_ = 0;
    if (event == Event::hello && yes) {
        greeted_ = true;
        return write_hello();
    }
    if (event == Event::data && yes) {
        state_ = State::data;
        decoder_.restart();
        return write(354, reply.text());
    }
    output_ += written(reply);
    if (event == Event::mail && !yes) end_transaction();
    if (event == Event::rcpt && !yes) envelope_.recipients.pop_back();
    if (event == Event::message) end_transaction();
}

void ServerDialogue::write_hello()
{
    if (!extended_) return write(250, options_.name);
    output_ += "250-" + options_.name + "\r\n";
    if (options_.pipelining) output_ += "250-PIPELINING\r\n";
    if (options_.size) output_ += "250-SIZE " + std::to_string(options_.size_max) + "\r\n";
    if (options_.starttls && !tls_) output_ += "250-STARTTLS\r\n";
    if (options_.eight_bit_mime) output_ += "250-8BITMIME\r\n";
    if (options_.smtputf8) output_ += "250-SMTPUTF8\r\n";
    if (options_.chunking) output_ += "250-CHUNKING\r\n";
    if (options_.enhanced_status_codes) output_ += "250-ENHANCEDSTATUSCODES\r\n";
    output_ += "250 HELP\r\n";
}

void ServerDialogue::end_transaction()
{
    in_transaction_ = false;
    utf8_ = false;
    envelope_.sender.reset();
    envelope_.recipients.clear();
    decoder_.restart();
    message_size_ = 0;
    chunks_begun_ = false;
}

ServerDialogue::Event ServerDialogue::ask(Event event)
{
    asked_ = event;
    return event;
}

ServerDialogue::Event ServerDialogue::say(int code, std::string_view text)
{
    write(code, text);
    return Event::need_octets;
}

ServerDialogue::Event ServerDialogue::refuse(int code, std::string_view text)
{
    if (++errors_ > kErrorsMax) return end_dialogue(421, "4.7.0 too many errors");
    return say(code, text);
}

ServerDialogue::Event ServerDialogue::end_dialogue(int code, std::string_view text)
{
    write(code, text);
    state_ = State::closing;
    return Event::close;
}

void ServerDialogue::write(int code, std::string_view text)
{
    output_ += std::to_string(code);
    output_ += ' ';
    output_ += text;
    output_ += "\r\n";
}

} // namespace penguin::smtp
