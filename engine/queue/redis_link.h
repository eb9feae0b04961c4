// engine/queue/redis_link.h
// One connection of the operating system to a Redis, its bytes and its replies; after a loss RedisConnection makes
// another. Private to RedisConnection.
#pragma once

#include <hiredis/hiredis.h>

#include <array>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/asio.h"
#include "engine/queue/redis_reply.h"

namespace penguin::queue {

// RESP2: an array of bulk strings.
void append_command(std::string& out, const std::vector<std::string>& arguments);

struct RedisLink {
    using Socket = asio::generic::stream_protocol::socket;
    using TlsStream = asio::ssl::stream<Socket&>;
    static constexpr std::size_t kReadMax = std::size_t{64} * 1024; // octets a read
    // Of one array; a hand of the largest window has 200,000. The reader makes room for as many as are announced, before any comes.
    static constexpr int kElementsMax = 1 << 20;

    explicit RedisLink(const asio::any_io_executor& executor) : socket{executor}, reader{make_reader()} {}

    static redisReader* make_reader();
    struct ReaderFree {
        void operator()(redisReader* of) const { redisReaderFree(of); }
    };

    Socket socket;
    std::optional<TlsStream> tls;
    std::unique_ptr<redisReader, ReaderFree> reader;
    std::array<char, kReadMax> buffer{};
    std::string writing; // what the kernel takes now; stays where it is until it has
    bool busy = false;   // `writing` is being written

    void close();
    awaitable<Result<>> write(std::string bytes);
    // Reads some octets and gives them to the reader.
    awaitable<Result<>> read();
    // The next whole reply that was read; nothing when more must be read. Errors: malformed.
    Result<std::optional<RedisReply>> next_reply();
    // One command before pipelining begins. Error replies become Errors.
    awaitable<Result<RedisReply>> round_trip(std::vector<std::string> arguments);
};

} // namespace penguin::queue
