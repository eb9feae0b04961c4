#include "bench/peers/smtp_feed.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include "bench/harness/http_client.h"

namespace penguin::bench {

namespace {

using asio::ip::tcp;

constexpr std::size_t kLineMax = 4'096; // octets

class Client {
public:
    Client(const asio::any_io_executor& executor, std::uint16_t port)
        : socket_{executor},
          watchdog_{executor},
          port_{port}
    {
    }

    awaitable<void> greet()
    {
        co_await socket_.async_connect({asio::ip::address_v4::loopback(), port_}, asio::use_awaitable);
        socket_.set_option(tcp::no_delay{true});
        co_await expect(2);
        co_await say("EHLO feed.bench.test\r\n");
        co_await expect(2);
    }

    awaitable<void> send(std::string envelope, std::string message)
    {
        co_await say(std::move(envelope));
        co_await expect(2);
        co_await expect(2);
        co_await expect(3);
        co_await say(std::move(message) + ".\r\n");
        co_await expect(2);
    }

private:
    awaitable<void> say(std::string text)
    {
        co_await asio::async_write(socket_, asio::buffer(text), asio::use_awaitable);
    }

    // A whole reply whose code begins with that digit.
    awaitable<void> expect(int digit)
    {
        std::string line;
        do {
            watchdog_.expires_after(kFeedReplyMax);
            watchdog_.async_wait([this](const boost::system::error_code& cancelled) {
                if (!cancelled) socket_.close();
            });
            const std::size_t size = co_await asio::async_read_until(socket_, asio::dynamic_buffer(input_, kLineMax),
                                                                     "\r\n", asio::use_awaitable);
            line = input_.substr(0, size);
            input_.erase(0, size);
        } while (line.size() > 3 && line[3] == '-');
        watchdog_.cancel();
        if (line.empty() || line[0] != static_cast<char>('0' + digit)) throw BenchError{"the MTA answered: " + line};
    }

    tcp::socket socket_;
    asio::steady_timer watchdog_;
    std::uint16_t port_;
    std::string input_;
};

awaitable<void> send_some(const Feed& what, std::size_t& next)
{
    Client client{co_await asio::this_coro::executor, what.port};
    try {
        co_await client.greet();
        while (next < what.messages) {
            const std::size_t number = next++;
            co_await client.send(
                fmt::format("MAIL FROM:<{}>\r\nRCPT TO:<{}>\r\nDATA\r\n", what.sender, what.recipient(number)),
                what.message(number));
        }
    } catch (const boost::system::system_error& error) {
        throw BenchError{std::string{"feeding the MTA: "} + error.what()};
    }
}

} // namespace

void feed(asio::io_context& io, Patience& patience, const Feed& what)
{
    std::size_t next = 0;
    std::vector<awaitable<void>> work;
    const std::size_t connections = std::min(what.connections, what.messages);
    work.reserve(connections);
    for (std::size_t i = 0; i < connections; ++i) work.push_back(send_some(what, next));
    run_all(io, patience, std::move(work));
}

bool listens(const std::string& address, std::uint16_t port)
{
    asio::io_context io;
    tcp::socket socket{io};
    boost::system::error_code code;
    socket.connect({asio::ip::make_address(address), port}, code);
    return !code;
}

} // namespace penguin::bench
