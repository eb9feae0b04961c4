// control/http/server.h
// Our HTTP/1.1 server: in clear on loopback and unix sockets only, elsewhere TLS 1.3.
//
//   in       a Router, an Authenticator, SecurityEvents to tell of denied requests, ServerLimits
//   order    head read -> limits and smuggling checks -> route -> credential -> audience and scope -> media type and size
//            -> body read -> handler. What is refused before the body is refused without reading it.
//   threads  belongs to one io_context; metrics outlives it (its last coroutines, which it destroys itself, count there)
//   errors   listen: bad_value (clear on an address that is not loopback), refused (address in use, no right to it),
//            tls_failed (certificate or key cannot be used), local_fault
//   source   RFC 9110, RFC 9112 (6.1: Content-Length with Transfer-Encoding is refused)
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include <boost/asio/ip/tcp.hpp>

#include "control/audit/security_events.h"
#include "control/auth/authenticator.h"
#include "control/http/router.h"
#include "engine/base/metrics.h"

namespace penguin::control::http {

struct ServerLimits {
    std::size_t header_max = 16 * 1024;         // octets of request line and fields
    std::size_t fields_max = 100;               // header fields
    std::size_t target_max = 4 * 1024;          // octets
    std::size_t body_max = kBatchBodyMax;       // octets; over every route's own
    std::size_t bodies_max = 128 * 1024 * 1024; // octets of bodies being read or worked on, all together
    std::size_t connections_max = 512;
    std::size_t connections_per_peer_max = 128; // TCP: by address, an IPv6 /64 being one
    std::size_t requests_max = 1'000;           // a connection
    std::chrono::milliseconds handshake{10'000};
    std::chrono::milliseconds header{10'000}; // from its first octet to the empty line
    std::chrono::milliseconds body{60'000};
    std::chrono::milliseconds handler{60'000};
    std::chrono::milliseconds write{30'000};
    std::chrono::milliseconds idle{60'000};  // between requests
    std::chrono::milliseconds linger{2'000}; // for a peer that still sends when we are done with it
};

struct TlsFiles {
    std::string certificate; // PEM, with its chain
    std::string key;         // PEM
};

class Server {
public:
    Server(asio::any_io_executor executor, const Router& router, Authenticator& authenticator,
           audit::SecurityEvents& events, Registry& metrics, ServerLimits limits = {});
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // Each gives the port that it got.
    Result<std::uint16_t> listen_clear(const asio::ip::tcp::endpoint& endpoint);
    Result<std::uint16_t> listen_tls(const asio::ip::tcp::endpoint& endpoint, const TlsFiles& files);
    // Replaces a socket file that nobody listens on. Mode 0660.
    Result<> listen_unix(const std::string& path);
    // Reads the certificates again, for new connections. On an error the old ones stay.
    Result<> reload_certificates();

    // No new connections; idle ones close; those that are at work have `grace`.
    awaitable<void> stop(Duration grace);

    struct State;

private:
    std::shared_ptr<State> state_;
};

} // namespace penguin::control::http
