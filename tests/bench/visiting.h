// A provider over real sockets with the clock that it goes by, and our own session as its visitor.
#pragma once

#include <atomic>
#include <filesystem>

#include <gtest/gtest.h>

#include "bench/sink/sink.h"
#include "engine/delivery/session.h"
#include "tests/engine/net/loopback.h"

namespace penguin::bench {

using namespace std::chrono_literals;
using delivery::Session;
using smtp::Outcome;

constexpr const char* kAddress = "127.0.0.1";
constexpr std::chrono::hours kBegin{1000};

inline SinkProfile bundled(const std::string& name)
{
    return SinkProfile::read(std::filesystem::path{PENGUIN_PROFILES} / (name + ".toml")).value();
}

// A provider and the clock that it goes by.
class Provider {
public:
    explicit Provider(SinkProfile profile, std::size_t threads = 1,
                      std::optional<ComplaintDesk::Options> reports = std::nullopt)
    {
        SinkOptions options;
        options.listen = {{asio::ip::make_address(kAddress), 0}};
        options.threads = threads;
        options.profile = std::move(profile);
        options.reports = std::move(reports);
        options.now = [this] { return SteadyTime{SteadyTime::duration{now_.load()}}; };
        sink_ = Sink::start(options).value();
    }
    void advance(SteadyTime::duration time) { now_ += time.count(); }
    asio::ip::tcp::endpoint target() const { return sink_->listening().front(); }
    const SinkCounts& counts() const { return sink_->counts(); }
    std::string to_json() const { return sink_->to_json({}); }

private:
    std::atomic<SteadyTime::rep> now_{SteadyTime::duration{kBegin}.count()};
    std::unique_ptr<Sink> sink_;
};

struct Visit {
    std::expected<std::unique_ptr<Session>, Outcome> session;
    bool stands() const { return session.has_value(); }
};

inline awaitable<Visit> visit(const Provider& provider, bool tls = true)
{
    static net::TlsClient client;
    delivery::SessionOptions options{.starttls = tls, .tls = &client};
    options.timeouts.tls = tls ? Duration{1s} : Duration{20s};
    delivery::Endpoint endpoint{asio::ip::make_address(kAddress), provider.target(), *DomainName::parse("mx.example"),
                                *DomainName::parse("out.example")};
    co_return Visit{co_await Session::open(std::move(endpoint), options, [] { return true; })};
}

inline std::vector<std::string> numbered(std::size_t count)
{
    std::vector<std::string> out;
    for (std::size_t i = 0; i < count; ++i) out.push_back("user" + std::to_string(i) + "@x.example");
    return out;
}

inline awaitable<std::vector<Outcome>> send(Session& session, std::vector<std::string> recipients)
{
    auto mail = std::make_shared<delivery::Mail>();
    mail->envelope.sender = EmailAddress::parse("from@s.example").value();
    for (const std::string& one : recipients) mail->envelope.recipients.push_back(EmailAddress::parse(one).value());
    mail->message = "Message-ID: <1@s.example>\r\n\r\nhi\r\n";
    delivery::Report report = co_await session.deliver(mail);
    co_return std::move(report.outcomes);
}

// "250", "450 4.7.1 Greylisted", or "" for a connection that closed without a word.
inline std::string said(const Outcome& outcome)
{
    if (!outcome.reply) return "";
    if (outcome.reply->positive()) return "250";
    return std::to_string(outcome.reply->code) + " " + outcome.reply->text();
}

inline std::string words_of(const ProviderAnswer& answer, std::string_view recipient = {}, std::string_view domain = {})
{
    if (answer.code == 0) return "";
    return std::to_string(answer.code) + " " + answer.reply(kAddress, recipient, domain).text();
}

// One message to one recipient.
inline awaitable<std::string> send_one(Session& session)
{
    const std::vector<Outcome> outcomes = co_await send(session, {"user0@x.example"});
    co_return said(outcomes.front());
}

inline void play(awaitable<void> course)
{
    asio::io_context io{1};
    net::run_to_end(io, std::move(course));
}

} // namespace penguin::bench
