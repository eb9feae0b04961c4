// Hands messages to an MTA by SMTP, several connections side by side: MAIL, RCPT and DATA in one flight.
//
//   in      message(number): a whole message with CRLF line ends and no line that begins with a dot
//   limits  kFeedReplyMax a reply
//   errors  BenchError with what the server answered
#pragma once

#include <functional>

#include <boost/asio/io_context.hpp>

#include "bench/harness/patience.h"
#include "engine/base/asio.h"

namespace penguin::bench {

inline constexpr std::chrono::seconds kFeedReplyMax{60};

struct Feed {
    std::uint16_t port = 0; // at 127.0.0.1
    std::string sender;
    std::size_t messages = 0;
    std::size_t connections = 10;
    std::function<std::string(std::size_t number)> recipient;
    std::function<std::string(std::size_t number)> message;
};

// Returns when all have been accepted.
void feed(asio::io_context& io, Patience& patience, const Feed& what);

// Whether somebody takes connections there.
bool listens(const std::string& address, std::uint16_t port);

} // namespace penguin::bench
