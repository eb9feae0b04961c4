// bench/harness/receivers.h
// The sinks of a world: one process of this program that listens at every site's address and counts.
#pragma once

#include <filesystem>
#include <memory>

#include <boost/json/object.hpp>

#include "bench/harness/child.h"

namespace penguin::bench {

class Receivers {
public:
    struct Options {
        std::size_t sites = 1;
        std::uint16_t port = 0;
        std::size_t threads = 1;
        bool tls = false;
        bool pipelining = true;
        bool chunking = true;
        bool relayed = false;            // listens where the relay leads to
        std::string log;                 // "": only counts
        std::vector<std::string> more{}; // words of the sink's command line
        std::size_t pace = 0; // messages a second that it takes of a source, the others wait; 0: as many as come
    };
    Receivers(Patience& patience, std::filesystem::path folder, const Options& options);

    pid_t pid() const { return child_->pid(); }
    // What it has counted by now; bench/README.md lists the names.
    boost::json::object counts(Patience& patience);
    std::uint64_t messages(Patience& patience);

private:
    std::filesystem::path folder_;
    std::unique_ptr<Child> child_;
};

} // namespace penguin::bench
