// bench/harness/daemon.h
// `penguin-mta serve` with its own Redis and PostgreSQL, as durable as they are by default, configured for loopback.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "bench/harness/child.h"

namespace penguin::bench {

inline constexpr const char* kNode = "bench-1";

struct DaemonOptions {
    std::filesystem::path program;
    std::string name_server; // "address:port"
    std::uint16_t smtp_port = 25;
    std::size_t shards = 0;       // 0: one a core
    std::size_t connections = 10; // of a source to a site
    std::size_t messages_per_connection = 100;
    std::size_t site_connections = 50; // of all sources to a site; at least `connections`
    std::size_t redis_mb = 512;        // maxmemory
    std::size_t backlog_max =
        0;             // messages accepted and not queued yet; 0: not said, as an older daemon does not know it
    std::string rules; // the text of delivery.rules_file; "": there is none
    bool starttls = false;
};

// What is not said here has the daemon's default. `state` is where it keeps everything.
std::string daemon_configuration(const DaemonOptions& options, const std::filesystem::path& state,
                                 std::uint16_t api_port);

class Daemon {
public:
    Daemon(Patience& patience, const std::filesystem::path& folder, const DaemonOptions& options);
    ~Daemon();

    pid_t pid() const { return child_->pid(); }
    std::uint16_t port() const { return port_; }
    std::string admin_key() const; // what it made for its administrator at its first start
    std::filesystem::path redis_socket() const;
    std::filesystem::path database_files() const; // of PostgreSQL, without its log

private:
    std::filesystem::path state_;
    std::uint16_t port_;
    std::unique_ptr<Child> child_;
};

} // namespace penguin::bench
