// bench/harness/usage.h
// What a stretch of time cost, told apart by component: CPU, peak memory, the busiest thread; and what was the limit.
//
//   components  daemon, redis, postgres (children of the daemon), sink, relay, dns, client (this program); others = the machine's
//               busy time that none of these used
//   memory      peak since the process started (VmHWM); pages shared by a component's processes count once
//   limits      10 ms of CPU a process (clock ticks); a process that both starts and ends between two looks is counted
//               only when its parent belongs to the same component
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

#include "bench/harness/proc.h"

namespace penguin::bench {

inline constexpr const char* kDaemon = "daemon";
inline constexpr const char* kRedis = "redis";
inline constexpr const char* kPostgres = "postgres";
inline constexpr const char* kSink = "sink";
inline constexpr const char* kRelay = "relay";
inline constexpr const char* kDns = "dns";
inline constexpr const char* kClient = "client";

struct Roots { // the processes that we started, by component
    std::map<std::string, std::vector<pid_t>> pids;
};

struct Snapshot {
    struct Thread {
        std::string component;
        std::string name;
        std::uint64_t ticks = 0;
    };
    std::chrono::steady_clock::time_point at;
    std::map<std::string, std::uint64_t> ticks; // by component
    std::map<std::string, double> peak_mb;      // by component
    std::map<pid_t, Thread> threads;
    MachineTicks machine;
};
Snapshot look_at(const Roots& roots);

struct Usage {
    double seconds = 0;
    std::map<std::string, double> cpu_seconds; // by component
    std::map<std::string, double> peak_mb;
    double machine_busy = 0; // of all cores, 0 to 1
    double stolen = 0;       // share of the machine that the hypervisor gave to others
    double others_seconds = 0;
    std::string busiest_component;
    std::string busiest_thread;
    double busiest_share = 0; // of one core
};
Usage between(const Snapshot& before, const Snapshot& after);

// Which thing was the limit: "sink", "relay" or "client" (then the figure is not the engine's), "others" (all cores busy, a good part
// with what is not ours: the rates mean little), "machine" (all cores busy), a component with a thread that had a core for
// itself, or "waiting" (for answers, the disk, or by its own settings).
std::string limit_of(const Usage& usage);

// "redis" and "postgres" by the name of the program, else `parent`: the component of a process below the daemon.
std::string component_of(const std::string& process_name, const std::string& parent);

} // namespace penguin::bench
