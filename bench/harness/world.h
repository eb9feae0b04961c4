// bench/harness/world.h
// Everything that a verb measures, on 127.0.0.0/8: the daemon with its stores, a name server, sinks, tenants whose domains
// are verified. Its pool has no source yet, so that what is accepted waits (durably, in PostgreSQL) until release().
//
//   warm    with a second pool, which has a tenant and, for a time, a source of its own: mail that goes out before what is
//           measured, so that the daemon knows all routes. All other mail is held in Redis meanwhile
//   errors  BenchError. The destructor stops and removes all
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "bench/harness/daemon.h"
#include "bench/harness/http_client.h"
#include "bench/harness/nameserver.h"
#include "bench/harness/places.h"
#include "bench/harness/receivers.h"
#include "bench/harness/redis_store.h"
#include "bench/harness/relay_process.h"
#include "bench/harness/usage.h"

namespace penguin::bench {

inline constexpr std::size_t kBacklogMost = 1'000'000'000; // for what accepts faster than the queue is filled

struct WorldOptions {
    std::filesystem::path daemon; // the program
    std::filesystem::path work;   // where the world's folder is made
    std::size_t domains = 1;      // of recipients
    std::size_t sites = 1;
    std::size_t sources = 1;
    std::size_t tenants = 1;
    bool ed25519 = false; // the tenants' domains have such a key beside the RSA one
    bool tls = false;
    std::size_t sink_threads = 1;
    std::size_t shards = 0;
    std::size_t connections = 10;      // of a source to a site
    std::size_t site_connections = 50; // of all sources to a site
    std::size_t messages_per_connection = 100;
    std::size_t redis_mb = 512;              // what the daemon's Redis may use
    std::size_t backlog_max = 0;             // as DaemonOptions'
    bool warm = false;                       // there is a warm pool
    bool sink_log = false;                   // the sinks write down when each message came
    std::size_t pace = 0;                    // messages a second that the sinks take of a source; 0: as many as come
    std::vector<std::string> sink_options{}; // more of the sinks', as on their command line
    std::string rules;                       // reply rules and providers over the daemon's own
    bool pipelining = true;                  // what the sinks offer
    bool chunking = true;
    std::optional<std::chrono::milliseconds> round_trip; // to the sites, through a relay; nothing: no relay
};

inline constexpr const char* kBenchPool = "bench"; // the tenants' pool

struct BenchTenant {
    std::string id;
    std::string domain;
    std::string key; // an API key with all scopes of a tenant
};

class World {
public:
    World(Patience& patience, const WorldOptions& options);

    asio::io_context& io() noexcept { return io_; }
    std::span<const BenchTenant> tenants() const { return std::span{tenants_}.first(options_.tenants); }
    std::span<const BenchTenant> warm_tenants() const { return std::span{tenants_}.subspan(options_.tenants); }
    HttpClient client_of(const BenchTenant& tenant) { return HttpClient{io_, daemon_.port(), tenant.key}; }
    HttpClient admin() { return HttpClient{io_, daemon_.port(), daemon_.admin_key()}; }
    Receivers& receivers() noexcept { return receivers_; }
    std::uint16_t port() const { return daemon_.port(); } // of the API
    pid_t daemon_pid() const { return daemon_.pid(); }
    std::filesystem::path database_files() const { return daemon_.database_files(); }
    std::filesystem::path folder() const { return folder_.path(); }
    std::filesystem::path sink_log() const { return folder_.path() / "sink" / "taken.jsonl"; }

    // The pool gets its sources: from now on mail goes out.
    void release();
    // The same of the warm pool.
    void release_warm();
    // The pool gets its sources, but its mail goes no further than Redis; until let_go(), which ends the warm pool.
    void release_to_queue();
    void let_go();
    RedisMemory redis_memory();
    // Until the sinks have so many; throws when nothing arrives any more.
    void wait_for_arrivals(std::uint64_t messages);
    Snapshot look() const;
    // A metric of the daemon without labels, or the sum over its labels; 0 when there is none of that name.
    double metric(const std::string& name);

private:
    std::string make_source(std::size_t number, const char* pool); // gives its id
    void make_tenants();
    awaitable<void> make_tenant(std::size_t number);
    awaitable<void> verify(std::size_t number);

    Patience& patience_;
    WorldOptions options_;
    WorldFolder folder_;
    asio::io_context io_;
    std::uint16_t smtp_port_;
    Receivers receivers_;
    std::unique_ptr<RelayProcess> relay_; // null: there is none
    Nameserver nameserver_;
    Daemon daemon_;
    RedisStore redis_;
    std::vector<BenchTenant> tenants_; // the warm pool's one is the last
    std::string warm_source_;          // its id
    std::string records_;              // what the tenants' domains must publish
};

// The sum of a metric's samples in Prometheus' text format.
double metric_in(std::string_view exposition, std::string_view name);

} // namespace penguin::bench
