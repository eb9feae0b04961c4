#include "tests/engine/queue/cutting_relay.h"

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <filesystem>

namespace penguin::test {

using Socket = asio::local::stream_protocol::socket;

struct CuttingRelay::State : std::enable_shared_from_this<CuttingRelay::State> {
    explicit State(asio::io_context& io) : acceptor{io} {}

    asio::local::stream_protocol::acceptor acceptor;
    std::string path;
    std::string target;
    std::string lose;
    bool silent = false;
};

namespace {

struct Pair {
    explicit Pair(Socket accepted) : client{std::move(accepted)}, server{client.get_executor()} {}
    Socket client;
    Socket server;
    bool cut = false; // the next answer ends the connection

    void close()
    {
        error_code ignored;
        client.close(ignored);
        server.close(ignored);
    }
};

awaitable<void> forward(std::shared_ptr<CuttingRelay::State> relay, std::shared_ptr<Pair> pair)
{
    std::array<char, 65536> buffer{};
    std::string seen; // the end of what passed, since a text may be cut in two
    while (true) {
        const auto [code, size] = co_await pair->client.async_read_some(asio::buffer(buffer), use_result);
        if (code) break;
        seen.append(buffer.data(), size);
        if (!relay->lose.empty() && seen.find(relay->lose) != std::string::npos) {
            pair->cut = true;
            relay->lose.clear();
            seen.clear();
        }
        if (seen.size() > 256) seen.erase(0, seen.size() - 256);
        const auto [failed, written] =
            co_await asio::async_write(pair->server, asio::buffer(buffer.data(), size), use_result);
        if (failed || written != size) break;
    }
    pair->close();
}

awaitable<void> answer(std::shared_ptr<CuttingRelay::State> relay, std::shared_ptr<Pair> pair)
{
    std::array<char, 65536> buffer{};
    while (true) {
        const auto [code, size] = co_await pair->server.async_read_some(asio::buffer(buffer), use_result);
        if (code || pair->cut) break;
        if (relay->silent) continue;
        const auto [failed, written] =
            co_await asio::async_write(pair->client, asio::buffer(buffer.data(), size), use_result);
        if (failed || written != size) break;
    }
    pair->close();
}

awaitable<void> accept(std::shared_ptr<CuttingRelay::State> relay)
{
    while (true) {
        auto [code, socket] = co_await relay->acceptor.async_accept(use_result);
        if (code) co_return;
        const auto pair = std::make_shared<Pair>(std::move(socket));
        const asio::local::stream_protocol::endpoint target{relay->target};
        const auto [failed] = co_await pair->server.async_connect(target, use_result);
        if (failed) continue;
        const auto executor = co_await asio::this_coro::executor;
        asio::co_spawn(executor, forward(relay, pair), asio::detached);
        asio::co_spawn(executor, answer(relay, pair), asio::detached);
    }
}

} // namespace

CuttingRelay::CuttingRelay(asio::io_context& io, std::string folder, std::string target_socket)
    : state_{std::make_shared<State>(io)}
{
    state_->path = folder + "/relay.sock";
    state_->target = std::move(target_socket);
    std::filesystem::remove(state_->path);
    const asio::local::stream_protocol::endpoint here{state_->path};
    state_->acceptor.open(here.protocol());
    state_->acceptor.bind(here);
    state_->acceptor.listen();
    asio::co_spawn(io, accept(state_), asio::detached);
}

CuttingRelay::~CuttingRelay()
{
    error_code ignored;
    state_->acceptor.close(ignored);
}

queue::RedisUrl CuttingRelay::url() const
{
    queue::RedisUrl url;
    url.path = state_->path;
    return url;
}

void CuttingRelay::lose_reply_of(std::string text) { state_->lose = std::move(text); }
bool CuttingRelay::armed() const { return !state_->lose.empty(); }
void CuttingRelay::go_silent() { state_->silent = true; }

} // namespace penguin::test
