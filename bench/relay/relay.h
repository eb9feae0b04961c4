// bench/relay/relay.h
// Makes loopback as far away as another continent: takes TCP connections and passes them on to a target, holding each octet
// for a time in each direction. It limits no bandwidth.
//
//   delay    an octet is passed on `one_way` after it was read, never earlier; later only by what the machine is behind
//   ends     the end of a direction is passed on after the delay while the other goes on; so is a reset, and a target that
//            takes no connection resets the client
//   limits   held_max octets held of one direction of one connection; then it is not read and its sender has to wait
//   not      the handshake of TCP (a connection is taken at once), loss, windows and slow start: both hops are loopback
//   errors   bad_value: an address cannot be bound
//   threads  all on the one that runs the io_context; it ends with it
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "engine/base/asio.h"

namespace penguin::bench {

struct RelayOptions {
    static constexpr std::size_t kHeldMax = std::size_t{16} << 20; // 1 Gbit/s for 130 ms

    asio::ip::tcp::endpoint listen; // port 0: the kernel's choice
    asio::ip::tcp::endpoint to;
    Duration one_way{};
    std::size_t held_max = kHeldMax;
};

// Where it listens, once it does.
Result<asio::ip::tcp::endpoint> start_relay(asio::io_context& io, const RelayOptions& options);

} // namespace penguin::bench
