// bench/harness/relay_process.h
// The relay of a world: one process of this program that listens at every site's address and leads to the sink that
// listens for it (relayed_address), half a round trip away.
//
//   errors  BenchError
#pragma once

#include <filesystem>

#include "bench/harness/child.h"

namespace penguin::bench {

class RelayProcess {
public:
    struct Options {
        std::size_t sites = 1;
        std::uint16_t port = 0; // of relay and sinks
        std::chrono::milliseconds round_trip{};
    };
    RelayProcess(Patience& patience, const std::filesystem::path& folder, const Options& options);

    pid_t pid() const noexcept { return child_.pid(); }

private:
    Child child_;
};

} // namespace penguin::bench
