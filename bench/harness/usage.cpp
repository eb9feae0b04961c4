#include "bench/harness/usage.h"

#include <algorithm>

#include <unistd.h>

namespace penguin::bench {

namespace {

constexpr double kThreadFull = 0.9;   // of a core: this thread could not do more
constexpr double kMachineFull = 0.92; // of all cores
constexpr double kMuch = 0.15;        // of the busy time
constexpr double kKilobytesInMegabyte = 1024.0;

struct Memory {
    std::uint64_t own_kb = 0;
    std::uint64_t shared_kb = 0;
};

void add_process(Snapshot& snapshot, std::map<std::string, Memory>& memory, const ProcessStat& process,
                 const std::string& component, bool own_children_too)
{
    snapshot.ticks[component] += process.ticks + (own_children_too ? process.reaped : 0);
    if (const auto used = memory_of(process.pid)) {
        Memory& sum = memory[component];
        sum.own_kb += used->peak_kb - std::min(used->peak_kb, used->shared_kb);
        sum.shared_kb = std::max(sum.shared_kb, used->shared_kb);
    }
    for (const ProcessStat& thread : threads_of(process.pid))
        snapshot.threads[thread.pid] = {component, thread.name, thread.ticks};
}

} // namespace

std::string component_of(const std::string& process_name, const std::string& parent)
{
    if (process_name.starts_with("redis")) return kRedis;
    if (process_name.starts_with("postgres")) return kPostgres;
    return parent;
}

Snapshot look_at(const Roots& roots)
{
    Snapshot snapshot;
    std::map<std::string, Memory> memory;
    const std::vector<ProcessStat> all = all_processes();
    for (const auto& [component, pids] : roots.pids) {
        for (const pid_t root : pids) {
            for (const ProcessStat& process : tree_of(all, root)) {
                const bool daemon = component == kDaemon;
                const std::string name = daemon ? component_of(process.name, component) : component;
                // The daemon's children are components of their own, also when they have ended.
                add_process(snapshot, memory, process, name, name != kDaemon);
            }
        }
    }
    for (const ProcessStat& process : all)
        if (process.pid == ::getpid()) add_process(snapshot, memory, process, kClient, false);
    for (const auto& [component, used] : memory)
        snapshot.peak_mb[component] = static_cast<double>(used.own_kb + used.shared_kb) / kKilobytesInMegabyte;
    snapshot.machine = machine_ticks();
    snapshot.at = std::chrono::steady_clock::now();
    return snapshot;
}

Usage between(const Snapshot& before, const Snapshot& after)
{
    Usage usage;
    usage.seconds = std::chrono::duration<double>(after.at - before.at).count();
    double ours = 0;
    for (const auto& [component, ticks] : after.ticks) {
        const auto was = before.ticks.find(component);
        const std::uint64_t then = was == before.ticks.end() ? 0 : was->second;
        usage.cpu_seconds[component] = seconds_of(ticks - std::min(ticks, then));
        ours += usage.cpu_seconds[component];
    }
    usage.peak_mb = after.peak_mb;
    const std::uint64_t busy = after.machine.busy - before.machine.busy;
    const std::uint64_t stolen = after.machine.stolen - before.machine.stolen;
    const std::uint64_t all = busy + stolen + after.machine.idle - before.machine.idle;
    if (all > 0) {
        usage.machine_busy = static_cast<double>(busy + stolen) / static_cast<double>(all);
        usage.stolen = static_cast<double>(stolen) / static_cast<double>(all);
    }
    usage.others_seconds = std::max(0.0, seconds_of(busy) - ours);
    for (const auto& [id, thread] : after.threads) {
        const auto was = before.threads.find(id);
        const std::uint64_t then = was == before.threads.end() ? 0 : was->second.ticks;
        const double share = seconds_of(thread.ticks - std::min(thread.ticks, then)) / std::max(usage.seconds, 0.001);
        if (share <= usage.busiest_share) continue;
        usage.busiest_share = share;
        usage.busiest_component = thread.component;
        usage.busiest_thread = thread.name;
    }
    return usage;
}

std::string limit_of(const Usage& usage)
{
    const bool thread_full = usage.busiest_share >= kThreadFull;
    const bool not_the_engine =
        usage.busiest_component == kSink || usage.busiest_component == kRelay || usage.busiest_component == kClient;
    if (thread_full && not_the_engine) return usage.busiest_component;
    if (usage.machine_busy >= kMachineFull) {
        double ours = 0;
        for (const auto& [component, seconds] : usage.cpu_seconds) ours += seconds;
        return usage.others_seconds > kMuch * (ours + usage.others_seconds) ? "others" : "machine";
    }
    if (thread_full) return usage.busiest_component;
    return "waiting";
}

} // namespace penguin::bench
