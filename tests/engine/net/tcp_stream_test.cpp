#include "engine/net/tcp_stream.h"

#include <boost/asio/detached.hpp>

#include "engine/net/connector.h"
#include "tests/engine/net/loopback.h"

namespace penguin::net {
namespace {

using namespace std::chrono_literals;

TEST(TcpStream, CarriesPiecesInOrder)
{
    asio::io_context io;
    run_to_end(io, []() -> awaitable<void> {
        Pair pair = co_await connected_pair();
        const std::string_view pieces[] = {"one ", "", "two ", "three"};
        const Result<> written = co_await pair.client->write(pieces, soon());
        EXPECT_TRUE(written.has_value());
        const std::string text = co_await read_text(*pair.server, 13);
        EXPECT_EQ(text, "one two three");
    }());
}

TEST(TcpStream, WhatFindsNoRoomAtOnceFollowsInOrder)
{
    asio::io_context io;
    run_to_end(io, []() -> awaitable<void> {
        Pair pair = co_await connected_pair();
        std::string much;
        for (std::size_t number = 0; much.size() < std::size_t{16} << 20U; ++number)
            much += std::to_string(number) + ' ';
        const std::string_view all = much;
        const std::size_t third = all.size() / 3;
        const std::string_view pieces[] = {all.substr(0, third), all.substr(third, third), all.substr(2 * third)};
        bool written = false;
        asio::co_spawn(
            co_await asio::this_coro::executor,
            [&]() -> awaitable<void> {
                const Result<> result = co_await pair.client->write(pieces, soon());
                written = result.has_value();
            },
            asio::detached);
        const std::string text = co_await read_text(*pair.server, all.size());
        EXPECT_TRUE(text == all) << text.size() << " of " << all.size() << " octets";
        EXPECT_TRUE(written);
    }());
}

TEST(TcpStream, AReadEndsAtItsDeadline)
{
    asio::io_context io;
    run_to_end(io, []() -> awaitable<void> {
        Pair pair = co_await connected_pair();
        std::array<char, 10> buffer{};
        const SteadyTime start = std::chrono::steady_clock::now();
        const Result<std::size_t> count = co_await pair.client->read_some(buffer, after(30ms));
        EXPECT_FALSE(count);
        EXPECT_EQ(count.error().code, Errc::timeout);
        EXPECT_GE(std::chrono::steady_clock::now() - start, 30ms);
    }());
}

TEST(TcpStream, ADeadlineThatIsOverWaitsForNothing)
{
    asio::io_context io;
    run_to_end(io, []() -> awaitable<void> {
        Pair pair = co_await connected_pair();
        std::array<char, 10> buffer{};
        const Result<std::size_t> count = co_await pair.client->read_some(buffer, after(-1ms));
        EXPECT_EQ(count.error().code, Errc::timeout);
        const std::string_view pieces[] = {"x"};
        const Result<> written = co_await pair.client->write(pieces, after(-1ms));
        EXPECT_EQ(written.error().code, Errc::timeout);
    }());
}

TEST(TcpStream, AnOldDeadlineDoesNotEndALaterRead)
{
    asio::io_context io;
    run_to_end(io, []() -> awaitable<void> {
        Pair pair = co_await connected_pair();
        std::array<char, 10> buffer{};
        co_await write_text(*pair.server, "a");
        Result<std::size_t> count = co_await pair.client->read_some(buffer, after(50ms));
        EXPECT_TRUE(count.has_value());
        // The next octet comes after the first deadline, whose timer still runs.
        asio::co_spawn(
            co_await asio::this_coro::executor,
            [](TcpStream& server) -> awaitable<void> {
                co_await sleep_for(120ms);
                co_await write_text(server, "b");
            }(*pair.server),
            asio::detached);
        count = co_await pair.client->read_some(buffer, soon());
        EXPECT_TRUE(count.has_value());
    }());
}

TEST(TcpStream, AnEarlierDeadlineBehindALaterOneCounts)
{
    asio::io_context io;
    run_to_end(io, []() -> awaitable<void> {
        Pair pair = co_await connected_pair();
        std::array<char, 10> buffer{};
        co_await write_text(*pair.server, "a");
        Result<std::size_t> count = co_await pair.client->read_some(buffer, after(1h));
        EXPECT_TRUE(count.has_value());
        count = co_await pair.client->read_some(buffer, after(30ms));
        EXPECT_EQ(count.error().code, Errc::timeout);
    }());
}

TEST(TcpStream, AWriteThatNobodyReadsEndsAtItsDeadline)
{
    asio::io_context io;
    run_to_end(io, []() -> awaitable<void> {
        Pair pair = co_await connected_pair();
        const std::string much(64 << 20, 'x');
        const std::string_view pieces[] = {much};
        const Result<> written = co_await pair.client->write(pieces, after(100ms));
        EXPECT_EQ(written.error().code, Errc::timeout);
    }());
}

TEST(TcpStream, TellsThatThePeerClosed)
{
    asio::io_context io;
    run_to_end(io, []() -> awaitable<void> {
        Pair pair = co_await connected_pair();
        pair.server.reset();
        std::array<char, 10> buffer{};
        const Result<std::size_t> count = co_await pair.client->read_some(buffer, soon());
        EXPECT_EQ(count.error().code, Errc::closed);
        EXPECT_EQ(pair.client->read_now(buffer).error().code, Errc::closed);
    }());
}

TEST(TcpStream, ReadsWhatIsThereWithoutWaiting)
{
    asio::io_context io;
    run_to_end(io, []() -> awaitable<void> {
        Pair pair = co_await connected_pair();
        std::array<char, 10> buffer{};
        EXPECT_EQ(pair.client->read_now(buffer), 0U);
        co_await write_text(*pair.server, "abc");
        Result<std::size_t> count = 0;
        while (count && *count == 0) count = pair.client->read_now(buffer); // loopback: at once
        EXPECT_EQ(count, 3U);
    }());
}

TEST(TcpStream, ClosingEndsAWaitingRead)
{
    asio::io_context io;
    run_to_end(io, []() -> awaitable<void> {
        Pair pair = co_await connected_pair();
        asio::post(co_await asio::this_coro::executor, [&pair] { pair.client->close(); });
        std::array<char, 10> buffer{};
        const Result<std::size_t> count = co_await pair.client->read_some(buffer, soon());
        EXPECT_EQ(count.error().code, Errc::cancelled);
    }());
}

TEST(Connector, UsesTheSourceAddress)
{
    asio::io_context io;
    Listener listener{io};
    run_to_end(io, [](Listener& to) -> awaitable<void> {
        Result<std::unique_ptr<TcpStream>> stream =
            co_await connect(asio::ip::make_address("127.0.0.5"), to.endpoint(), soon());
        EXPECT_TRUE(stream.has_value());
        const std::unique_ptr<TcpStream> peer = co_await to.accept();
        EXPECT_EQ(peer->socket().remote_endpoint().address().to_string(), "127.0.0.5");
    }(listener));
}

TEST(Connector, SaysWhyItCannot)
{
    asio::io_context io;
    std::optional<Listener> listener{io};
    const asio::ip::tcp::endpoint open = listener->endpoint();
    run_to_end(io, [](asio::ip::tcp::endpoint to) -> awaitable<void> {
        // 192.0.2.0/24 is for documentation: no machine has it.
        auto stream = co_await connect(asio::ip::make_address("192.0.2.1"), to, soon());
        EXPECT_EQ(stream.error().code, Errc::local_fault);
        stream = co_await connect(asio::ip::make_address("::1"), to, soon());
        EXPECT_EQ(stream.error().code, Errc::unreachable);
        stream = co_await connect(asio::ip::address{}, to, after(-1ms));
        EXPECT_EQ(stream.error().code, Errc::timeout);
    }(open));
    listener.reset();
    run_to_end(io, [](asio::ip::tcp::endpoint to) -> awaitable<void> {
        const auto stream = co_await connect(asio::ip::address{}, to, soon());
        EXPECT_EQ(stream.error().code, Errc::refused);
    }(open));
}

} // namespace
} // namespace penguin::net
