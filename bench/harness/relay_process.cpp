#include "bench/harness/relay_process.h"

#include <fmt/format.h>

#include "bench/harness/machine.h"
#include "bench/harness/places.h"

namespace penguin::bench {

namespace {

using namespace std::chrono_literals;

ChildCommand command_of(const std::filesystem::path& folder, const RelayProcess::Options& options)
{
    std::filesystem::create_directories(folder);
    std::vector<std::string> words{"relay", "--round-trip-ms", std::to_string(options.round_trip.count())};
    for (std::size_t site = 0; site < options.sites; ++site)
        words.insert(words.end(), {"--listen", fmt::format("{}:{}", site_address(site), options.port), "--to",
                                   fmt::format("{}:{}", relayed_address(site), options.port)});
    return {.name = "the relay",
            .program = own_folder() / "penguin-bench",
            .arguments = std::move(words),
            .log = folder / "relay.out",
            .grace = 10s};
}

} // namespace

RelayProcess::RelayProcess(Patience& patience, const std::filesystem::path& folder, const Options& options)
    : child_{command_of(folder, options)}
{
    child_.wait_ready(patience, 30s, [this] { return child_.output().ends_with("ready\n"); });
}

} // namespace penguin::bench
