// control/daemon/config.h
// The daemon's settings: what one TOML file says, with a default for every key.
//
//   in      a TOML file; packaging/penguin-mta.toml lists every key with its default (a test holds the two together).
//           The environment overrides nothing.
//   out     a Config whose values keep their rules, or all problems at once, each with file, line and key
//   rules   unknown keys, other types and values out of range are refused; so is a test-only value in production
//   never   a problem shows a password: keys that may hold one are read by ConfigSection::secret
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/config_reader.h"

namespace penguin::control {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct NodeConfig {
    std::string name; // empty: the host name
    std::string state_dir = "/var/lib/penguin-mta";
    std::string environment = "production"; // or "test"
    seconds stop_drain{5};                  // ready says no, and calls are still answered, when we are asked to stop
    seconds stop_grace{20};                 // then for transactions in progress
    friend bool operator==(const NodeConfig&, const NodeConfig&) = default;
};

struct LogConfig {
    std::string level = "info";
    std::string format = "text";
    std::map<std::string, std::string, std::less<>> modules; // module -> level
    friend bool operator==(const LogConfig&, const LogConfig&) = default;
};

struct HttpConfig {
    std::vector<std::string> listen{"127.0.0.1:8025"}; // "address:port", "[address]:port" or "unix:/path"
    std::string tls_cert;                              // PEM files; both or none
    std::string tls_key;
    std::uint64_t body_max = 32ULL << 20; // octets
    std::size_t connections_max = 512;
    seconds request_timeout{60};
    seconds idle_timeout{60};
    friend bool operator==(const HttpConfig&, const HttpConfig&) = default;
};

struct AuthConfig {
    std::string jwks_file; // it and jwks_url empty: API keys only
    std::string jwks_url;
    std::string jwks_ca_file;                    // whom to trust for jwks_url; empty: the system's authorities
    std::vector<std::string> jwks_allow_targets; // networks where jwks_url may be though they are not public
    std::string issuer;
    std::string audience;
    friend bool operator==(const AuthConfig&, const AuthConfig&) = default;
};

struct RedisConfig {
    std::string url; // empty: our own Redis, a child process
    std::string ca_file;
    std::string prefix = "pm:";
    bool allow_unsafe = false;                       // take a Redis that may lose mail (loud)
    std::uint64_t embedded_maxmemory = 512ULL << 20; // octets
    friend bool operator==(const RedisConfig&, const RedisConfig&) = default;
};

struct DsnConfig {
    std::string dsn;        // role pm_api
    std::string worker_dsn; // role pm_worker
    std::string owner_dsn;  // owns the schema: migrate
    friend bool operator==(const DsnConfig&, const DsnConfig&) = default;
};

struct DatabaseConfig {
    static constexpr std::array<std::string_view, 4> kTiers{"control", "content", "queue", "analytics"};

    DsnConfig all;                                       // empty: our own PostgreSQL, a child process
    std::map<std::string, DsnConfig, std::less<>> tiers; // what differs, by tier
    std::size_t connections = 4;                         // a role
    seconds statement_timeout{30};
    std::uint64_t embedded_shared_buffers = 128ULL << 20; // octets

    bool embedded() const { return all == DsnConfig{} && tiers.empty(); }
    DsnConfig of(std::string_view tier) const;
    friend bool operator==(const DatabaseConfig&, const DatabaseConfig&) = default;
};

struct KeysConfig {
    std::string master_key_file;      // empty: the credential "master-key", else <state_dir>/master.key
    std::string encryption_keys_file; // dkim/encryption_keys.h; empty: the master key wraps secrets itself
    friend bool operator==(const KeysConfig&, const KeysConfig&) = default;
};

struct DnsConfig {
    std::vector<std::string> servers; // "address" or "address:port"; empty: /etc/resolv.conf
    milliseconds timeout{2'000};      // one try at one server
    std::size_t tries = 3;
    friend bool operator==(const DnsConfig&, const DnsConfig&) = default;
};

struct SmtpTimeoutsConfig { // defaults: RFC 5321 4.5.3.2 where it names one
    seconds connect{30};
    seconds tls{30}; // handshake
    seconds greeting{300};
    seconds ehlo{300}; // HELO and STARTTLS as well
    seconds mail{300};
    seconds rcpt{300};
    seconds data{120};       // until 354
    seconds body_block{180}; // each block of the body
    seconds final_dot{600};
    seconds reset{20};
    seconds quit{5};
    friend bool operator==(const SmtpTimeoutsConfig&, const SmtpTimeoutsConfig&) = default;
};

struct SmtpConfig {
    std::uint16_t port = 25;
    bool starttls = true;                   // used when offered
    std::vector<std::string> allow_targets; // networks, tests only: "127.0.0.0/8"
    SmtpTimeoutsConfig timeouts;
    friend bool operator==(const SmtpConfig&, const SmtpConfig&) = default;
};

struct DeliveryConfig {
    std::size_t shards = 0;     // threads that deliver; 0: one a core
    std::size_t workers = 0;    // threads that render and sign; 0: one a core
    std::size_t window = 2'000; // messages that a node holds claimed
    std::size_t connections_per_lane = 10;
    std::size_t connections_per_site = 50;
    std::size_t messages_per_connection = 100;
    seconds idle{5};        // a connection without work is closed after it
    std::string rules_file; // reply rules over the shipped ones; empty: those alone
    std::vector<seconds> retry_ladder{seconds{300},   seconds{900},   seconds{1'800},
                                      seconds{3'600}, seconds{7'200}, seconds{14'400}};
    std::size_t retry_jitter_percent = 20;
    std::uint64_t contents_memory = 64ULL << 20; // octets of compiled contents
    std::uint64_t journal_max = 1ULL << 30;      // octets of a pool's journal of outcomes, on disk
    std::size_t backlog_max = 1'000'000;         // messages of a pool that are accepted and not queued yet
    seconds life{388'800};                       // 4d12h from acceptance or not_before, then a message expires
    friend bool operator==(const DeliveryConfig&, const DeliveryConfig&) = default;
};

struct DomainsConfig {
    std::string bounce_label = "bounce"; // return paths live at <label>.<domain>
    std::string bounce_mx;               // the host that takes bounces; empty: the host name
    std::string spf_include;             // named in SPF records instead of each address
    std::string dmarc_reports;           // address for aggregate reports
    friend bool operator==(const DomainsConfig&, const DomainsConfig&) = default;
};

struct DkimConfig {
    std::size_t audit_per_mille = 1; // share of messages that the second implementation verifies
    friend bool operator==(const DkimConfig&, const DkimConfig&) = default;
};

struct Config {
    NodeConfig node;
    LogConfig log;
    HttpConfig http;
    AuthConfig auth;
    RedisConfig redis;
    DatabaseConfig database;
    KeysConfig keys;
    DnsConfig dns;
    SmtpConfig smtp;
    DeliveryConfig delivery;
    DomainsConfig domains;
    DkimConfig dkim;
    friend bool operator==(const Config&, const Config&) = default;
};

using ConfigResult = std::expected<Config, ConfigProblems>;

// `file` is only named in problems. `state_dir`, when it is not empty, stands for the file's node.state_dir.
ConfigResult parse_config(std::string_view text, std::string_view file, const std::string& state_dir = "");
ConfigResult load_config(const std::filesystem::path& file, const std::string& state_dir = "");

// Every key that there is, "smtp.timeouts.rcpt": for the test of the example file.
std::set<std::string> config_keys();

} // namespace penguin::control
