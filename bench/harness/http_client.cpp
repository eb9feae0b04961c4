#include "bench/harness/http_client.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>

namespace penguin::bench {

namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

constexpr std::chrono::milliseconds kLook{50}; // at signals and the deadline
constexpr std::size_t kShownMax = 500;         // octets of an answer in an error

} // namespace

struct HttpClient::Connection {
    Connection(asio::io_context& io, std::uint16_t to, std::string key)
        : stream{io},
          endpoint{asio::ip::address_v4::loopback(), to},
          token{std::move(key)}
    {
    }

    awaitable<void> open()
    {
        stream.expires_after(kCallMax);
        const auto [code] = co_await stream.async_connect(endpoint, use_result);
        if (code) throw BenchError{"the API does not take connections: " + code.message()};
        stream.socket().set_option(tcp::no_delay{true});
        buffer.clear();
        connected = true;
    }

    beast::tcp_stream stream;
    tcp::endpoint endpoint;
    std::string token;
    beast::flat_buffer buffer;
    bool connected = false;
};

HttpClient::HttpClient(asio::io_context& io, std::uint16_t port, std::string token)
    : connection_{std::make_unique<Connection>(io, port, std::move(token))}
{
}

HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;

awaitable<HttpAnswer> HttpClient::call(std::string method, std::string target, std::string body)
{
    Connection& connection = *connection_;
    if (!connection.connected) co_await connection.open();
    http::request<http::string_body> request;
    request.method_string(method);
    request.target(target);
    request.version(11);
    request.set(http::field::host, "127.0.0.1");
    if (!connection.token.empty()) request.set(http::field::authorization, "Bearer " + connection.token);
    if (!body.empty()) request.set(http::field::content_type, "application/json");
    request.body() = std::move(body);
    request.prepare_payload();

    connection.stream.expires_after(kCallMax);
    const auto [unsent, sent] = co_await http::async_write(connection.stream, request, use_result);
    http::response_parser<http::string_body> parser;
    parser.body_limit(kAnswerMax);
    error_code unheard = unsent;
    if (!unsent) {
        const auto [code, heard] = co_await http::async_read(connection.stream, connection.buffer, parser, use_result);
        unheard = code;
    }
    if (unheard) throw BenchError{fmt::format("{} {}: no answer: {}", method, target, unheard.message())};
    connection.connected = parser.keep_alive();
    if (!connection.connected) connection.stream.close();
    co_return HttpAnswer{parser.get().result_int(), std::move(parser.get().body())};
}

awaitable<boost::json::value> HttpClient::json(std::string method, std::string target, std::string body)
{
    const std::string what = method + " " + target;
    HttpAnswer answer = co_await call(std::move(method), std::move(target), std::move(body));
    if (answer.status >= 300)
        throw BenchError{fmt::format("{}: {} {}", what, answer.status, answer.body.substr(0, kShownMax))};
    if (answer.body.empty()) co_return boost::json::value{};
    error_code code;
    boost::json::value value = boost::json::parse(answer.body, code);
    if (code) throw BenchError{what + ": the answer is no JSON: " + answer.body.substr(0, kShownMax)};
    co_return value;
}

void run_all(asio::io_context& io, Patience& patience, std::vector<awaitable<void>> work)
{
    std::size_t running = work.size();
    std::exception_ptr failed;
    io.restart();
    for (awaitable<void>& one : work) {
        asio::co_spawn(io, std::move(one), [&](const std::exception_ptr& thrown) {
            --running;
            if (thrown && !failed) failed = thrown;
        });
    }
    while (running > 0 && !failed) {
        io.run_for(kLook);
        if (io.stopped()) io.restart();
        patience.check();
    }
    if (failed) std::rethrow_exception(failed);
}

} // namespace penguin::bench
