#include "control/daemon/part_options.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <thread>

#include <ifaddrs.h>
#include <netinet/in.h>
#include <unistd.h>

#include <fmt/format.h>

#include "control/daemon/config_rules.h"
#include "control/daemon/embedded_postgres.h"

namespace penguin::control {

namespace {

std::size_t or_cores(std::size_t given)
{
    return given != 0 ? given : std::max<std::size_t>(std::thread::hardware_concurrency(), 1);
}

delivery::SmtpTimeouts smtp_timeouts(const SmtpTimeoutsConfig& from)
{
    return {.connect = from.connect,
            .tls = from.tls,
            .greeting = from.greeting,
            .ehlo = from.ehlo,
            .mail = from.mail,
            .rcpt = from.rcpt,
            .data = from.data,
            .body_block = from.body_block,
            .final_dot = from.final_dot,
            .reset = from.reset,
            .quit = from.quit};
}

// Mail to one of our own addresses would come back to us; what listens there for the inside is not for others to name.
void forbid_own_addresses(dns::TargetRule& rule)
{
    ifaddrs* first = nullptr;
    if (::getifaddrs(&first) != 0) return;
    for (const ifaddrs* entry = first; entry; entry = entry->ifa_next) {
        if (!entry->ifa_addr) continue;
        if (entry->ifa_addr->sa_family == AF_INET) {
            const auto* const v4 = reinterpret_cast<const sockaddr_in*>(entry->ifa_addr);
            rule.forbid_own(asio::ip::address_v4{ntohl(v4->sin_addr.s_addr)});
        } else if (entry->ifa_addr->sa_family == AF_INET6) {
            asio::ip::address_v6::bytes_type bytes;
            std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6*>(entry->ifa_addr)->sin6_addr, bytes.size());
            rule.forbid_own(asio::ip::address_v6{bytes});
        }
    }
    ::freeifaddrs(first);
}

std::string_view role_name(DatabaseRole role)
{
    switch (role) {
    case DatabaseRole::api: return db::kApiRole;
    case DatabaseRole::worker: return db::kWorkerRole;
    case DatabaseRole::owner: return EmbeddedPostgres::kOwner;
    }
    return "";
}

std::string dsn_of(const DsnConfig& dsns, DatabaseRole role)
{
    switch (role) {
    case DatabaseRole::api: return dsns.dsn;
    case DatabaseRole::worker: return dsns.worker_dsn;
    case DatabaseRole::owner: return dsns.owner_dsn;
    }
    return "";
}

} // namespace

Result<NodeName> node_name(const NodeConfig& node)
{
    if (!node.name.empty()) return NodeName{node.name};
    std::array<char, 256> buffer{};
    ::gethostname(buffer.data(), buffer.size() - 1);
    const std::string host = buffer.data();
    if (host.empty() || !node_name_or_none(host).empty())
        return fail(Errc::bad_value, fmt::format("the host name \"{}\" cannot be a node's name: give node.name", host));
    return NodeName{host};
}

log::Options log_options(const LogConfig& log)
{
    log::Options out;
    out.format = log.format == "json" ? log::Format::json : log::Format::text;
    out.level = log::parse_level(log.level).value_or(log::Level::info);
    for (const auto& [module, level] : log.modules)
        out.modules[module] = log::parse_level(level).value_or(log::Level::info);
    return out;
}

queue::RedisConnection::Options redis_options(const RedisConfig& redis, const StateDir& dir)
{
    queue::RedisConnection::Options out;
    out.ca_file = redis.ca_file;
    if (redis.url.empty())
        out.url.path = dir.redis_socket().string();
    else
        out.url = queue::RedisUrl::parse(redis.url).value();
    return out;
}

queue::SendQueue::Options queue_options(const Config& config, const NodeName& node, std::string incarnation)
{
    queue::SendQueue::Options out;
    out.prefix = config.redis.prefix;
    out.node = node;
    out.incarnation = std::move(incarnation);
    out.allow_unsafe_redis = config.redis.allow_unsafe;
#ifdef PENGUIN_CRASH_POINTS // tests/e2e/upgrade_test.py has it play a program of another version
    if (const char* spoken = std::getenv("PENGUIN_CONTRACT")) out.contract = std::stoi(spoken);
#endif
    return out;
}

dns::CaresResolver::Options resolver_options(const DnsConfig& dns)
{
    dns::CaresResolver::Options out;
    out.servers = dns.servers;
    out.timeout = dns.timeout;
    out.tries = static_cast<int>(dns.tries);
    // Time for every round, each twice as long as the one before it.
    out.deadline = std::max(out.deadline, dns.timeout * ((1 << dns.tries) - 1));
    return out;
}

dns::TargetRule target_rule(const std::vector<std::string>& allowed)
{
    dns::TargetRule rule;
    forbid_own_addresses(rule);
    for (const std::string& network : allowed) rule.allow(network).value();
    return rule;
}

delivery::EngineOptions engine_options(const Config& config, const NodeName& node, const StateDir& dir,
                                       std::string incarnation, bool crashed_before)
{
    delivery::EngineOptions out;
    out.redis = redis_options(config.redis, dir);
    out.queue = queue_options(config, node, std::move(incarnation));
    out.crashed_before = crashed_before;
    out.shards = or_cores(config.delivery.shards);
    out.workers = or_cores(config.delivery.workers);
    out.window = config.delivery.window;
    out.dns = resolver_options(config.dns);
    out.routes.deadline = std::max<std::chrono::seconds>(
        out.routes.deadline, std::chrono::duration_cast<std::chrono::seconds>(out.dns.deadline) * 2);
    out.targets = target_rule(config.smtp.allow_targets);
    out.smtp_port = config.smtp.port;
    out.timeouts = smtp_timeouts(config.smtp.timeouts);
    out.starttls = config.smtp.starttls;
    out.retry.ladder = config.delivery.retry_ladder;
    out.retry.jitter = static_cast<double>(config.delivery.retry_jitter_percent) / 100;
    out.retry.life = config.delivery.life;
    out.contents_max = config.delivery.contents_memory;
    out.journal.folder = dir.journal();
    out.journal.octets_max = config.delivery.journal_max;
    return out;
}

http::ServerLimits server_limits(const HttpConfig& http)
{
    http::ServerLimits out;
    out.body_max = http.body_max;
    out.connections_max = http.connections_max;
    out.body = http.request_timeout;
    out.handler = http.request_timeout;
    out.idle = http.idle_timeout;
    return out;
}

dkim::SignerOptions signer_options(const DkimConfig& dkim)
{
    dkim::SignerOptions out;
    out.audit.every = dkim.audit_per_mille == 0 ? 0 : static_cast<std::uint32_t>(1'000 / dkim.audit_per_mille);
    return out;
}

db::TierDsns tier_dsns(const DatabaseConfig& database, const StateDir& dir, DatabaseRole role)
{
    if (database.embedded()) return db::TierDsns::all(EmbeddedPostgres::dsn(dir, role_name(role)));
    return {.control = dsn_of(database.of("control"), role),
            .content = dsn_of(database.of("content"), role),
            .queue = dsn_of(database.of("queue"), role),
            .analytics = dsn_of(database.of("analytics"), role)};
}

db::PoolOptions pool_options(const DatabaseConfig& database)
{
    db::PoolOptions out;
    out.connections = database.connections;
    out.query_limit = database.statement_timeout;
    return out;
}

} // namespace penguin::control
