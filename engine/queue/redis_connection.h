// engine/queue/redis_connection.h
// One connection to a Redis: our transport on Asio, hiredis' reader for the replies. Reconnects by itself.
//
//   threads   everything on the thread of its executor (one io_context, one thread)
//   order     commands are written in the order of the calls, those of one loop pass in one write, and pipelined
//   deadline  each command has one. A command that runs out of time ends the connection, because its reply would come
//             at an unknown time: so an unknown result always comes with a new `generation`
//   limits    kInFlightMax commands, kUnsentMax octets not yet taken by the kernel; over them Errc::full
//   errors    unavailable (not connected, or the connection ended before the reply: the command may have run),
//             timeout (the same doubt), full, cancelled (the caller was cancelled, or `close` was called)
//   redirects MOVED and ASK are answered with unavailable and a text that says so: the address given must be that of
//   the
//             server that owns the pool's slot
//   source    RESP2, https://redis.io/docs/reference/protocol-spec
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/asio.h"
#include "engine/queue/redis_reply.h"
#include "engine/queue/redis_url.h"

namespace penguin::queue {

class RedisConnection {
public:
    static constexpr std::size_t kInFlightMax = 4096;                        // commands
    static constexpr std::size_t kUnsentMax = std::size_t{64} * 1024 * 1024; // octets

    struct Options {
        RedisUrl url;
        std::string ca_file;                                  // TLS: "" for the system's trust store
        Duration connect_deadline = std::chrono::seconds{5};  // look-up, connect, handshake, AUTH and SELECT together
        Duration retry_first = std::chrono::milliseconds{50}; // pause before the next try; doubles
        Duration retry_most = std::chrono::seconds{3};
    };

    // Starts connecting at once.
    RedisConnection(asio::any_io_executor executor, Options options);
    ~RedisConnection();
    RedisConnection(const RedisConnection&) = delete;
    RedisConnection& operator=(const RedisConnection&) = delete;

    // Waits until it is connected, at most `limit`. Errors: unavailable, with the reason of the last try; cancelled.
    awaitable<Result<>> connected_within(Duration limit);
    bool connected() const;

    // The reply as it came, error replies included.
    awaitable<Result<RedisReply>> exchange(std::vector<std::string> arguments, Duration deadline);
    // Error replies become Errors (see `checked`).
    awaitable<Result<RedisReply>> command(std::vector<std::string> arguments, Duration deadline);

    // Counts connections: 0 before the first. Who keeps state that a lost reply makes doubtful compares it.
    std::uint64_t generation() const;
    // Called after each (re)connect, on the executor's thread, with the new generation. Several may be set; none is
    // removed, so what they refer to outlives the connection or is held weakly.
    void on_connect(std::function<void(std::uint64_t)> call);

    // Ends it for good: whoever waits gets `cancelled`. The destructor does the same.
    void close();

private:
    struct State;
    std::shared_ptr<State> state_;
};

} // namespace penguin::queue
