// engine/dns/cares_channel.h
// One c-ares channel driven by Asio: a question goes out, the raw bytes of the answer come back.
//
//   out     `done` is called once for each send(): with the packet, or with an Error; also from inside send(), so it
//   must only
//           take notes and wake somebody up. Never after the destructor has returned
//   limits  none of its own: the caller bounds what is in flight (a query id has 16 bits)
//   errors  unavailable (SERVFAIL, REFUSED, NOTIMP from every server, or no server there), timeout (of every try),
//   malformed,
//           local_fault, cancelled (the channel is being destroyed)
//   thread  one: that of the io_context
//
// Choices (c-ares 1.18):
//   - ares_send with a packet of ares_create_query, not ares_query: only so the AD bit can be asked for (RFC 6840 5.7),
//   and
//     the raw answer comes with every rcode, so that TTLs and the SOA can be read.
//   - No EDNS: one FORMERR makes c-ares switch it off for the whole channel for good. Answers over 512 octets come by
//   TCP,
//     which costs little from a resolver on loopback.
//   - Ids are random and unique among those in flight. The source port is one for as long as the UDP socket lives
//   (until the
//     channel is idle), so a forger needs little more than the id: use a local validating resolver, never one across
//     the internet.
//   - c-ares keeps its time-outs; a tick of kTick asks it to look, only while something is in flight.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/address.hpp>

#include "engine/base/asio.h"

namespace penguin::dns {

inline constexpr std::chrono::milliseconds kTick{20};

struct ServerAddress {
    asio::ip::address address;
    std::uint16_t port = 53;
    // "127.0.0.1:5533", "127.0.0.1", "[::1]:53", "::1". Errors: bad_value.
    static Result<ServerAddress> parse(std::string_view text);
};

class CaresChannel {
public:
    struct Options {
        std::vector<ServerAddress> servers; // empty: those of /etc/resolv.conf
        std::chrono::milliseconds timeout;  // of the first try; c-ares doubles it each round over the servers
        int tries;                          // rounds
    };
    using Done = std::function<void(Result<std::span<const std::uint8_t>>)>;

    // Errors: local_fault (c-ares could not start).
    static Result<std::unique_ptr<CaresChannel>> open(const asio::any_io_executor& executor, const Options& options);
    virtual ~CaresChannel() = default;
    virtual void send(const std::string& name, std::uint16_t type, Done done) = 0;
};

} // namespace penguin::dns
