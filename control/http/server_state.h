// control/http/server_state.h
// What a server and its connections share. Inside control/http only.
#pragma once

#include <list>
#include <map>
#include <optional>
#include <set>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>

#include "control/http/exchange.h"
#include "control/http/server.h"

namespace penguin::control::http {

using Socket = asio::generic::stream_protocol::socket; // TCP and unix alike

// What the server may do to a connection from outside.
class Connection {
public:
    virtual ~Connection() = default;
    virtual void close_when_idle() = 0;
    virtual void abort() = 0;
};

struct Listener {
    std::optional<asio::ip::tcp::acceptor> tcp;
    std::optional<asio::local::stream_protocol::acceptor> local;
    std::shared_ptr<asio::ssl::context> tls; // nothing: in clear
    TlsFiles files;
};

struct Server::State {
    State(asio::any_io_executor on, const Router& router, Authenticator& authenticator, audit::SecurityEvents& events,
          Registry& registry, ServerLimits bounds)
        : executor{std::move(on)},
          metrics{registry},
          limits{bounds},
          exchange{router, authenticator, events, registry, limits}
    {
    }

    asio::any_io_executor executor;
    Registry& metrics;
    const ServerLimits limits;
    Exchange exchange;
    std::list<Listener> listeners;
    std::set<Connection*> connections;
    std::map<asio::ip::address, std::size_t> per_peer; // TCP only, by peer_group
    std::size_t open = 0;                              // connections
    std::size_t bodies = 0;                            // octets, see ServerLimits::bodies_max
    bool stopping = false;

    Gauge& open_gauge = metrics.gauge("penguin_http_connections", "Open HTTP connections");
    void count_timeout(std::string_view phase)
    {
        metrics.counter("penguin_http_timeouts_total", "Deadlines that passed", {{"phase", std::string{phase}}}).add();
    }
    void count_refused(std::string_view reason)
    {
        metrics
            .counter("penguin_http_connections_refused_total", "Connections closed at once",
                     {{"reason", std::string{reason}}})
            .add();
    }
};

// Serves one connection to its end. `peer` is unspecified for a unix socket.
awaitable<void> serve(std::shared_ptr<Server::State> state, Socket socket, asio::ip::address peer,
                      std::shared_ptr<asio::ssl::context> tls);

} // namespace penguin::control::http
