#include "bench/sink/sink_connection.h"

#include <array>
#include <memory>
#include <optional>

#include "engine/net/tls_stream.h"

namespace penguin::bench {

namespace {

using smtp::Reply;
using smtp::ServerDialogue;

constexpr std::size_t kReadMax = std::size_t{32} * 1024; // octets a read

SteadyTime in(std::chrono::seconds time) { return std::chrono::steady_clock::now() + time; }

std::string address_of(const asio::ip::tcp::socket& socket)
{
    error_code gone;
    return socket.remote_endpoint(gone).address().to_string();
}

class Connection {
public:
    Connection(asio::ip::tcp::socket socket, SinkShared& shared, std::string listener)
        : shared_{shared},
          listener_{std::move(listener)},
          number_{shared.next_connection.fetch_add(1, std::memory_order_relaxed)},
          visit_{.address = shared.gate ? address_of(socket) : std::string{}},
          executor_{socket.get_executor()},
          stream_{std::make_unique<net::TcpStream>(std::move(socket))},
          dialogue_{dialogue_options(shared)},
          buffer_(kReadMax)
    {
        ++shared_.counts.connections;
        ++shared_.open;
    }
    ~Connection()
    {
        --shared_.open;
        if (shared_.gate) shared_.gate->leave(visit_);
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    awaitable<void> run();

private:
    static ServerDialogue::Options dialogue_options(const SinkShared& shared)
    {
        ServerDialogue::Options options = shared.options.dialogue;
        options.starttls = shared.tls != nullptr;
        return options;
    }

    awaitable<bool> greet();
    awaitable<bool> on(ServerDialogue::Event event);
    bool did_at_once(ServerDialogue::Event event);
    awaitable<bool> read();
    awaitable<bool> flush();
    awaitable<bool> finish();
    awaitable<bool> decide(SinkPhase phase);
    awaitable<bool> obey(const SinkRule& rule);
    ProviderVerdict judge(SinkPhase phase);
    awaitable<bool> obey(const ProviderVerdict& verdict);
    awaitable<bool> wait(std::chrono::milliseconds delay);
    awaitable<bool> go_silent();
    awaitable<bool> start_tls();
    awaitable<void> stall();
    const SinkRule* rule_for(SinkPhase phase);
    void gather(std::string_view content);
    // `complaints`: the recipients who will complain, by their place.
    bool take(const std::vector<std::size_t>& complaints = {});
    void report(const std::vector<std::size_t>& complaints);
    // No reply: accepts.
    void take_and_answer(const std::optional<Reply>& reply = {}, const std::vector<std::size_t>& complaints = {});

    SinkShared& shared_;
    std::string listener_;
    std::uint64_t number_;
    ProviderVisit visit_;
    asio::any_io_executor executor_;
    std::unique_ptr<net::ByteStream> stream_;
    ServerDialogue dialogue_;
    std::vector<char> buffer_;
    std::string_view input_; // of buffer_
    std::string text_;       // of the message, as much as the recorder wants
};

const SinkRule* Connection::rule_for(SinkPhase phase)
{
    if (shared_.rules.empty()) return nullptr;
    const Envelope& envelope = dialogue_.envelope();
    const std::string sender = envelope.sender ? envelope.sender->text() : "";
    const std::string recipient = envelope.recipients.empty() ? ""
                                  : phase == SinkPhase::rcpt  ? envelope.recipients.back().text()
                                                              : envelope.recipients.front().text();
    const SinkRule* rule = shared_.rules.find(phase, SinkSubject{sender, recipient, number_});
    if (rule != nullptr) ++shared_.counts.ruled[static_cast<std::size_t>(phase)];
    return rule;
}

// False: the connection is over.
awaitable<bool> Connection::flush()
{
    std::string& output = dialogue_.output();
    if (output.empty()) co_return true;
    const std::array<std::string_view, 1> pieces{output};
    const Result<> written = co_await stream_->write(pieces, in(shared_.options.idle));
    output.clear();
    co_return written.has_value();
}

awaitable<bool> Connection::read()
{
    const bool flushed = co_await flush();
    if (!flushed) co_return false;
    const Result<std::size_t> count = co_await stream_->read_some(buffer_, in(shared_.options.idle));
    if (count) input_ = std::string_view{buffer_.data(), *count};
    co_return count.has_value();
}

awaitable<void> Connection::stall()
{
    Result<std::size_t> count = 1;
    while (count) count = co_await stream_->read_some(buffer_, in(shared_.options.idle));
}

// Does what the rule says beyond its code. False: the connection is over.
awaitable<bool> Connection::obey(const SinkRule& rule)
{
    const bool waited = co_await wait(rule.delay);
    if (!waited) co_return false;
    switch (rule.action) {
    case SinkRule::Action::answer: co_return true;
    case SinkRule::Action::drop: co_return false;
    case SinkRule::Action::take_and_drop: take(); co_return false;
    case SinkRule::Action::stall: {
        const bool goes_on = co_await go_silent();
        co_return goes_on;
    }
    }
    co_return false;
}

awaitable<bool> Connection::wait(std::chrono::milliseconds delay)
{
    if (delay.count() == 0) co_return true;
    const bool flushed = co_await flush();
    if (flushed) co_await sleep_for(delay);
    co_return flushed;
}

awaitable<bool> Connection::go_silent()
{
    const bool flushed = co_await flush();
    if (flushed) co_await stall();
    co_return false;
}

// What the profile says, for a gate that is there.
ProviderVerdict Connection::judge(SinkPhase phase)
{
    const Envelope& envelope = dialogue_.envelope();
    const std::string sender = envelope.sender ? envelope.sender->text() : "";
    const std::string recipient = phase == SinkPhase::rcpt ? envelope.recipients.back().text() : "";
    const ProviderStep step{phase, sender, recipient, envelope.recipients.size(), dialogue_.tls()};
    ProviderVerdict verdict = shared_.gate->judge(visit_, step, shared_.options.now());
    ++shared_.counts.profiled[static_cast<std::size_t>(verdict.reason)];
    return verdict;
}

// Does what the verdict says beyond its reply. False: the connection is over.
awaitable<bool> Connection::obey(const ProviderVerdict& verdict)
{
    const bool waited = co_await wait(verdict.delay);
    if (!waited) co_return false;
    switch (verdict.action) {
    case ProviderVerdict::Action::answer: co_return true;
    case ProviderVerdict::Action::drop: co_return co_await finish(); // what it answered before arrives
    case ProviderVerdict::Action::stall: co_return co_await go_silent();
    }
    co_return false;
}

awaitable<bool> Connection::decide(SinkPhase phase)
{
    const SinkRule* rule = rule_for(phase);
    if (rule != nullptr) {
        const bool goes_on = co_await obey(*rule);
        if (!goes_on) co_return false;
        if (rule->code != 0 && rule->code / 100 != 2) {
            dialogue_.answer(rule->reply());
            co_return true;
        }
    }
    ProviderVerdict verdict;
    if (shared_.gate && (rule == nullptr || rule->code == 0)) {
        verdict = judge(phase);
        const bool goes_on = co_await obey(verdict);
        if (!goes_on) co_return false;
        if (verdict.reply) {
            dialogue_.answer(*verdict.reply);
            if (!verdict.closes()) co_return true;
            co_return co_await finish();
        }
    }
    const bool told_by_rule = rule != nullptr && rule->code != 0;
    if (phase == SinkPhase::body)
        take_and_answer(told_by_rule ? rule->reply() : std::optional<Reply>{}, verdict.complaints);
    else if (told_by_rule)
        dialogue_.answer(rule->reply());
    else
        dialogue_.accept();
    co_return true;
}

void Connection::take_and_answer(const std::optional<Reply>& reply, const std::vector<std::size_t>& complaints)
{
    if (!take(complaints))
        dialogue_.answer(Reply::make(451, {"4.3.0 cannot keep it"}));
    else if (reply)
        dialogue_.answer(*reply);
    else
        dialogue_.accept();
}

void Connection::gather(std::string_view content)
{
    if (shared_.recorder.wants_message())
        text_ += content;
    else if ((shared_.recorder.wants_header() || shared_.desk) && text_.size() < kHeaderMax)
        text_ += content.substr(0, kHeaderMax - text_.size());
}

// Writes the message down and counts it.
bool Connection::take(const std::vector<std::size_t>& complaints)
{
    const Envelope& envelope = dialogue_.envelope();
    const Result<> recorded =
        shared_.recorder.record(TakenMessage{envelope, text_, dialogue_.message_size(), listener_,
                                             dialogue_.client_name(), number_, dialogue_.tls(), wall_now()});
    if (recorded && shared_.desk) report(complaints);
    text_.clear();
    if (!recorded) return false;
    shared_.counts.messages.fetch_add(1, std::memory_order_relaxed);
    shared_.counts.recipients.fetch_add(envelope.recipients.size(), std::memory_order_relaxed);
    shared_.counts.octets.fetch_add(dialogue_.message_size(), std::memory_order_relaxed);
    return true;
}

void Connection::report(const std::vector<std::size_t>& complaints)
{
    const Envelope& envelope = dialogue_.envelope();
    for (const std::size_t place : complaints)
        shared_.desk->report({.provider = shared_.gate->profile().name,
                              .source_ip = visit_.address,
                              .mail_from = envelope.sender ? envelope.sender->text() : "",
                              .recipient = envelope.recipients[place].text(),
                              .text = text_,
                              .arrived = wall_now()},
                             shared_.options.now(), executor_);
}

awaitable<bool> Connection::start_tls()
{
    const SinkRule* rule = rule_for(SinkPhase::starttls);
    if (rule != nullptr) {
        const bool goes_on = co_await obey(*rule);
        if (!goes_on) co_return false;
        if (rule->code != 0) {
            dialogue_.answer(rule->reply());
            if (rule->code / 100 != 2) co_return true;
        }
    }
    if (rule == nullptr || rule->code == 0) {
        if (shared_.gate) {
            const bool goes_on = co_await obey(judge(SinkPhase::starttls));
            if (!goes_on) co_return false;
        }
        dialogue_.accept();
    }
    if (shared_.gate && shared_.gate->profile().tls == ProviderTls::stalled) {
        const bool goes_on = co_await go_silent();
        co_return goes_on;
    }
    const bool flushed = co_await flush();
    if (!flushed) co_return false;
    // TLS is offered in clear only, so this is the TcpStream that the connection began with.
    std::unique_ptr<net::TcpStream> below{static_cast<net::TcpStream*>(stream_.release())};
    Result<std::unique_ptr<net::TlsStream>> stream =
        co_await net::TlsStream::start(std::move(below), shared_.tls->connection(), in(shared_.options.idle));
    if (!stream) {
        ++shared_.counts.tls_failed;
        co_return false;
    }
    ++shared_.counts.tls_connections;
    stream_ = std::move(*stream);
    dialogue_.tls_started();
    co_return true;
}

awaitable<bool> Connection::on(ServerDialogue::Event event)
{
    switch (event) {
    case ServerDialogue::Event::need_octets: return read();
    case ServerDialogue::Event::hello: return decide(SinkPhase::ehlo);
    case ServerDialogue::Event::mail: return decide(SinkPhase::mail);
    case ServerDialogue::Event::rcpt: return decide(SinkPhase::rcpt);
    case ServerDialogue::Event::data: return decide(SinkPhase::data);
    case ServerDialogue::Event::message: return decide(SinkPhase::body);
    case ServerDialogue::Event::start_tls: return start_tls();
    case ServerDialogue::Event::content:
    case ServerDialogue::Event::aborted: // done at once
    case ServerDialogue::Event::close: break;
    }
    return finish();
}

// Does what needs no waiting, which is nearly all when nobody has a say; a coroutine for each costs more than it does.
bool Connection::did_at_once(ServerDialogue::Event event)
{
    switch (event) {
    case ServerDialogue::Event::content: gather(dialogue_.content()); return true;
    case ServerDialogue::Event::aborted: text_.clear(); return true;
    case ServerDialogue::Event::hello:
    case ServerDialogue::Event::mail:
    case ServerDialogue::Event::rcpt:
    case ServerDialogue::Event::data:
    case ServerDialogue::Event::message: break;
    case ServerDialogue::Event::need_octets:
    case ServerDialogue::Event::start_tls:
    case ServerDialogue::Event::close: return false;
    }
    if (shared_.gate || !shared_.rules.empty()) return false;
    if (event == ServerDialogue::Event::message)
        take_and_answer();
    else
        dialogue_.accept();
    return true;
}

// Who has read our last words may come again: it has no connection here any more.
awaitable<bool> Connection::finish()
{
    if (shared_.gate) shared_.gate->leave(visit_);
    co_await flush();
    co_return false;
}

awaitable<bool> Connection::greet()
{
    const SinkRule* rule = rule_for(SinkPhase::greeting);
    if (rule != nullptr) {
        const bool goes_on = co_await obey(*rule);
        if (!goes_on) co_return false;
    }
    const bool too_many = shared_.open > shared_.options.connections_max;
    if (too_many) {
        ++shared_.counts.turned_away;
        dialogue_.greet(Reply::make(421, {"4.3.2 too many connections"}));
        co_await flush();
        co_return false;
    }
    if (shared_.gate && (rule == nullptr || rule->code == 0)) {
        const ProviderVerdict verdict = judge(SinkPhase::greeting);
        const bool goes_on = co_await obey(verdict);
        if (!goes_on) co_return false;
        if (verdict.reply) {
            dialogue_.greet(*verdict.reply);
            co_return co_await finish();
        }
    }
    dialogue_.greet(rule != nullptr && rule->code != 0 ? rule->reply() : Reply::make(220, {"penguin-bench sink"}));
    co_return true;
}

awaitable<void> Connection::run()
{
    bool goes_on = co_await greet();
    while (goes_on) {
        const ServerDialogue::Event event = dialogue_.next(input_);
        if (!did_at_once(event)) goes_on = co_await on(event);
    }
    stream_.reset();
}

} // namespace

awaitable<void> serve_sink_connection(asio::ip::tcp::socket socket, SinkShared& shared, std::string listener)
{
    Connection connection{std::move(socket), shared, std::move(listener)};
    co_await connection.run();
}

} // namespace penguin::bench
