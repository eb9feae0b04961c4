#include "client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <future>
#include <stdexcept>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

namespace penguin::control::http::test {

namespace {

void set_waits(int socket)
{
    const timeval wait{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
}

} // namespace

Client::Client(std::uint16_t port, const std::string& address)
{
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    set_waits(socket_);
    // Where the connection comes from: peers of their own on one machine.
    sockaddr_in from{};
    from.sin_family = AF_INET;
    ::inet_pton(AF_INET, address.c_str(), &from.sin_addr);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(socket_, reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0 ||
        ::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
        throw std::runtime_error{"cannot connect"};
}

Client::Client(const std::string& unix_path)
{
    socket_ = ::socket(AF_UNIX, SOCK_STREAM, 0);
    set_waits(socket_);
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::strncpy(to.sun_path, unix_path.c_str(), sizeof to.sun_path - 1);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
        throw std::runtime_error{"cannot connect"};
}

Client::~Client() { ::close(socket_); }

bool Client::say(std::string_view octets)
{
    while (!octets.empty()) {
        const ssize_t sent = ::send(socket_, octets.data(), octets.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        octets.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

bool Client::read_some()
{
    char buffer[65536];
    const ssize_t count = ::recv(socket_, buffer, sizeof buffer, 0);
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) throw std::runtime_error{"the server says nothing"};
    if (count <= 0) return false;
    heard_.append(buffer, static_cast<std::size_t>(count));
    return true;
}

std::string Client::hear_all()
{
    while (read_some()) {
    }
    return std::exchange(heard_, {});
}

bool Client::closed() { return heard_.empty() && !read_some(); }

std::string Client::hear_one(bool with_body)
{
    std::size_t end = std::string::npos;
    while ((end = heard_.find("\r\n\r\n")) == std::string::npos)
        if (!read_some()) return std::exchange(heard_, {});
    std::size_t whole = end + 4;
    const std::string length = field_of(heard_, "Content-Length");
    if (with_body && !length.empty()) whole += std::stoul(length);
    while (heard_.size() < whole)
        if (!read_some()) break;
    std::string response = heard_.substr(0, whole);
    heard_.erase(0, response.size());
    return response;
}

unsigned status_of(const std::string& response)
{
    return response.size() < 12 ? 0 : static_cast<unsigned>(std::stoul(response.substr(9, 3)));
}

std::string body_of(const std::string& response)
{
    const std::size_t end = response.find("\r\n\r\n");
    return end == std::string::npos ? std::string{} : response.substr(end + 4);
}

std::string field_of(const std::string& response, std::string_view name)
{
    std::size_t at = response.find("\r\n");
    while (at != std::string::npos && response.compare(at, 4, "\r\n\r\n") != 0) {
        const std::size_t end = response.find("\r\n", at + 2);
        const std::string line = response.substr(at + 2, end - at - 2);
        const std::size_t colon = line.find(':');
        if (colon != std::string::npos && equal_without_case(line.substr(0, colon), name))
            return line.substr(colon + 2);
        at = end;
    }
    return {};
}

awaitable<Result<Principal>> TableAuthenticator::authenticate(std::string authorization, asio::ip::address)
{
    if (authorization.empty()) co_return fail(Errc::missing, "no credential");
    const auto found = known.find(authorization.substr(authorization.find(' ') + 1));
    if (found == known.end()) co_return fail(Errc::denied, "unknown");
    co_return found->second;
}

ServerLimits Running::quick()
{
    using namespace std::chrono_literals;
    ServerLimits limits;
    limits.linger = 200ms;
    limits.header = 5s;
    limits.body = 5s;
    return limits;
}

Running::Running(ServerLimits limits) : limits_{limits}
{
    authenticator.known = {
        {"tenant", Principal{.tenant = TenantId{Uuid::v7(wall_now())},
                             .scopes = {"domains:read", "domains:write"},
                             .subject = "t"}},
        {"poor", Principal{.tenant = TenantId{Uuid::v7(wall_now())}, .scopes = {}, .subject = "p"}},
        {"platform", Principal{.tenant = std::nullopt, .scopes = {"domains:read", "tenants:read"}, .subject = "us"}},
        {"away", fail(Errc::unavailable, "PostgreSQL at 10.0.0.1 is away")},
        {"throttled", fail(Errc::full, "too many")},
    };
}

void Running::start()
{
    server = std::make_unique<Server>(io.get_executor(), router, authenticator, events, metrics, limits_);
    port = server->listen_clear({asio::ip::address_v4::loopback(), 0}).value();
    thread_ = std::thread{[this] {
        const auto guard = asio::make_work_guard(io);
        io.run();
    }};
}

Running::~Running()
{
    if (!thread_.joinable()) return;
    on_thread([this] { server.reset(); });
    io.stop();
    thread_.join();
}

void Running::on_thread(const std::function<void()>& work)
{
    std::promise<void> done;
    asio::post(io, [&] {
        work();
        done.set_value();
    });
    done.get_future().wait();
}

} // namespace penguin::control::http::test
