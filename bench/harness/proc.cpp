#include "bench/harness/proc.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <unistd.h>

namespace penguin::bench {

namespace {

template <class T>
std::optional<T> number(std::string_view text)
{
    T value{};
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::vector<std::string_view> words_of(std::string_view text)
{
    std::vector<std::string_view> words;
    constexpr std::string_view kBlank = " \t\n";
    for (std::size_t at = text.find_first_not_of(kBlank); at != std::string_view::npos;) {
        const std::size_t end = std::min(text.find_first_of(kBlank, at), text.size());
        words.push_back(text.substr(at, end - at));
        at = text.find_first_not_of(kBlank, end);
    }
    return words;
}

// "VmHWM:    1234 kB"
std::optional<std::uint64_t> kilobytes(std::string_view status, std::string_view name)
{
    std::size_t at = status.find(name);
    while (at != std::string_view::npos && at != 0 && status[at - 1] != '\n') at = status.find(name, at + 1);
    if (at == std::string_view::npos) return std::nullopt;
    const auto words = words_of(status.substr(at, status.find('\n', at) - at));
    return words.size() == 3 ? number<std::uint64_t>(words[1]) : std::nullopt;
}

template <class Each>
void each_pid_in(const std::string& folder, Each each)
{
    std::error_code code;
    for (std::filesystem::directory_iterator entry{folder, code}, end; !code && entry != end; entry.increment(code))
        if (const auto pid = number<pid_t>(entry->path().filename().native())) each(*pid);
}

} // namespace

std::optional<ProcessStat> parse_stat(std::string_view text)
{
    // Places behind the name, counted from 0 (proc(5) counts from 3).
    constexpr std::size_t kParent = 1;
    constexpr std::size_t kUser = 11; // then system, children's user, children's system
    const std::size_t open = text.find('(');
    const std::size_t close = text.rfind(')');
    if (open == std::string_view::npos || close == std::string_view::npos || close < open || open == 0)
        return std::nullopt;
    const auto words = words_of(text.substr(close + 1));
    if (words.size() < kUser + 4) return std::nullopt;
    const auto pid = number<pid_t>(text.substr(0, open - 1));
    const auto parent = number<pid_t>(words[kParent]);
    std::array<std::optional<std::uint64_t>, 4> times;
    for (std::size_t i = 0; i < times.size(); ++i) times[i] = number<std::uint64_t>(words[kUser + i]);
    if (!pid || !parent || !std::ranges::all_of(times, [](const auto& time) { return time.has_value(); }))
        return std::nullopt;
    return ProcessStat{.pid = *pid,
                       .parent = *parent,
                       .name = std::string{text.substr(open + 1, close - open - 1)},
                       .ticks = *times[0] + *times[1],
                       .reaped = *times[2] + *times[3]};
}

std::optional<ProcessMemory> parse_memory(std::string_view status)
{
    const auto peak = kilobytes(status, "VmHWM:");
    if (!peak) return std::nullopt; // a kernel thread or a zombie
    return ProcessMemory{.peak_kb = *peak,
                         .resident_kb = kilobytes(status, "VmRSS:").value_or(0),
                         .shared_kb = kilobytes(status, "RssShmem:").value_or(0)};
}

std::optional<MachineTicks> parse_machine(std::string_view stat)
{
    // cpu user nice system idle iowait irq softirq steal guest guest_nice; the guests are in user and nice already
    const auto words = words_of(stat.substr(0, stat.find('\n')));
    if (words.size() < 9 || words[0] != "cpu") return std::nullopt;
    std::array<std::uint64_t, 8> ticks{};
    for (std::size_t i = 0; i < ticks.size(); ++i) {
        const auto value = number<std::uint64_t>(words[i + 1]);
        if (!value) return std::nullopt;
        ticks[i] = *value;
    }
    return MachineTicks{
        .busy = ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6], .idle = ticks[3] + ticks[4], .stolen = ticks[7]};
}

std::string text_of_file(const std::string& path)
{
    std::ifstream file{path};
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

std::vector<ProcessStat> all_processes()
{
    std::vector<ProcessStat> all;
    each_pid_in("/proc", [&](pid_t pid) {
        if (auto stat = parse_stat(text_of_file("/proc/" + std::to_string(pid) + "/stat"))) all.push_back(*stat);
    });
    return all;
}

std::vector<ProcessStat> threads_of(pid_t pid)
{
    const std::string folder = "/proc/" + std::to_string(pid) + "/task";
    std::vector<ProcessStat> all;
    each_pid_in(folder, [&](pid_t thread) {
        if (auto stat = parse_stat(text_of_file(folder + "/" + std::to_string(thread) + "/stat"))) all.push_back(*stat);
    });
    return all;
}

std::optional<ProcessMemory> memory_of(pid_t pid)
{
    return parse_memory(text_of_file("/proc/" + std::to_string(pid) + "/status"));
}

std::size_t descriptors_of(pid_t pid)
{
    std::size_t count = 0;
    each_pid_in("/proc/" + std::to_string(pid) + "/fd", [&](pid_t /*number*/) { ++count; });
    return count;
}

std::uintmax_t octets_below(const std::filesystem::path& folder)
{
    namespace fs = std::filesystem;
    std::uintmax_t octets = 0;
    std::error_code code;
    for (fs::recursive_directory_iterator entry{folder, code}, end; !code && entry != end; entry.increment(code)) {
        std::error_code gone; // a file may go while we look
        if (const auto size = entry->is_regular_file(gone) ? entry->file_size(gone) : 0; !gone) octets += size;
    }
    return octets;
}

MachineTicks machine_ticks() { return parse_machine(text_of_file("/proc/stat")).value_or(MachineTicks{}); }

double seconds_of(std::uint64_t ticks)
{
    return static_cast<double>(ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::vector<ProcessStat> tree_of(const std::vector<ProcessStat>& all, pid_t root)
{
    std::vector<ProcessStat> tree;
    for (const ProcessStat& one : all)
        if (one.pid == root) tree.push_back(one);
    for (std::size_t next = 0; next < tree.size(); ++next)
        for (const ProcessStat& one : all)
            if (one.parent == tree[next].pid && one.pid != root) tree.push_back(one);
    return tree;
}

} // namespace penguin::bench
