// Two ends of a connection over 127.0.0.1 and a way to run coroutines against each other, for tests.
#pragma once

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <gtest/gtest.h>

#include "engine/base/asio.h"
#include "engine/net/tcp_stream.h"

namespace penguin::net {

inline SteadyTime after(Duration time) { return std::chrono::steady_clock::now() + time; }
// Far beyond what any step here needs, so that a slow machine fails no test.
inline SteadyTime soon() { return after(std::chrono::seconds{20}); }

// Runs `work` to its end; fails the test when it takes more than half a minute or throws.
inline void run_to_end(asio::io_context& io, awaitable<void> work)
{
    bool done = false;
    std::exception_ptr thrown;
    asio::co_spawn(io, std::move(work), [&](const std::exception_ptr& exception) {
        thrown = exception;
        done = true;
        io.stop();
    });
    io.run_for(std::chrono::seconds{30});
    io.restart();
    ASSERT_TRUE(done) << "the coroutine hangs";
    if (thrown) std::rethrow_exception(thrown);
}

struct Listener {
    explicit Listener(asio::io_context& io) : acceptor{io, {asio::ip::make_address("127.0.0.1"), 0}} {}
    asio::ip::tcp::endpoint endpoint() const { return acceptor.local_endpoint(); }

    awaitable<std::unique_ptr<TcpStream>> accept()
    {
        auto [code, socket] = co_await acceptor.async_accept(use_result);
        EXPECT_FALSE(code) << code.message();
        co_return std::make_unique<TcpStream>(std::move(socket));
    }

    asio::ip::tcp::acceptor acceptor;
};

struct Pair {
    std::unique_ptr<TcpStream> client;
    std::unique_ptr<TcpStream> server;
};

inline awaitable<Pair> connected_pair()
{
    const auto executor = co_await asio::this_coro::executor;
    asio::ip::tcp::acceptor acceptor{executor, {asio::ip::make_address("127.0.0.1"), 0}};
    auto client = std::make_unique<TcpStream>(asio::ip::tcp::socket{executor, asio::ip::tcp::v4()});
    const Result<> connected = co_await client->connect(acceptor.local_endpoint(), soon());
    EXPECT_TRUE(connected.has_value());
    auto [code, socket] = co_await acceptor.async_accept(use_result);
    EXPECT_FALSE(code) << code.message();
    Pair pair;
    pair.client = std::move(client);
    pair.server = std::make_unique<TcpStream>(std::move(socket));
    co_return pair;
}

inline awaitable<Result<>> write_text(ByteStream& stream, std::string_view text)
{
    const std::string_view pieces[] = {text};
    const Result<> result = co_await stream.write(pieces, soon());
    co_return result;
}

// Reads until `length` octets are there or the stream ends.
inline awaitable<std::string> read_text(ByteStream& stream, std::size_t length)
{
    std::string out;
    std::string buffer(std::size_t{64} * 1024, '\0');
    while (out.size() < length) {
        const Result<std::size_t> count = co_await stream.read_some(buffer, soon());
        if (!count) break;
        out.append(buffer, 0, *count);
    }
    co_return out;
}

} // namespace penguin::net
