// bench/sink/sink_connection.h
// One client of the sink: the coroutine around smtp::ServerDialogue.
#pragma once

#include <string>

#include <boost/asio/ip/tcp.hpp>

#include "bench/sink/sink.h"
#include "engine/base/asio.h"

namespace penguin::bench {

inline constexpr std::size_t kHeaderMax =
    std::size_t{64} * 1024; // octets of a message that are looked at when only the log is kept

// Serves until either side ends it. `shared` outlives it.
awaitable<void> serve_sink_connection(asio::ip::tcp::socket socket, SinkShared& shared, std::string listener);

} // namespace penguin::bench
