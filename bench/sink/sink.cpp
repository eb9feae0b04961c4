#include "bench/sink/sink.h"

#include <algorithm>

#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/detail/socket_option.hpp>

#include "bench/sink/sink_connection.h"

namespace penguin::bench {

namespace {

using tcp = asio::ip::tcp;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

constexpr int kBacklog = 4096;                        // connections that wait to be accepted
constexpr std::chrono::milliseconds kAcceptPause{50}; // after a failed accept (no descriptor left)

std::string text_of(const tcp::endpoint& endpoint)
{
    const std::string address = endpoint.address().to_string();
    const std::string port = std::to_string(endpoint.port());
    return endpoint.address().is_v6() ? "[" + address + "]:" + port : address + ":" + port;
}

Result<tcp::acceptor> listen_on(asio::io_context& context, const tcp::endpoint& endpoint)
{
    tcp::acceptor acceptor{context};
    error_code code;
    acceptor.open(endpoint.protocol(), code);
    if (!code) acceptor.set_option(asio::socket_base::reuse_address{true}, code);
    if (!code) acceptor.set_option(ReusePort{true}, code);
    if (!code) acceptor.bind(endpoint, code);
    if (!code) acceptor.listen(kBacklog, code);
    if (code) return fail(Errc::bad_value, "listening on " + text_of(endpoint) + ": " + code.message());
    return acceptor;
}

awaitable<void> accept_all(tcp::acceptor acceptor, SinkShared& shared, std::string listener)
{
    for (;;) {
        auto [code, socket] = co_await acceptor.async_accept(use_result);
        if (code == asio::error::operation_aborted) co_return;
        if (code) {
            co_await sleep_for(kAcceptPause);
            continue;
        }
        asio::co_spawn(acceptor.get_executor(), serve_sink_connection(std::move(socket), shared, listener),
                       asio::detached);
    }
}

void pin_to(std::size_t core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core % std::max(1U, std::thread::hardware_concurrency()), &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

} // namespace

std::string SinkCounts::to_json(std::chrono::milliseconds running) const
{
    constexpr std::array<const char*, 7> kPhases = {"greeting", "ehlo", "starttls", "mail", "rcpt", "data", "body"};
    const auto field = [](const char* name, std::uint64_t value) {
        return std::string{"\""} + name + "\":" + std::to_string(value);
    };
    std::string json = "{" + field("milliseconds", static_cast<std::uint64_t>(running.count())) + "," +
                       field("connections", connections) + "," + field("turned_away", turned_away) + "," +
                       field("tls_connections", tls_connections) + "," + field("tls_failed", tls_failed) + "," +
                       field("messages", messages) + "," + field("recipients", recipients) + "," +
                       field("octets", octets) + ",\"ruled\":{";
    for (std::size_t i = 0; i < kPhases.size(); ++i) json += (i > 0 ? "," : "") + field(kPhases[i], ruled[i]);
    json += "},\"profile\":{";
    for (std::size_t i = 1; i < kProviderReasons; ++i)
        json += (i > 1 ? "," : "") + field(std::string{name_of(static_cast<ProviderReason>(i))}.c_str(), profiled[i]);
    return json + "}}";
}

std::string Sink::to_json(std::chrono::milliseconds running) const
{
    std::string json = shared_.counts.to_json(running);
    json.pop_back();
    if (shared_.gate) json += ",\"reputation\":" + shared_.gate->reputations(shared_.options.now());
    if (shared_.desk) json += ",\"reports\":" + shared_.desk->to_json();
    return json + "}";
}

std::function<SteadyTime()> clock_with_days_of(std::chrono::seconds day)
{
    const SteadyTime began = std::chrono::steady_clock::now();
    return [began, times = std::chrono::days{1} / std::chrono::duration<double>{day}] {
        const std::chrono::duration<double, std::nano> passed = std::chrono::steady_clock::now() - began;
        return began + std::chrono::nanoseconds{static_cast<std::int64_t>(passed.count() * times)};
    };
}

Sink::Sink(const SinkOptions& options)
    : shared_{.options = options, .rules = SinkRules{options.rules}, .recorder = SinkRecorder{options.record}}
{
    if (options.profile) shared_.gate = std::make_unique<ProviderGate>(*options.profile);
}

Sink::~Sink() { stop(); }

Result<std::unique_ptr<Sink>> Sink::start(const SinkOptions& options)
{
    std::unique_ptr<Sink> sink{new Sink{options}};
    if (const Result<> opened = sink->shared_.recorder.open(); !opened) return std::unexpected{opened.error()};
    if (const Result<> prepared = sink->prepare_desk(); !prepared) return std::unexpected{prepared.error()};
    if (const Result<> prepared = sink->prepare_tls(); !prepared) return std::unexpected{prepared.error()};
    if (const Result<> listens = sink->listen(); !listens) return std::unexpected{listens.error()};
    sink->run();
    return sink;
}

Result<> Sink::prepare_desk()
{
    const SinkOptions& options = shared_.options;
    if (!options.reports) return {};
    if (!options.profile || !options.profile->reports || !options.profile->reputation)
        return fail(Errc::bad_value, "reports need a profile with reputation and reports");
    const Result<DomainName> name = DomainName::parse(options.dialogue.name);
    if (!name) return fail(Errc::bad_value, "the sink's name: " + name.error().detail);
    shared_.desk = std::make_unique<ComplaintDesk>(*options.profile->reports, *options.reports, *name);
    return shared_.desk->open();
}

Result<> Sink::prepare_tls()
{
    const ProviderTls variant = shared_.options.profile ? shared_.options.profile->tls : ProviderTls::good;
    if (!shared_.options.tls || variant == ProviderTls::none) return {};
    const Result<DomainName> name = DomainName::parse(shared_.options.dialogue.name);
    if (!name) return fail(Errc::bad_value, "the sink's name: " + name.error().detail);
    Result<SinkTls> tls = SinkTls::make(*name, variant);
    if (!tls) return std::unexpected{tls.error()};
    shared_.tls = &tls_.emplace(std::move(*tls));
    return {};
}

Result<> Sink::listen()
{
    const std::size_t threads = std::max<std::size_t>(1, shared_.options.threads);
    for (std::size_t i = 0; i < threads; ++i) contexts_.push_back(std::make_unique<asio::io_context>(1));
    for (tcp::endpoint endpoint : shared_.options.listen) {
        for (const std::unique_ptr<asio::io_context>& context : contexts_) {
            Result<tcp::acceptor> acceptor = listen_on(*context, endpoint);
            if (!acceptor) return std::unexpected{acceptor.error()};
            endpoint = acceptor->local_endpoint(); // port 0 is chosen once, then the other threads join it
            asio::co_spawn(*context, accept_all(std::move(*acceptor), shared_, text_of(endpoint)), asio::detached);
        }
        listening_.push_back(endpoint);
    }
    return {};
}

void Sink::run()
{
    for (std::size_t i = 0; i < contexts_.size(); ++i)
        threads_.emplace_back([this, i] {
            if (shared_.options.pin) pin_to(i);
            contexts_[i]->run();
        });
}

void Sink::stop()
{
    for (const std::unique_ptr<asio::io_context>& context : contexts_) context->stop();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    contexts_.clear(); // destroys the connections
}

} // namespace penguin::bench
