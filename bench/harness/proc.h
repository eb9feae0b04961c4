// bench/harness/proc.h
// What /proc says of processes and of the machine. The parsers are pure; a process that ends while we look is left out.
//
//   source   proc(5); times are in clock ticks (sysconf(_SC_CLK_TCK)), memory in kB
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace penguin::bench {

struct ProcessStat { // /proc/PID/stat, and the same of a thread
    pid_t pid = 0;
    pid_t parent = 0;
    std::string name;         // may hold spaces and parentheses
    std::uint64_t ticks = 0;  // user + system
    std::uint64_t reaped = 0; // of its children that have ended and been waited for
    friend bool operator==(const ProcessStat&, const ProcessStat&) = default;
};
std::optional<ProcessStat> parse_stat(std::string_view text);

struct ProcessMemory {             // /proc/PID/status
    std::uint64_t peak_kb = 0;     // VmHWM
    std::uint64_t resident_kb = 0; // VmRSS
    std::uint64_t shared_kb = 0;   // RssShmem: the same pages may be counted in other processes
    friend bool operator==(const ProcessMemory&, const ProcessMemory&) = default;
};
std::optional<ProcessMemory> parse_memory(std::string_view status);

struct MachineTicks { // the first line of /proc/stat, all cores
    std::uint64_t busy = 0;
    std::uint64_t idle = 0;   // waiting for the disk included
    std::uint64_t stolen = 0; // by the hypervisor, for others
    friend bool operator==(const MachineTicks&, const MachineTicks&) = default;
};
std::optional<MachineTicks> parse_machine(std::string_view stat);

std::vector<ProcessStat> all_processes();
std::vector<ProcessStat> threads_of(pid_t pid);
std::optional<ProcessMemory> memory_of(pid_t pid);
std::size_t descriptors_of(pid_t pid);                            // that it has open
std::uintmax_t octets_below(const std::filesystem::path& folder); // of its files and those of its folders
MachineTicks machine_ticks();
double seconds_of(std::uint64_t ticks);

// `root` and everything below it.
std::vector<ProcessStat> tree_of(const std::vector<ProcessStat>& all, pid_t root);

std::string text_of_file(const std::string& path); // "" when it cannot be read

} // namespace penguin::bench
