#include "engine/net/tls_stream.h"

#include <random>

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/detached.hpp>

#include "tests/engine/net/loopback.h"

namespace penguin::net {
namespace {

using namespace std::chrono_literals;

const DomainName kHost = *DomainName::parse("mx.example");

const TlsServer& server_context()
{
    static const TlsServer context = TlsServer::self_signed(kHost);
    return context;
}

struct TlsPair {
    std::unique_ptr<TlsStream> client;
    std::unique_ptr<TlsStream> server;
};

awaitable<void> accept_into(std::unique_ptr<TcpStream> below, std::unique_ptr<TlsStream>& out)
{
    Result<std::unique_ptr<TlsStream>> stream =
        co_await TlsStream::start(std::move(below), server_context().make(), soon());
    if (stream) out = std::move(*stream);
}

awaitable<TlsPair> tls_pair(TlsClient& client)
{
    Pair pair = co_await connected_pair();
    TlsPair out;
    asio::co_spawn(co_await asio::this_coro::executor, accept_into(std::move(pair.server), out.server), asio::detached);
    SslPtr ssl = client.make(kHost, "mx.example/127.0.0.1");
    Result<std::unique_ptr<TlsStream>> stream =
        co_await TlsStream::start(std::move(pair.client), std::move(ssl), soon());
    EXPECT_TRUE(stream.has_value());
    if (stream) out.client = std::move(*stream);
    while (!out.server) co_await sleep_for(1ms); // its last flight may still be on the way
    co_return out;
}

awaitable<void> read_all(ByteStream& stream, std::size_t length, std::optional<std::string>& out)
{
    out = co_await read_text(stream, length);
}

TEST(TlsStream, CarriesMuchBothWays)
{
    asio::io_context io;
    run_to_end(io, []() -> awaitable<void> {
        TlsClient context;
        TlsPair pair = co_await tls_pair(context);
        EXPECT_TRUE(pair.client->encrypted());
        std::string much(3'000'001, '\0');
        std::mt19937 random{1};
        for (char& c : much) c = static_cast<char>(random());
        std::optional<std::string> got;
        asio::co_spawn(co_await asio::this_coro::executor, read_all(*pair.server, much.size(), got), asio::detached);
        // Pieces of odd sizes: across, below and far above a record.
        std::vector<std::string_view> pieces;
        for (std::string_view rest = much; !rest.empty();) {
            const std::size_t length = std::min<std::size_t>(rest.size(), 1 + random() % 100'000);
            pieces.push_back(rest.substr(0, length));
            rest.remove_prefix(length);
            if (pieces.size() < 40 && !rest.empty()) continue;
            const Result<> written = co_await pair.client->write(pieces, soon());
            EXPECT_TRUE(written.has_value());
            pieces.clear();
        }
        while (!got) co_await sleep_for(1ms);
        EXPECT_TRUE(*got == much);
        co_await write_text(*pair.server, "back");
        const std::string back = co_await read_text(*pair.client, 4);
        EXPECT_EQ(back, "back");
    }());
}

TEST(TlsStream, ReadsWhatIsThereWithoutWaiting)
{
    asio::io_context io;
    run_to_end(io, []() -> awaitable<void> {
        TlsClient context;
        TlsPair pair = co_await tls_pair(context);
        std::array<char, 2> buffer{};
        // The server's session ticket has come, which is no octet of ours.
        EXPECT_EQ(pair.client->read_now(buffer), 0U);
        co_await write_text(*pair.server, "abc");
        Result<std::size_t> count = 0;
        while (count && *count == 0) count = pair.client->read_now(buffer);
        EXPECT_EQ(count, 2U);
        EXPECT_EQ(pair.client->read_now(buffer), 1U);
        EXPECT_EQ(pair.client->read_now(buffer), 0U);
        pair.server->close();
        count = 0;
        while (count && *count == 0) count = pair.client->read_now(buffer);
        EXPECT_EQ(count.error().code, Errc::closed);
    }());
}

TEST(TlsStream, AReadEndsAtItsDeadlineAndTheNextGoesOn)
{
    asio::io_context io;
    run_to_end(io, []() -> awaitable<void> {
        TlsClient context;
        TlsPair pair = co_await tls_pair(context);
        std::array<char, 10> buffer{};
        const Result<std::size_t> count = co_await pair.client->read_some(buffer, after(20ms));
        EXPECT_EQ(count.error().code, Errc::timeout);
        co_await write_text(*pair.server, "late");
        const std::string late = co_await read_text(*pair.client, 4);
        EXPECT_EQ(late, "late");
    }());
}

TEST(TlsStream, ResumesTheLastSessionWithAPeer)
{
    asio::io_context io;
    run_to_end(io, []() -> awaitable<void> {
        TlsClient context;
        for (const bool second : {false, true}) {
            TlsPair pair = co_await tls_pair(context);
            EXPECT_EQ(pair.client->resumed(), second);
            EXPECT_TRUE(pair.client->protocol().starts_with("TLSv1.3")) << pair.client->protocol();
            co_await write_text(*pair.server, "x"); // reading it takes the ticket in
            const std::string x = co_await read_text(*pair.client, 1);
            EXPECT_EQ(x, "x");
            EXPECT_EQ(context.sessions(), 1U);
        }
    }());
}

TEST(TlsStream, PlainTextInsteadOfAHandshakeIsTlsFailed)
{
    asio::io_context io;
    run_to_end(io, []() -> awaitable<void> {
        TlsClient context;
        Pair pair = co_await connected_pair();
        co_await write_text(*pair.server, "454 not really\r\n");
        const auto stream = co_await TlsStream::start(std::move(pair.client), context.make(kHost, "p"), soon());
        EXPECT_EQ(stream.error().code, Errc::tls_failed);
    }());
}

TEST(TlsStream, AHandshakeThatStallsOrEndsIsNoHang)
{
    asio::io_context io;
    run_to_end(io, []() -> awaitable<void> {
        TlsClient context;
        Pair stalled = co_await connected_pair();
        auto stream = co_await TlsStream::start(std::move(stalled.client), context.make(kHost, "p"), after(30ms));
        EXPECT_EQ(stream.error().code, Errc::timeout);
        Pair ended = co_await connected_pair();
        ended.server.reset();
        stream = co_await TlsStream::start(std::move(ended.client), context.make(kHost, "p"), soon());
        EXPECT_EQ(stream.error().code, Errc::closed);
    }());
}

// Does not end TLS, does not even speak it any more.
awaitable<void> handshake_then_say(std::unique_ptr<TcpStream> below, std::string words)
{
    const int raw = ::dup(below->socket().native_handle());
    std::unique_ptr<TlsStream> stream;
    co_await accept_into(std::move(below), stream);
    EXPECT_EQ(::send(raw, words.data(), words.size(), MSG_NOSIGNAL), static_cast<ssize_t>(words.size()));
    ::close(raw);
    co_await sleep_for(5s); // until the test is over
}

TEST(TlsStream, ABrokenRecordIsTlsFailed)
{
    asio::io_context io;
    run_to_end(io, []() -> awaitable<void> {
        TlsClient context;
        Pair pair = co_await connected_pair();
        std::string words("\x17\x03\x03\x00\x20", 5);
        words += std::string(32, 'x'); // the form of a record, and no content that could be authentic
        asio::co_spawn(co_await asio::this_coro::executor, handshake_then_say(std::move(pair.server), words),
                       asio::detached);
        const Result<std::unique_ptr<TlsStream>> client =
            co_await TlsStream::start(std::move(pair.client), context.make(kHost, "p"), soon());
        EXPECT_TRUE(client.has_value());
        std::array<char, 10> buffer{};
        const Result<std::size_t> count = co_await (*client)->read_some(buffer, soon());
        EXPECT_EQ(count.error().code, Errc::tls_failed);
    }());
}

TEST(TlsClient, ResumesOnlyWithThePeerThatGaveTheSession)
{
    asio::io_context io;
    run_to_end(io, []() -> awaitable<void> {
        TlsClient context;
        TlsPair pair = co_await tls_pair(context);
        co_await write_text(*pair.server, "x");
        co_await read_text(*pair.client, 1);
        EXPECT_EQ(context.sessions(), 1U);
        // Another peer has no session of this one to resume.
        EXPECT_EQ(SSL_get_session(context.make(kHost, "other").get()), nullptr);
        EXPECT_NE(SSL_get_session(context.make(kHost, "mx.example/127.0.0.1").get()), nullptr);
    }());
}

} // namespace
} // namespace penguin::net
