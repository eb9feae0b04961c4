// engine/net/connector.h
// Connects from one of our source addresses.
//
//   in      source (unspecified: the kernel chooses), target, limit
//   errors  timeout, refused, unreachable, closed; local_fault when it is our own doing: the source address is not on
//   this
//           machine or has no port left, no descriptor left
#pragma once

#include <memory>

#include "engine/net/tcp_stream.h"

namespace penguin::net {

awaitable<Result<std::unique_ptr<TcpStream>>> connect(asio::ip::address source, asio::ip::tcp::endpoint target,
                                                      SteadyTime deadline);

} // namespace penguin::net
