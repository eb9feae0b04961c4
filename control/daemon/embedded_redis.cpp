#include "control/daemon/embedded_redis.h"

#include <array>
#include <csignal>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

namespace penguin::control {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kProbeMax{500};

// The package redis-server starts a service of its own, which nobody here needs; redis-tools has the same program under
// another name: it is the server when it is called so.
Result<std::filesystem::path> find_server()
{
    for (const char* place : {"/usr/bin/redis-server", "/usr/bin/redis-check-rdb"})
        if (std::filesystem::exists(place)) return std::filesystem::path{place};
    return fail(Errc::local_fault, "no redis-server here: install the package redis-tools, or give [redis] url");
}

// PING: "+PONG" once the append-only file is loaded, "-LOADING ..." before.
awaitable<Result<bool>> ping(std::filesystem::path socket_path)
{
    asio::local::stream_protocol::socket socket{co_await asio::this_coro::executor};
    const asio::local::stream_protocol::endpoint endpoint{socket_path.string()};
    const auto [refused] = co_await socket.async_connect(endpoint, use_result);
    if (refused) co_return false;
    constexpr std::string_view kPing = "PING\r\n";
    const auto [unsent, sent] = co_await asio::async_write(socket, asio::buffer(kPing), use_result);
    if (unsent) co_return false;
    std::string answer;
    const auto [unheard, size] =
        co_await asio::async_read_until(socket, asio::dynamic_buffer(answer, 512), "\r\n", use_result);
    co_return !unheard && answer.starts_with("+PONG");
}

} // namespace

std::string EmbeddedRedis::configuration(const StateDir& dir, std::uint64_t maxmemory)
{
    // Written at each start: what belongs to the installation is set in penguin-mta.toml.
    return fmt::format("# Written by penguin-mta at each start; changes are lost.\n"
                       "port 0\n"
                       "unixsocket {}\n"
                       "unixsocketperm 700\n"
                       "dir {}\n"
                       "daemonize no\n"
                       "supervised no\n"
                       "loglevel warning\n"
                       "appendonly yes\n"
                       "appendfsync everysec\n"
                       "save \"\"\n"
                       "maxmemory {}\n"
                       "maxmemory-policy noeviction\n"
                       "maxclients 1000\n"
                       "timeout 0\n",
                       dir.redis_socket().string(), dir.redis().string(), maxmemory);
}

awaitable<Result<>> EmbeddedRedis::prepare()
{
    std::error_code code;
    std::filesystem::create_directory(dir_.redis(), code);
    if (code)
        co_return fail(Errc::local_fault, fmt::format("cannot create {}: {}", dir_.redis().string(), code.message()));
    std::filesystem::permissions(dir_.redis(), std::filesystem::perms::owner_all, code);
    co_return write_small_file(dir_.redis() / "redis.conf", configuration(dir_, maxmemory_));
}

Result<ChildCommand> EmbeddedRedis::command() const
{
    const Result<std::filesystem::path> server = find_server();
    if (!server) return std::unexpected{server.error()};
    return ChildCommand{.name = name_,
                        .program = *server,
                        .arguments = {(dir_.redis() / "redis.conf").string()},
                        .work_dir = dir_.redis(),
                        .called = "redis-server",
                        .death_signal = SIGTERM};
}

awaitable<bool> EmbeddedRedis::ready(pid_t /*pid*/) const
{
    const Result<bool> answered = co_await within<bool>(kProbeMax, "PING", ping(dir_.redis_socket()));
    co_return answered && *answered;
}

std::vector<StopStep> EmbeddedRedis::stop_steps() const
{
    return {{SIGTERM, 30s}, {SIGKILL, 5s}}; // SIGTERM: flushes the append-only file, then ends
}

} // namespace penguin::control
