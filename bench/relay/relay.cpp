#include "bench/relay/relay.h"

#include <deque>
#include <memory>
#include <string>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/write.hpp>

namespace penguin::bench {

namespace {

using namespace std::chrono_literals;
using tcp = asio::ip::tcp;

constexpr std::size_t kReadMax = std::size_t{64} << 10; // octets of a piece
constexpr Duration kAcceptPause = 50ms;                 // after a failed accept (no descriptor left)

SteadyTime now() { return std::chrono::steady_clock::now(); }

void reset(tcp::socket& socket)
{
    error_code ignored;
    socket.set_option(asio::socket_base::linger{true, 0}, ignored); // closing sends RST
    socket.close(ignored);
}

// One direction of a connection: what was read and is not due yet.
class Way {
public:
    Way(tcp::socket& from, tcp::socket& to, const RelayOptions& options)
        : from_{from},
          to_{to},
          delay_{options.one_way},
          held_max_{options.held_max},
          changed_{from.get_executor(), SteadyTime::max()}
    {
    }

    // Both end when the way does.
    awaitable<void> read();
    awaitable<void> write();

private:
    enum class Kind : std::uint8_t { octets, end, reset };
    struct Piece {
        Kind kind = Kind::octets;
        SteadyTime due;
        std::string octets;
    };

    void hold(Kind kind, std::string octets);
    awaitable<bool> pass_on(const Piece& piece);

    tcp::socket& from_;
    tcp::socket& to_;
    Duration delay_;
    std::size_t held_max_;
    std::deque<Piece> held_;
    std::size_t octets_ = 0;     // of held_
    bool broken_ = false;        // nobody takes what is read
    asio::steady_timer changed_; // cancelled when held_ or broken_ changes
};

void Way::hold(Kind kind, std::string octets)
{
    octets_ += octets.size();
    held_.push_back({.kind = kind, .due = now() + delay_, .octets = std::move(octets)});
    changed_.cancel();
}

awaitable<void> Way::read()
{
    std::string buffer(kReadMax, '\0');
    for (;;) {
        while (octets_ >= held_max_ && !broken_) co_await changed_.async_wait(use_result);
        if (broken_) co_return;
        const auto [code, count] = co_await from_.async_read_some(asio::buffer(buffer), use_result);
        if (code) co_return hold(code == asio::error::eof ? Kind::end : Kind::reset, {});
        hold(Kind::octets, buffer.substr(0, count));
    }
}

awaitable<void> Way::write()
{
    asio::steady_timer due{from_.get_executor()};
    for (bool more = true; more;) {
        while (held_.empty()) co_await changed_.async_wait(use_result);
        if (held_.front().due > now()) {
            due.expires_at(held_.front().due);
            co_await due.async_wait(use_result);
        }
        more = co_await pass_on(held_.front());
        octets_ -= held_.front().octets.size();
        held_.pop_front();
        changed_.cancel();
    }
}

// False: it was the last.
awaitable<bool> Way::pass_on(const Piece& piece)
{
    error_code code;
    switch (piece.kind) {
    case Kind::octets: {
        const auto [failed, count] = co_await asio::async_write(to_, asio::buffer(piece.octets), use_result);
        if (!failed) co_return true;
        broken_ = true;
        changed_.cancel();
        co_await sleep_for(delay_);
        reset(from_);
        break;
    }
    case Kind::end: to_.shutdown(tcp::socket::shutdown_send, code); break;
    case Kind::reset: reset(to_); break;
    }
    co_return false;
}

struct Connection {
    Connection(tcp::socket taken, const RelayOptions& options)
        : client{std::move(taken)},
          target{client.get_executor()},
          out{client, target, options},
          back{target, client, options}
    {
    }
    tcp::socket client;
    tcp::socket target;
    Way out;
    Way back;
};

awaitable<void> carry(tcp::socket taken, RelayOptions options)
{
    const auto connection = std::make_shared<Connection>(std::move(taken), options);
    const auto [code] = co_await connection->target.async_connect(options.to, use_result);
    if (code) {
        co_await sleep_for(options.one_way);
        co_return reset(connection->client);
    }
    error_code ignored;
    connection->client.set_option(tcp::no_delay{true}, ignored);
    connection->target.set_option(tcp::no_delay{true}, ignored);
    const auto keep = [connection](const std::exception_ptr&) {}; // until the last of them has ended
    const auto executor = connection->client.get_executor();
    asio::co_spawn(executor, connection->out.read(), keep);
    asio::co_spawn(executor, connection->out.write(), keep);
    asio::co_spawn(executor, connection->back.read(), keep);
    asio::co_spawn(executor, connection->back.write(), keep);
}

awaitable<void> accept_all(tcp::acceptor acceptor, RelayOptions options)
{
    for (;;) {
        auto [code, socket] = co_await acceptor.async_accept(use_result);
        if (code == asio::error::operation_aborted) co_return;
        if (code)
            co_await sleep_for(kAcceptPause);
        else
            asio::co_spawn(acceptor.get_executor(), carry(std::move(socket), options), asio::detached);
    }
}

} // namespace

Result<tcp::endpoint> start_relay(asio::io_context& io, const RelayOptions& options)
{
    tcp::acceptor acceptor{io};
    error_code code;
    acceptor.open(options.listen.protocol(), code);
    if (!code) acceptor.set_option(asio::socket_base::reuse_address{true}, code);
    if (!code) acceptor.bind(options.listen, code);
    if (!code) acceptor.listen(asio::socket_base::max_listen_connections, code);
    if (code)
        return fail(Errc::bad_value, "listening on " + options.listen.address().to_string() + ":" +
                                         std::to_string(options.listen.port()) + ": " + code.message());
    tcp::endpoint listening = acceptor.local_endpoint();
    asio::co_spawn(io, accept_all(std::move(acceptor), options), asio::detached);
    return listening;
}

} // namespace penguin::bench
