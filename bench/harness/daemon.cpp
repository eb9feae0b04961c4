#include "bench/harness/daemon.h"

#include <algorithm>
#include <csignal>
#include <fstream>

#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include "bench/harness/http_client.h"
#include "bench/harness/nameserver.h"
#include "bench/harness/places.h"
#include "bench/harness/proc.h"

namespace penguin::bench {

namespace {

using namespace std::chrono_literals;

constexpr auto kReadyWithin = 120s; // the first start makes a database cluster

// Beside the daemon's state, which is not there before it starts.
std::filesystem::path rules_file(const std::filesystem::path& state) { return state.parent_path() / "rules.toml"; }

// Redis and the engine do not count for the status.
bool all_ok(const std::string& health)
{
    boost::system::error_code code;
    const boost::json::value parsed = boost::json::parse(health, code);
    if (code) return false;
    return std::ranges::all_of(parsed.at("checks").as_object(), [](const auto& one) { return one.value() == "ok"; });
}

bool is_ready(Patience& patience, std::uint16_t port)
{
    asio::io_context io;
    HttpClient client{io, port, ""};
    try {
        const HttpAnswer answer = run(io, patience, client.call("GET", "/readyz", ""));
        return answer.status == 200 && all_ok(answer.body);
    } catch (const BenchError&) {
        patience.check(); // was it the deadline or a signal?
        return false;     // it does not listen yet
    }
}

} // namespace

std::string daemon_configuration(const DaemonOptions& options, const std::filesystem::path& state,
                                 std::uint16_t api_port)
{
    const std::string backlog =
        options.backlog_max > 0 ? fmt::format("backlog_max = {}\n", options.backlog_max) : std::string{};
    const std::string rules =
        options.rules.empty() ? std::string{} : fmt::format("rules_file = \"{}\"\n", rules_file(state).string());
    return fmt::format("[node]\nname = \"{}\"\nstate_dir = \"{}\"\nenvironment = \"test\"\n"
                       "[http]\nlisten = [\"127.0.0.1:{}\"]\n"
                       "[dns]\nservers = [\"{}\"]\n"
                       "[smtp]\nport = {}\nstarttls = {}\nallow_targets = [\"127.0.0.0/8\"]\n"
                       "[delivery]\nshards = {}\nconnections_per_lane = {}\nconnections_per_site = {}\n"
                       "messages_per_connection = {}\n{}{}"
                       "[redis]\nembedded_maxmemory = \"{}MiB\"\n"
                       "[domains]\nbounce_mx = \"{}\"\nspf_include = \"spf.{}\"\n",
                       kNode, state.string(), api_port, options.name_server, options.smtp_port, options.starttls,
                       options.shards, options.connections, std::max(options.connections, options.site_connections),
                       options.messages_per_connection, backlog, rules, options.redis_mb, source_host(0), kZone);
}

Daemon::Daemon(Patience& patience, const std::filesystem::path& folder, const DaemonOptions& options)
    : state_{folder / "state"},
      port_{free_port({"127.0.0.1"})}
{
    if (!std::filesystem::exists(options.program))
        throw BenchError{"no daemon at " + options.program.string() + ": build penguin-mta, or name it (--daemon)"};
    std::filesystem::create_directories(folder);
    const std::filesystem::path config = folder / "penguin-mta.toml";
    std::ofstream{config} << daemon_configuration(options, state_, port_);
    if (!options.rules.empty()) std::ofstream{rules_file(state_)} << options.rules;
    child_ = std::make_unique<Child>(ChildCommand{.name = "penguin-mta",
                                                  .program = options.program,
                                                  .arguments = {"serve", "--config", config.string()},
                                                  .log = folder / "daemon.log"});
    child_->wait_ready(patience, kReadyWithin,
                       [&] { return is_ready(patience, port_) && std::filesystem::exists(state_ / "admin-key"); });
}

// The first of two signals; the second spares the time in which a balancer would see that it stops.
Daemon::~Daemon() { child_->signal(SIGINT); }

std::string Daemon::admin_key() const
{
    const std::string text = text_of_file((state_ / "admin-key").string());
    const std::size_t end = text.find_last_not_of(" \r\n");
    if (end == std::string::npos) throw BenchError{"cannot read the daemon's admin-key (run as root, or as its user)"};
    return text.substr(0, end + 1);
}

std::filesystem::path Daemon::redis_socket() const { return state_ / "run" / "redis.sock"; }

std::filesystem::path Daemon::database_files() const { return state_ / "postgres" / "base"; }

} // namespace penguin::bench
