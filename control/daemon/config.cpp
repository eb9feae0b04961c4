#include "control/daemon/config.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "control/daemon/config_rules.h"
#include "control/daemon/state_dir.h"

namespace penguin::control {

namespace {

using namespace std::chrono_literals;

constexpr auto kDay = 24h;
constexpr std::size_t kConfigMax = 1 << 20; // octets of a file

void read(ConfigSection in, NodeConfig& out)
{
    in.text("name", out.name, node_name_or_none);
    in.text("state_dir", out.state_dir, state_dir_path);
    in.text("environment", out.environment, one_of({"production", "test"}));
    in.duration("stop_drain", out.stop_drain, 0s, 5min);
    in.duration("stop_grace", out.stop_grace, 0s, 10min);
    in.end();
}

void read(ConfigSection in, LogConfig& out)
{
    in.text("level", out.level, log_level);
    in.text("format", out.format, one_of({"text", "json"}));
    in.map("modules", out.modules, log_level);
    in.end();
}

void read(ConfigSection in, HttpConfig& out)
{
    in.texts("listen", out.listen, 16, listen_address);
    in.text("tls_cert", out.tls_cert, absolute_path_or_none);
    in.text("tls_key", out.tls_key, absolute_path_or_none);
    in.size("body_max", out.body_max, 64ULL << 10, 256ULL << 20);
    in.whole("connections_max", out.connections_max, 1, 65'536);
    in.duration("request_timeout", out.request_timeout, 1s, 10min);
    in.duration("idle_timeout", out.idle_timeout, 1s, 1h);
    in.end();
}

void read(ConfigSection in, AuthConfig& out)
{
    in.text("jwks_file", out.jwks_file, absolute_path_or_none);
    in.text("jwks_url", out.jwks_url, https_url_or_none);
    in.text("jwks_ca_file", out.jwks_ca_file, absolute_path_or_none);
    in.texts("jwks_allow_targets", out.jwks_allow_targets, 32, network);
    in.text("issuer", out.issuer);
    in.text("audience", out.audience);
    in.end();
}

void read(ConfigSection in, RedisConfig& out)
{
    in.secret("url", out.url, redis_url_or_none);
    in.text("ca_file", out.ca_file, absolute_path_or_none);
    in.text("prefix", out.prefix, key_prefix);
    in.flag("allow_unsafe", out.allow_unsafe);
    in.size("embedded_maxmemory", out.embedded_maxmemory, 32ULL << 20, 1ULL << 40);
    in.end();
}

void read_dsns(ConfigSection& in, DsnConfig& out)
{
    in.secret("dsn", out.dsn, dsn_or_none);
    in.secret("worker_dsn", out.worker_dsn, dsn_or_none);
    in.secret("owner_dsn", out.owner_dsn, dsn_or_none);
}

void read(ConfigSection in, DatabaseConfig& out)
{
    read_dsns(in, out.all);
    in.whole("connections", out.connections, 1, 32);
    in.duration("statement_timeout", out.statement_timeout, 1s, 10min);
    in.size("embedded_shared_buffers", out.embedded_shared_buffers, 16ULL << 20, 1ULL << 40);
    for (const std::string_view tier : DatabaseConfig::kTiers) {
        ConfigSection tier_in = in.section(tier);
        DsnConfig dsns;
        read_dsns(tier_in, dsns);
        tier_in.end();
        if (dsns != DsnConfig{}) out.tiers.emplace(tier, std::move(dsns));
    }
    in.end();
}

void read(ConfigSection in, KeysConfig& out)
{
    in.text("master_key_file", out.master_key_file, absolute_path_or_none);
    in.text("encryption_keys_file", out.encryption_keys_file, absolute_path_or_none);
    in.end();
}

void read(ConfigSection in, DnsConfig& out)
{
    in.texts("servers", out.servers, 8, dns_server);
    in.duration("timeout", out.timeout, 100ms, 30s);
    in.whole("tries", out.tries, 1, 10);
    in.end();
}

void read(ConfigSection in, SmtpTimeoutsConfig& out)
{
    in.duration("connect", out.connect, 1s, 10min);
    in.duration("tls", out.tls, 1s, 10min);
    in.duration("greeting", out.greeting, 1s, 1h);
    in.duration("ehlo", out.ehlo, 1s, 1h);
    in.duration("mail", out.mail, 1s, 1h);
    in.duration("rcpt", out.rcpt, 1s, 1h);
    in.duration("data", out.data, 1s, 1h);
    in.duration("body_block", out.body_block, 1s, 1h);
    in.duration("final_dot", out.final_dot, 1s, 1h);
    in.duration("reset", out.reset, 1s, 10min);
    in.duration("quit", out.quit, 1s, 10min);
    in.end();
}

void read(ConfigSection in, SmtpConfig& out)
{
    in.port("port", out.port);
    in.flag("starttls", out.starttls);
    in.texts("allow_targets", out.allow_targets, 32, network);
    read(in.section("timeouts"), out.timeouts);
    in.end();
}

void read(ConfigSection in, DeliveryConfig& out)
{
    in.whole("shards", out.shards, 0, 128);
    in.whole("workers", out.workers, 0, 128);
    in.whole("window", out.window, 10, 100'000);
    in.whole("connections_per_lane", out.connections_per_lane, 1, 1'000);
    in.whole("connections_per_site", out.connections_per_site, 1, 10'000);
    in.whole("messages_per_connection", out.messages_per_connection, 1, 100'000);
    in.duration("idle", out.idle, 0s, 10min);
    in.text("rules_file", out.rules_file, absolute_path_or_none);
    in.durations("retry_ladder", out.retry_ladder, 32, 1s, kDay);
    in.whole("retry_jitter_percent", out.retry_jitter_percent, 0, 50);
    in.size("contents_memory", out.contents_memory, 1ULL << 20, 1ULL << 40);
    in.size("journal_max", out.journal_max, 16ULL << 20, 1ULL << 40);
    in.whole("backlog_max", out.backlog_max, 1'000, 1'000'000'000);
    in.duration("life", out.life, 1min, 14 * kDay);
    in.end();
}

void read(ConfigSection in, DomainsConfig& out)
{
    in.text("bounce_label", out.bounce_label, host_label);
    in.text("bounce_mx", out.bounce_mx, domain_name_or_none);
    in.text("spf_include", out.spf_include, domain_name_or_none);
    in.text("dmarc_reports", out.dmarc_reports, email_address_or_none);
    in.end();
}

void read(ConfigSection in, DkimConfig& out)
{
    in.whole("audit_per_mille", out.audit_per_mille, 0, 1'000);
    in.end();
}

void check_http(const HttpConfig& http, ConfigReport& report)
{
    if (http.tls_cert.empty() != http.tls_key.empty())
        report.add(http.tls_cert.empty() ? "http.tls_key" : "http.tls_cert",
                   "tls_cert and tls_key are given together or not at all");
    if (!http.tls_cert.empty()) return;
    for (const std::string& text : http.listen) {
        const Result<ListenAddress> address = ListenAddress::parse(text);
        if (address && !address->local())
            report.add("http.listen",
                       fmt::format("\"{}\" is open to the network: that needs tls_cert and tls_key", text));
    }
}

void check_auth(const AuthConfig& auth, ConfigReport& report)
{
    if (!auth.jwks_file.empty() && !auth.jwks_url.empty())
        report.add("auth.jwks_url", "jwks_file or jwks_url, not both");
    if (auth.jwks_url.empty() && !auth.jwks_ca_file.empty()) report.add("auth.jwks_ca_file", "goes with jwks_url");
    if (auth.jwks_url.empty() && !auth.jwks_allow_targets.empty())
        report.add("auth.jwks_allow_targets", "goes with jwks_url");
    if (auth.jwks_file.empty() && auth.jwks_url.empty()) return;
    const char* const needed = auth.jwks_url.empty() ? "is needed with jwks_file" : "is needed with jwks_url";
    if (auth.issuer.empty()) report.add("auth.issuer", needed);
    if (auth.audience.empty()) report.add("auth.audience", needed);
}

// An own PostgreSQL serves all tiers or none. The owner's connection is only needed by `migrate`, which says so itself.
void check_database(const DatabaseConfig& database, ConfigReport& report)
{
    if (database.embedded()) return;
    for (const std::string_view tier : DatabaseConfig::kTiers) {
        const DsnConfig dsns = database.of(tier);
        const std::string key = database.tiers.contains(tier) ? fmt::format("database.{}", tier) : "database";
        if (dsns.dsn.empty())
            report.add(key,
                       fmt::format("no dsn for the tier {}: give [database] dsn or [database.{}] dsn", tier, tier));
        if (dsns.worker_dsn.empty())
            report.add(key, fmt::format(
                                "no worker_dsn for the tier {}: give [database] worker_dsn or [database.{}] worker_dsn",
                                tier, tier));
    }
}

void check_sockets(const Config& config, ConfigReport& report)
{
    const StateDir dir{config.node.state_dir};
    std::string wrong;
    if (config.database.embedded()) wrong = socket_path(dir.postgres_socket().string());
    if (wrong.empty() && config.redis.url.empty()) wrong = socket_path(dir.redis_socket().string());
    if (!wrong.empty()) report.add("node.state_dir", wrong);
}

void check(const Config& config, ConfigReport& report)
{
    check_http(config.http, report);
    check_auth(config.auth, report);
    check_database(config.database, report);
    check_sockets(config, report);
    if (config.node.environment == "production" && !config.smtp.allow_targets.empty())
        report.add("smtp.allow_targets", R"(is for tests: it needs node.environment = "test")");
    if (config.delivery.connections_per_site < config.delivery.connections_per_lane)
        report.add("delivery.connections_per_site", "must not be below connections_per_lane");
}

Config read_all(const toml::table* table, const std::string& state_dir, ConfigReport& report)
{
    Config out;
    ConfigSection root{table, "", report};
    read(root.section("node"), out.node);
    read(root.section("log"), out.log);
    read(root.section("http"), out.http);
    read(root.section("auth"), out.auth);
    read(root.section("redis"), out.redis);
    read(root.section("database"), out.database);
    read(root.section("keys"), out.keys);
    read(root.section("dns"), out.dns);
    read(root.section("smtp"), out.smtp);
    read(root.section("delivery"), out.delivery);
    read(root.section("domains"), out.domains);
    read(root.section("dkim"), out.dkim);
    root.end();
    if (!state_dir.empty()) out.node.state_dir = state_dir;
    if (const std::string wrong = state_dir_path(out.node.state_dir); !wrong.empty() && !state_dir.empty())
        report.add("node.state_dir", "--state-dir: " + wrong);
    check(out, report);
    return out;
}

} // namespace

DsnConfig DatabaseConfig::of(std::string_view tier) const
{
    DsnConfig out = all;
    const auto found = tiers.find(tier);
    if (found == tiers.end()) return out;
    if (!found->second.dsn.empty()) out.dsn = found->second.dsn;
    if (!found->second.worker_dsn.empty()) out.worker_dsn = found->second.worker_dsn;
    if (!found->second.owner_dsn.empty()) out.owner_dsn = found->second.owner_dsn;
    return out;
}

ConfigResult parse_config(std::string_view text, std::string_view file, const std::string& state_dir)
{
    const std::expected<toml::table, ConfigProblems> table = parse_toml(text, file);
    if (!table) return std::unexpected{table.error()};
    ConfigReport report{std::string{file}};
    Config config = read_all(&*table, state_dir, report);
    ConfigProblems problems = report.problems();
    if (!problems.empty()) return std::unexpected{std::move(problems)};
    return config;
}

ConfigResult load_config(const std::filesystem::path& file, const std::string& state_dir)
{
    const auto refuse = [&file](std::string text) {
        return std::unexpected{ConfigProblems{{file.string(), 0, "", std::move(text)}}};
    };
    std::ifstream in{file, std::ios::binary};
    if (!in) return refuse("cannot be opened for reading");
    std::string text(kConfigMax + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (in.bad()) return refuse("cannot be read");
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (text.size() > kConfigMax) return refuse(fmt::format("is larger than {} octets", kConfigMax));
    return parse_config(text, file.string(), state_dir);
}

std::set<std::string> config_keys()
{
    ConfigReport report{""};
    read_all(nullptr, "", report);
    return report.known_keys();
}

} // namespace penguin::control
