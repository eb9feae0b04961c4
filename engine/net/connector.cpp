#include "engine/net/connector.h"

#include <netinet/in.h>

#include <boost/asio/detail/socket_option.hpp>

namespace penguin::net {

namespace {

// Without it bind() takes a port for all targets alike, and 28,000 connections from one source are the end.
using BindAddressNoPort = asio::detail::socket_option::boolean<IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT>;

error_code bind_to(asio::ip::tcp::socket& socket, const asio::ip::address& source)
{
    error_code code;
    socket.set_option(BindAddressNoPort{true}, code);
    if (!code) socket.bind({source, 0}, code);
    return code;
}

// Who has no such address or no port for it: only we.
Error ours(const error_code& code, std::string_view doing)
{
    Error error = error_of(code, doing);
    if (code == boost::system::errc::address_not_available) error.code = Errc::local_fault;
    return error;
}

} // namespace

awaitable<Result<std::unique_ptr<TcpStream>>> connect(asio::ip::address source, asio::ip::tcp::endpoint target,
                                                      SteadyTime deadline)
{
    asio::ip::tcp::socket socket{co_await asio::this_coro::executor};
    error_code code;
    socket.open(target.protocol(), code);
    if (code) co_return std::unexpected{ours(code, "opening a socket")};
    if (!source.is_unspecified()) {
        if (source.is_v4() != target.address().is_v4())
            co_return fail(Errc::unreachable, "source and target are not of one IP version");
        code = bind_to(socket, source);
        if (code) co_return std::unexpected{ours(code, "binding to " + source.to_string())};
    }
    auto stream = std::make_unique<TcpStream>(std::move(socket));
    const Result<> connected = co_await stream->connect(target, deadline);
    if (!connected) co_return std::unexpected{connected.error()};
    co_return stream;
}

} // namespace penguin::net
