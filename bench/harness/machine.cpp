#include "bench/harness/machine.h"

#include <charconv>
#include <system_error>
#include <thread>

#include <sys/utsname.h>
#include <unistd.h>

#include "bench/harness/child.h"
#include "bench/harness/proc.h"

namespace penguin::bench {

std::string cpu_model_of(std::string_view cpuinfo)
{
    const std::size_t at = cpuinfo.find("model name");
    if (at == std::string_view::npos) return {};
    const std::string_view line = cpuinfo.substr(at, cpuinfo.find('\n', at) - at);
    const std::size_t colon = line.find(": ");
    return colon == std::string_view::npos ? std::string{} : std::string{line.substr(colon + 2)};
}

double load_of(std::string_view loadavg)
{
    double load = 0;
    std::from_chars(loadavg.data(), loadavg.data() + loadavg.size(), load);
    return load;
}

boost::json::object describe_machine()
{
    constexpr std::int64_t kMegabyte = 1 << 20;
    utsname kernel{};
    ::uname(&kernel);
    return {{"cores", std::thread::hardware_concurrency()},
            {"model", cpu_model_of(text_of_file("/proc/cpuinfo"))},
            {"memory_mb", ::sysconf(_SC_PHYS_PAGES) * ::sysconf(_SC_PAGESIZE) / kMegabyte},
            {"kernel", static_cast<const char*>(kernel.release)},
            {"load", load_of(text_of_file("/proc/loadavg"))}};
}

std::filesystem::path own_folder() { return std::filesystem::read_symlink("/proc/self/exe").parent_path(); }

std::string git_commit(Patience& patience, const std::filesystem::path& scratch)
{
    const auto said =
        output_of(patience, "/usr/bin/git",
                  {"-C", own_folder().string(), "describe", "--always", "--dirty", "--exclude=*"}, scratch / "git.out");
    if (!said) return "unknown";
    return said->substr(0, said->find('\n'));
}

} // namespace penguin::bench
