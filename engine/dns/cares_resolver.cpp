#include "engine/dns/cares_resolver.h"

#include <list>

#include <boost/asio/post.hpp>

#include "engine/dns/answer_parser.h"
#include "engine/dns/cares_channel.h"

namespace penguin::dns {

namespace {

enum class Type : std::uint16_t { a = 1, mx = 15, txt = 16, aaaa = 28 };

std::string text_of(Type type)
{
    switch (type) {
    case Type::a: return "A";
    case Type::mx: return "MX";
    case Type::txt: return "TXT";
    case Type::aaaa: return "AAAA";
    }
    return {};
}

using Bytes = std::vector<std::uint8_t>;

// A question, in line or inside c-ares, and the coroutine that waits for it. Whoever answers sets `answer` and cancels
// `wake`.
struct Query {
    Query(const asio::any_io_executor& executor, std::string asked, Type what)
        : wake{executor},
          name{std::move(asked)},
          type{what}
    {
    }
    asio::steady_timer wake;
    std::string name;
    Type type;
    std::optional<Result<Bytes>> answer;
};

// What became of a look-up, as the metrics tell it.
enum class Fate : std::uint8_t { found, no_data, no_name, timeout, unavailable, malformed, other };
constexpr std::string_view kFateNames[] = {"found",       "no_data",   "no_name", "timeout",
                                           "unavailable", "malformed", "other"};

Fate fate_of(const Error& error)
{
    if (error.code == Errc::timeout) return Fate::timeout;
    if (error.code == Errc::unavailable) return Fate::unavailable;
    return error.code == Errc::malformed ? Fate::malformed : Fate::other;
}

} // namespace

class CaresResolver::Line : public std::enable_shared_from_this<Line> {
public:
    Line(const asio::any_io_executor& executor, std::unique_ptr<CaresChannel> channel, Options options,
         Registry& metrics)
        : channel_{std::move(channel)},
          options_{std::move(options)},
          metrics_{metrics},
          seconds_{metrics.histogram("penguin_dns_lookup_seconds", "Time of a look-up, waiting in line included",
                                     latency_bounds_seconds())},
          pause_{executor}
    {
    }
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;
    ~Line() { stop(); }

    const Options& options() const { return options_; }
    std::size_t in_flight() const { return in_flight_; }
    std::size_t waiting() const { return line_.size(); }

    // One packet for one question. `line` keeps us alive while the coroutine waits.
    static awaitable<Result<Bytes>> ask(std::shared_ptr<Line> line, std::string name, Type type, SteadyTime deadline);
    void stop();
    void count(Type type, Fate fate, SteadyTime asked_at);

private:
    Result<> submit(const std::shared_ptr<Query>& query);
    void send(const std::shared_ptr<Query>& query);
    void on_answer(Query& query, Result<std::span<const std::uint8_t>> packet);
    bool has_room() const { return channel_ != nullptr && in_flight_ < options_.in_flight_max && burst_ < kBurstMax; }
    void send_next();

    std::unique_ptr<CaresChannel> channel_; // null once stopped
    Options options_;
    Registry& metrics_;
    Histogram& seconds_;
    asio::steady_timer pause_; // armed while a burst lasts
    std::size_t in_flight_ = 0;
    std::size_t burst_ = 0; // sent since pause_ was armed
    std::list<std::shared_ptr<Query>> line_;
};

awaitable<Result<Bytes>> CaresResolver::Line::ask(std::shared_ptr<Line> line, std::string name, Type type,
                                                  SteadyTime deadline)
{
    const auto executor = co_await asio::this_coro::executor;
    const auto query = std::make_shared<Query>(executor, std::move(name), type);
    query->wake.expires_at(deadline);
    const Result<> submitted = line->submit(query);
    if (!submitted) co_return std::unexpected{submitted.error()};
    error_code code;
    if (!query->answer) {
        const auto [waited] = co_await query->wake.async_wait(use_result);
        code = waited;
    }
    if (query->answer) co_return std::move(*query->answer);
    line->line_.remove(query); // when it has not been sent yet
    if (code) co_return fail(Errc::cancelled, "DNS look-up cancelled");
    co_return fail(Errc::timeout, "DNS: no answer for " + query->name + " in time");
}

Result<> CaresResolver::Line::submit(const std::shared_ptr<Query>& query)
{
    if (channel_ == nullptr) return fail(Errc::cancelled, "DNS resolver stopped");
    if (has_room() && line_.empty()) {
        send(query);
        return {};
    }
    if (line_.size() >= options_.waiting_max) return fail(Errc::full, "DNS: too many look-ups wait");
    line_.push_back(query);
    return {};
}

void CaresResolver::Line::send(const std::shared_ptr<Query>& query)
{
    ++in_flight_;
    if (++burst_ == 1) {
        pause_.expires_after(kBurstTime);
        pause_.async_wait([weak = weak_from_this()](const error_code& code) {
            const auto line = weak.lock();
            if (code || line == nullptr) return;
            line->burst_ = 0;
            line->send_next();
        });
    }
    channel_->send(query->name, static_cast<std::uint16_t>(query->type),
                   [this, query](Result<std::span<const std::uint8_t>> packet) { on_answer(*query, packet); });
}

void CaresResolver::Line::on_answer(Query& query, Result<std::span<const std::uint8_t>> packet)
{
    --in_flight_;
    if (packet)
        query.answer = Bytes(packet->begin(), packet->end());
    else
        query.answer = std::unexpected{packet.error()};
    query.wake.cancel();
    if (channel_ == nullptr || line_.empty()) return;
    // Posted: an error may come from inside send(), and a long line must not become a deep stack.
    asio::post(query.wake.get_executor(), [weak = weak_from_this()] {
        if (const auto line = weak.lock()) line->send_next();
    });
}

void CaresResolver::Line::send_next()
{
    while (has_room() && !line_.empty()) {
        const auto query = line_.front();
        line_.pop_front();
        send(query);
    }
}

void CaresResolver::Line::stop()
{
    const std::unique_ptr<CaresChannel> dying = std::move(channel_); // its queries are answered with `cancelled`
    for (const auto& query : line_) {
        query->answer = fail(Errc::cancelled, "DNS resolver stopped");
        query->wake.cancel();
    }
    line_.clear();
}

void CaresResolver::Line::count(Type type, Fate fate, SteadyTime asked_at)
{
    seconds_.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - asked_at).count());
    const std::string result{kFateNames[static_cast<std::size_t>(fate)]};
    metrics_
        .counter("penguin_dns_lookups_total", "Look-ups sent to a name server, by type and result",
                 {{"type", text_of(type)}, {"result", result}})
        .add();
}

namespace {

template <class Record>
struct Kind {
    Type type;
    Result<Parsed<Record>> (*parse)(Packet packet, std::string_view name);
};

// What the parts of a chain of CNAMEs that came in several packets have in common.
template <class Record>
Answer<Record> joined(Answer<Record> part, std::chrono::seconds ttl_so_far, bool authentic_so_far)
{
    part.ttl = std::min(part.ttl, ttl_so_far);
    part.authentic = part.authentic && authentic_so_far;
    return part;
}

// The whole look-up: one packet, or one for each piece of a CNAME chain that the server did not follow.
template <class Record, class Ask>
awaitable<Result<Answer<Record>>> chase(Kind<Record> kind, DomainName name, bool trust_authentic, Ask ask)
{
    std::string asked = name.text();
    std::size_t cnames = 0;
    auto ttl = std::chrono::seconds::max();
    bool authentic = trust_authentic;
    while (true) {
        const Result<Bytes> packet = co_await ask(asked);
        if (!packet) co_return std::unexpected{packet.error()};
        Result<Parsed<Record>> parsed = kind.parse(*packet, asked);
        if (!parsed) co_return fail(parsed.error(), asked);
        Answer<Record> answer = joined(std::move(parsed->answer), ttl, authentic);
        if (!parsed->follow) co_return answer;
        cnames += parsed->cnames;
        const Result<DomainName> next = DomainName::parse_record_name(*parsed->follow);
        if (!next) co_return fail(Errc::malformed, asked + ": alias for a name that cannot be looked up");
        if (cnames > kCnamesMax) co_return fail(Errc::malformed, name.text() + ": more than 8 CNAMEs, or a loop");
        asked = next->text();
        ttl = answer.ttl;
        authentic = answer.authentic;
    }
}

template <class Record>
Fate fate_of(const Answer<Record>& answer)
{
    switch (answer.kind) {
    case Answer<Record>::Kind::found: return Fate::found;
    case Answer<Record>::Kind::no_data: return Fate::no_data;
    case Answer<Record>::Kind::no_name: return Fate::no_name;
    }
    return Fate::other;
}

} // namespace

template <class Record, class KindOf>
awaitable<Result<Answer<Record>>> CaresResolver::look_up(std::shared_ptr<Line> line, KindOf kind, DomainName name)
{
    const auto started = std::chrono::steady_clock::now();
    const auto deadline = started + line->options().deadline;
    const bool trust = line->options().trust_authentic;
    auto ask = [line, type = kind.type, deadline](std::string asked) {
        return Line::ask(line, std::move(asked), type, deadline);
    };
    Result<Answer<Record>> answer = co_await chase<Record>(kind, std::move(name), trust, ask);
    line->count(kind.type, answer ? fate_of(*answer) : fate_of(answer.error()), started);
    co_return answer;
}

awaitable<Result<Answer<MxRecord>>> CaresResolver::mx(DomainName name)
{
    return look_up<MxRecord>(line_, Kind<MxRecord>{Type::mx, parse_mx}, std::move(name));
}

awaitable<Result<Answer<asio::ip::address>>> CaresResolver::a(DomainName name)
{
    return look_up<asio::ip::address>(line_, Kind<asio::ip::address>{Type::a, parse_a}, std::move(name));
}

awaitable<Result<Answer<asio::ip::address>>> CaresResolver::aaaa(DomainName name)
{
    return look_up<asio::ip::address>(line_, Kind<asio::ip::address>{Type::aaaa, parse_aaaa}, std::move(name));
}

awaitable<Result<Answer<std::string>>> CaresResolver::txt(DomainName name)
{
    return look_up<std::string>(line_, Kind<std::string>{Type::txt, parse_txt}, std::move(name));
}

Result<std::unique_ptr<CaresResolver>> CaresResolver::open(const asio::any_io_executor& executor, Options options,
                                                           Registry& metrics)
{
    if (options.in_flight_max == 0 || options.in_flight_max > kInFlightLimit)
        return fail(Errc::bad_value, "dns.in_flight_max: 1 to " + std::to_string(kInFlightLimit));
    if (options.tries < 1 || options.timeout.count() < 1 || options.deadline.count() < 1)
        return fail(Errc::bad_value, "dns: tries, timeout and deadline must be more than 0");
    CaresChannel::Options channel_options{.servers = {}, .timeout = options.timeout, .tries = options.tries};
    for (const std::string& text : options.servers) {
        const Result<ServerAddress> server = ServerAddress::parse(text);
        if (!server) return std::unexpected{server.error()};
        channel_options.servers.push_back(*server);
    }
    Result<std::unique_ptr<CaresChannel>> channel = CaresChannel::open(executor, channel_options);
    if (!channel) return std::unexpected{channel.error()};
    auto line = std::make_shared<Line>(executor, std::move(*channel), std::move(options), metrics);
    return std::unique_ptr<CaresResolver>{new CaresResolver{std::move(line)}};
}

CaresResolver::~CaresResolver() { line_->stop(); }
std::size_t CaresResolver::in_flight() const { return line_->in_flight(); }
std::size_t CaresResolver::waiting() const { return line_->waiting(); }

} // namespace penguin::dns
