#include "control/http/server.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <fmt/format.h>
#include <openssl/ssl.h>

#include "control/auth/peer_group.h"
#include "control/http/server_state.h"
#include "engine/base/log.h"

namespace penguin::control::http {

namespace {

using asio::ip::tcp;
using Local = asio::local::stream_protocol;
using Shared = std::shared_ptr<Server::State>;

constexpr std::chrono::milliseconds kAcceptPause{100}; // after a failure to accept: no descriptor, no memory
constexpr std::chrono::milliseconds kStopPoll{20};

std::unexpected<Error> listen_failed(const error_code& code, std::string_view where)
{
    const bool refused = code == asio::error::address_in_use || code == asio::error::access_denied ||
                         code == boost::system::errc::make_error_condition(boost::system::errc::address_not_available);
    return fail(refused ? Errc::refused : Errc::local_fault, fmt::format("listening on {}: {}", where, code.message()));
}

int select_http11(SSL*, const unsigned char** out, unsigned char* length, const unsigned char* offered,
                  unsigned int count, void*)
{
    static constexpr unsigned char kHttp11[] = "\x08http/1.1";
    unsigned char* chosen = nullptr;
    if (SSL_select_next_proto(&chosen, length, kHttp11, sizeof kHttp11 - 1, offered, count) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

Result<std::shared_ptr<asio::ssl::context>> tls_context(const TlsFiles& files)
{
    auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    error_code code;
    context->use_certificate_chain_file(files.certificate, code);
    if (code) return fail(Errc::tls_failed, files.certificate + ": " + code.message());
    context->use_private_key_file(files.key, asio::ssl::context::pem, code);
    if (code) return fail(Errc::tls_failed, files.key + ": " + code.message());
    SSL_CTX* native = context->native_handle();
    if (SSL_CTX_check_private_key(native) != 1)
        return fail(Errc::tls_failed, files.key + ": not the key of the certificate");
    SSL_CTX_set_min_proto_version(native, TLS1_3_VERSION);
    SSL_CTX_set_alpn_select_cb(native, select_http11, nullptr);
    return context;
}

// A place among the connections, given back when the connection ends.
class Place {
public:
    Place(Shared state, const asio::ip::address& peer) : state_{std::move(state)}, peer_{peer_group(peer)}
    {
        ++state_->open;
        if (!peer_.is_unspecified()) ++state_->per_peer[peer_];
        state_->open_gauge.add(1);
    }
    Place(Place&&) = default;
    ~Place()
    {
        if (!state_) return;
        --state_->open;
        state_->open_gauge.add(-1);
        const auto mine = state_->per_peer.find(peer_);
        if (mine != state_->per_peer.end() && --mine->second == 0) state_->per_peer.erase(mine);
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    Place& operator=(Place&&) = delete;

private:
    Shared state_;
    asio::ip::address peer_;
};

// Why a new connection cannot be served; empty: it can.
std::string_view no_room(const Server::State& state, const asio::ip::address& peer)
{
    if (state.open >= state.limits.connections_max) return "connections";
    const auto of_peer = state.per_peer.find(peer_group(peer));
    if (of_peer != state.per_peer.end() && of_peer->second >= state.limits.connections_per_peer_max) return "peer";
    return {};
}

// The socket is new, so its send buffer takes these octets without waiting.
void turn_away(Server::State& state, Socket socket, bool clear, std::string_view reason)
{
    state.count_refused(reason);
    if (!clear) return;
    const std::string id = Uuid::v7(wall_now()).text();
    const Response response = to_response(Problem{.code = Code::too_many_connections,
                                                  .detail = "Too many connections.",
                                                  .headers = {{"Retry-After", "1"}}},
                                          id);
    error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(head_text(response, id, false, wall_now()) + response.body), ignored);
    socket.shutdown(Socket::shutdown_send, ignored);
}

awaitable<void> serve_in_place(Shared state, Place place, Socket socket, asio::ip::address peer,
                               std::shared_ptr<asio::ssl::context> tls)
{
    try {
        co_await serve(state, std::move(socket), peer, tls);
    } catch (const std::exception& error) {
        log::error("http", "connection_failed", {{"why", error.what()}});
    }
}

void start(const Shared& state, Socket socket, const asio::ip::address& peer,
           const std::shared_ptr<asio::ssl::context>& tls)
{
    if (const std::string_view reason = no_room(*state, peer); !reason.empty())
        return turn_away(*state, std::move(socket), tls == nullptr, reason);
    asio::co_spawn(state->executor, serve_in_place(state, Place{state, peer}, std::move(socket), peer, tls),
                   asio::detached);
}

asio::ip::address peer_of(const tcp::socket& socket)
{
    error_code ignored;
    asio::ip::address address = socket.remote_endpoint(ignored).address();
    if (address.is_v6() && address.to_v6().is_v4_mapped())
        return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
    return address;
}
asio::ip::address peer_of(const Local::socket& /*socket*/) { return {}; }

void no_delay(tcp::socket& socket)
{
    error_code ignored;
    socket.set_option(tcp::no_delay{true}, ignored);
}
void no_delay(Local::socket& /*socket*/) {}

template <class Acceptor>
awaitable<void> accept_all(Shared state, Listener& listener, Acceptor& acceptor)
{
    while (!state->stopping) {
        auto [code, socket] = co_await acceptor.async_accept(use_result);
        if (state->stopping) co_return;
        if (code) {
            log::warning("http", "accept_failed", {{"why", code.message()}});
            co_await sleep_for(kAcceptPause);
            continue;
        }
        no_delay(socket);
        const asio::ip::address peer = peer_of(socket);
        start(state, Socket{std::move(socket)}, peer, listener.tls);
    }
}

Result<std::uint16_t> listen_tcp(const Shared& state, const tcp::endpoint& endpoint, Listener listener)
{
    const std::string where = fmt::format("{}:{}", endpoint.address().to_string(), endpoint.port());
    tcp::acceptor acceptor{state->executor};
    error_code code;
    acceptor.open(endpoint.protocol(), code);
    if (!code) acceptor.set_option(tcp::acceptor::reuse_address{true}, code);
    if (!code) acceptor.bind(endpoint, code);
    if (!code) acceptor.listen(asio::socket_base::max_listen_connections, code);
    if (code) return listen_failed(code, where);
    const std::uint16_t port = acceptor.local_endpoint().port();
    Listener& mine = state->listeners.emplace_back(std::move(listener));
    mine.tcp.emplace(std::move(acceptor));
    asio::co_spawn(state->executor, accept_all(state, mine, *mine.tcp), asio::detached);
    return port;
}

// A file that a dead process left. A live one answers a connect, and its file stays.
void remove_stale(const Shared& state, const std::string& path)
{
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return;
    Local::socket probe{state->executor};
    error_code code;
    probe.connect(Local::endpoint{path}, code);
    if (code) ::unlink(path.c_str());
}

} // namespace

Server::Server(asio::any_io_executor executor, const Router& router, Authenticator& authenticator,
               audit::SecurityEvents& events, Registry& metrics, ServerLimits limits)
    : state_{std::make_shared<State>(std::move(executor), router, authenticator, events, metrics, limits)}
{
}

Server::~Server()
{
    state_->stopping = true;
    error_code ignored;
    for (Listener& listener : state_->listeners) {
        if (listener.tcp) listener.tcp->close(ignored);
        if (listener.local) listener.local->close(ignored);
    }
    for (Connection* connection : state_->connections) connection->abort();
}

Result<std::uint16_t> Server::listen_clear(const tcp::endpoint& endpoint)
{
    if (!endpoint.address().is_loopback())
        return fail(Errc::bad_value, endpoint.address().to_string() + " is not loopback: it needs a certificate");
    return listen_tcp(state_, endpoint, Listener{});
}

Result<std::uint16_t> Server::listen_tls(const tcp::endpoint& endpoint, const TlsFiles& files)
{
    auto context = tls_context(files);
    if (!context) return std::unexpected{context.error()};
    Listener listener;
    listener.tls = std::move(*context);
    listener.files = files;
    return listen_tcp(state_, endpoint, std::move(listener));
}

Result<> Server::listen_unix(const std::string& path)
{
    if (path.size() >= sizeof(sockaddr_un::sun_path))
        return fail(Errc::bad_value, path + ": too long for a unix socket");
    remove_stale(state_, path);
    Local::acceptor acceptor{state_->executor};
    error_code code;
    acceptor.open(Local{}, code);
    if (!code) acceptor.bind(Local::endpoint{path}, code);
    if (!code && ::chmod(path.c_str(), 0660) != 0) code = error_code{errno, boost::system::system_category()};
    if (!code) acceptor.listen(asio::socket_base::max_listen_connections, code);
    if (code) return listen_failed(code, path);
    Listener& mine = state_->listeners.emplace_back();
    mine.local.emplace(std::move(acceptor));
    asio::co_spawn(state_->executor, accept_all(state_, mine, *mine.local), asio::detached);
    return {};
}

Result<> Server::reload_certificates()
{
    for (Listener& listener : state_->listeners) {
        if (!listener.tls) continue;
        auto context = tls_context(listener.files);
        if (!context) return std::unexpected{context.error()};
        listener.tls = std::move(*context);
    }
    return {};
}

awaitable<void> Server::stop(Duration grace)
{
    const Shared state = state_;
    state->stopping = true;
    error_code ignored;
    for (Listener& listener : state->listeners) {
        if (listener.tcp) listener.tcp->close(ignored);
        if (listener.local) listener.local->close(ignored);
    }
    for (Connection* connection : state->connections) connection->close_when_idle();
    const auto end = std::chrono::steady_clock::now() + grace;
    while (state->open > 0 && std::chrono::steady_clock::now() < end) {
        const bool slept = co_await sleep_for(kStopPoll);
        if (!slept) break;
    }
    for (Connection* connection : state->connections) connection->abort();
}

} // namespace penguin::control::http
