#include "control/ctl/api_client.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "engine/net/connector.h"
#include "engine/net/tls_stream.h"

namespace penguin::control::ctl {

namespace {

using asio::ip::tcp;

} // namespace

ApiClient::ApiClient(Options options) : options_{std::move(options)}
{
    if (options_.url.tls) tls_.emplace(options_.authorities, TLS1_3_VERSION);
}

http_client::Request ApiClient::request_of(Call call) const
{
    http_client::Request request{.method = std::move(call.method),
                                 .target = std::move(call.target),
                                 .host = options_.url.authority(),
                                 .fields = {{"User-Agent", "penguinctl"}},
                                 .body = std::move(call.body)};
    const auto add = [&request](const char* name, std::string value) {
        request.fields.emplace_back(name, std::move(value));
    };
    if (!options_.key.empty()) add("Authorization", "Bearer " + options_.key);
    if (!request.body.empty()) add("Content-Type", "application/json");
    if (!call.if_match.empty()) add("If-Match", std::move(call.if_match));
    if (!call.idempotency_key.empty()) add("Idempotency-Key", std::move(call.idempotency_key));
    return request;
}

awaitable<Result<std::unique_ptr<net::TcpStream>>> ApiClient::open_tcp(SteadyTime deadline)
{
    tcp::resolver resolver{co_await asio::this_coro::executor};
    const auto [code, found] =
        co_await resolver.async_resolve(options_.url.host, std::to_string(options_.url.port), use_result);
    if (code) co_return fail(Errc::not_found, "the host cannot be looked up: " + code.message());
    Error last{Errc::unreachable, "the host has no address that may be asked in clear"};
    std::size_t tried = 0;
    for (const auto& entry : found) {
        const tcp::endpoint target = entry.endpoint();
        if (!options_.url.tls && !target.address().is_loopback()) continue; // what localhost is, the resolver says
        if (++tried > kAddressesTried) break;
        Result<std::unique_ptr<net::TcpStream>> stream = co_await net::connect({}, target, deadline);
        if (stream) co_return stream;
        last = stream.error();
    }
    co_return std::unexpected{last};
}

// A stream socket of another family works as a tcp::socket does, once it is connected.
awaitable<Result<std::unique_ptr<net::TcpStream>>> ApiClient::open_socket()
{
    const auto executor = co_await asio::this_coro::executor;
    asio::local::stream_protocol::socket local{executor};
    const auto [refused] = co_await local.async_connect({options_.url.socket}, use_result);
    if (refused == boost::system::errc::no_such_file_or_directory)
        co_return fail(Errc::refused, "there is no such socket");
    if (refused) co_return std::unexpected{error_of(refused, "connecting")};
    error_code code;
    const int descriptor = local.release(code);
    if (code) co_return std::unexpected{error_of(code, "connecting")};
    tcp::socket socket{executor};
    socket.assign(tcp::v4(), descriptor, code);
    if (code) co_return std::unexpected{error_of(code, "connecting")};
    co_return std::make_unique<net::TcpStream>(std::move(socket));
}

awaitable<Result<ApiClient::Stream>> ApiClient::open(SteadyTime deadline)
{
    Result<std::unique_ptr<net::TcpStream>> tcp =
        co_await (options_.url.socket.empty() ? open_tcp(deadline) : open_socket());
    if (!tcp) co_return std::unexpected{tcp.error()};
    if (!tls_) co_return Stream{std::move(*tcp)};
    net::SslPtr ssl = tls_->make(options_.url.host);
    if (!ssl) co_return fail(Errc::local_fault, "TLS: " + net::take_ssl_error());
    Result<std::unique_ptr<net::TlsStream>> stream =
        co_await net::TlsStream::start(std::move(*tcp), std::move(ssl), deadline);
    if (!stream) co_return std::unexpected{stream.error()};
    co_return Stream{std::move(*stream)};
}

awaitable<Result<http_client::Answer>> ApiClient::call_before(Call call, SteadyTime deadline)
{
    const Result<Stream> stream = co_await open(deadline);
    if (!stream) co_return std::unexpected{stream.error()};
    co_return co_await http_client::exchange(**stream, request_of(std::move(call)), {.body_max = kAnswerMax}, deadline);
}

awaitable<Result<http_client::Answer>> ApiClient::call(Call call)
{
    const SteadyTime deadline = std::chrono::steady_clock::now() + options_.limit;
    co_return co_await within(options_.limit, "the call", call_before(std::move(call), deadline));
}

} // namespace penguin::control::ctl
