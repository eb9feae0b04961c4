// bench/harness/listening.h
// What the servers of this program have in common.
//
//   errors  bad_value, naming the option
#pragma once

#include <string>

#include <boost/asio/ip/tcp.hpp>

#include "engine/base/asio.h"

namespace penguin::bench {

// "127.0.0.1:2525", "[::1]:2525"
Result<asio::ip::tcp::endpoint> endpoint_of(const std::string& option, const std::string& text);

// As many open files as the kernel lets this process have.
void raise_descriptor_limit();

} // namespace penguin::bench
