// The relay between two real sockets. Times have a lower bound only: a busy machine may be late, but nothing comes early.
#include "bench/relay/relay.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include "tests/engine/net/loopback.h"

namespace penguin::bench {
namespace {

using namespace std::chrono_literals;
using tcp = asio::ip::tcp;

constexpr Duration kOneWay = 60ms;
const tcp::endpoint kAnyPort{asio::ip::make_address("127.0.0.1"), 0};

SteadyTime now() { return std::chrono::steady_clock::now(); }

class RelayTest : public testing::Test {
protected:
    // client and server are the two ends of a connection through the relay.
    awaitable<void> connect(RelayOptions options = {.one_way = kOneWay})
    {
        options.listen = kAnyPort;
        options.to = listener.local_endpoint();
        const auto [code] = co_await client.async_connect(start_relay(io, options).value(), use_result);
        EXPECT_FALSE(code);
        auto [failed, taken] = co_await listener.async_accept(use_result);
        EXPECT_FALSE(failed);
        server = std::move(taken);
    }

    static awaitable<void> say(tcp::socket& from, const std::string& text)
    {
        const auto [code, count] = co_await asio::async_write(from, asio::buffer(text), use_result);
        EXPECT_FALSE(code) << code.message();
    }

    static awaitable<std::string> hear(tcp::socket& at, std::size_t length)
    {
        std::string text(length, '\0');
        const auto [code, count] = co_await asio::async_read(at, asio::buffer(text), use_result);
        EXPECT_FALSE(code) << code.message();
        co_return text;
    }

    // How a connection ends for who reads from it.
    static awaitable<error_code> end_of(tcp::socket& at)
    {
        char octet = 0;
        const auto [code, count] = co_await at.async_read_some(asio::buffer(&octet, 1), use_result);
        co_return code;
    }

    static void reset(tcp::socket& socket)
    {
        socket.set_option(asio::socket_base::linger{true, 0});
        socket.close();
    }

    asio::io_context io{1};
    tcp::acceptor listener{io, kAnyPort};
    tcp::socket client{io};
    tcp::socket server{io};
};

TEST_F(RelayTest, HoldsEachOctetInBothDirections)
{
    net::run_to_end(io, [&]() -> awaitable<void> {
        co_await connect();
        for (const auto& [from, at] : {std::pair{&client, &server}, std::pair{&server, &client}}) {
            const SteadyTime said = now();
            co_await say(*from, "ping");
            EXPECT_EQ(co_await hear(*at, 4), "ping");
            EXPECT_GE(now() - said, kOneWay);
        }
    }());
}

TEST_F(RelayTest, ManyPiecesAreOnTheirWayAtOnce)
{
    constexpr int kPieces = 20;
    net::run_to_end(io, [&]() -> awaitable<void> {
        co_await connect({.one_way = 200ms});
        const SteadyTime began = now();
        std::vector<SteadyTime> said;
        for (int i = 0; i < kPieces; ++i) {
            said.push_back(now());
            co_await say(client, std::string(1, static_cast<char>('a' + i)));
            co_await sleep_for(2ms);
        }
        for (int i = 0; i < kPieces; ++i) {
            EXPECT_EQ(co_await hear(server, 1), std::string(1, static_cast<char>('a' + i)));
            EXPECT_GE(now() - said[static_cast<std::size_t>(i)], 200ms);
        }
        EXPECT_LT(now() - began, 200ms * kPieces / 2); // one after the other they would take twice as long
    }());
}

TEST_F(RelayTest, KeepsAllOctetsInOrder)
{
    std::string text;
    for (int i = 0; text.size() < (std::size_t{1} << 20); ++i) text += std::to_string(i) + " ";
    net::run_to_end(io, [&]() -> awaitable<void> {
        using namespace asio::experimental::awaitable_operators;
        co_await connect();
        const std::string heard = co_await (hear(server, text.size()) && say(client, text));
        EXPECT_TRUE(heard == text);
    }());
}

TEST_F(RelayTest, TheEndOfOneDirectionLeavesTheOtherOpen)
{
    net::run_to_end(io, [&]() -> awaitable<void> {
        co_await connect();
        const SteadyTime ended = now();
        client.shutdown(tcp::socket::shutdown_send);
        EXPECT_EQ(co_await end_of(server), asio::error::eof);
        EXPECT_GE(now() - ended, kOneWay);
        co_await say(server, "bye");
        server.close();
        EXPECT_EQ(co_await hear(client, 3), "bye");
        EXPECT_EQ(co_await end_of(client), asio::error::eof);
    }());
}

TEST_F(RelayTest, AResetIsPassedOnToTheServer)
{
    net::run_to_end(io, [&]() -> awaitable<void> {
        co_await connect();
        const SteadyTime ended = now();
        reset(client);
        EXPECT_EQ(co_await end_of(server), asio::error::connection_reset);
        EXPECT_GE(now() - ended, kOneWay);
    }());
}

TEST_F(RelayTest, AResetIsPassedOnToTheClient)
{
    net::run_to_end(io, [&]() -> awaitable<void> {
        co_await connect();
        client.shutdown(tcp::socket::shutdown_send);
        EXPECT_EQ(co_await end_of(server), asio::error::eof);
        const SteadyTime ended = now();
        reset(server);
        EXPECT_EQ(co_await end_of(client), asio::error::connection_reset);
        EXPECT_GE(now() - ended, kOneWay);
    }());
}

// The server is gone, and the relay learns of it only when it writes.
TEST_F(RelayTest, WhoWritesToAnEndedConnectionIsReset)
{
    net::run_to_end(io, [&]() -> awaitable<void> {
        co_await connect();
        server.close();
        EXPECT_EQ(co_await end_of(client), asio::error::eof);
        error_code code;
        for (int i = 0; i < 1'000 && !code; ++i) {
            asio::write(client, asio::buffer("more", 4), code);
            co_await sleep_for(5ms);
        }
        EXPECT_TRUE(code);
    }());
}

TEST_F(RelayTest, ATargetThatTakesNoConnectionResetsTheClient)
{
    const tcp::endpoint nobody = listener.local_endpoint();
    listener.close();
    net::run_to_end(io, [&]() -> awaitable<void> {
        const tcp::endpoint relay = start_relay(io, {.listen = kAnyPort, .to = nobody, .one_way = kOneWay}).value();
        const SteadyTime began = now();
        const auto [code] = co_await client.async_connect(relay, use_result);
        EXPECT_FALSE(code);
        EXPECT_EQ(co_await end_of(client), asio::error::connection_reset);
        EXPECT_GE(now() - began, kOneWay);
    }());
}

// At most held_max and one piece more leave the relay in each stretch of one_way.
TEST_F(RelayTest, ReadsNoMoreThanItMayHold)
{
    constexpr std::size_t kHeld = std::size_t{64} << 10;
    constexpr std::size_t kPiece = std::size_t{64} << 10;
    constexpr std::size_t kAll = std::size_t{2} << 20;
    net::run_to_end(io, [&]() -> awaitable<void> {
        using namespace asio::experimental::awaitable_operators;
        co_await connect({.one_way = 20ms, .held_max = kHeld});
        const SteadyTime began = now();
        co_await (hear(server, kAll) && say(client, std::string(kAll, 'x')));
        EXPECT_GE(now() - began, 20ms * (kAll / (kHeld + kPiece)));
    }());
}

TEST_F(RelayTest, AnAddressThatCannotBeBoundIsNamed)
{
    const auto started = start_relay(io, {.listen = listener.local_endpoint(), .to = kAnyPort});
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, Errc::bad_value);
    EXPECT_NE(started.error().detail.find(std::to_string(listener.local_endpoint().port())), std::string::npos);
}

} // namespace
} // namespace penguin::bench
