// bench/harness/patience.h
// How long a verb may take, and what ends it early. Everything that waits in the harness waits through this, on the main
// thread, so that Ctrl-C, SIGTERM and the deadline all unwind the stack: destructors stop what was started.
//
//   signals  SIGINT and SIGTERM are blocked in every thread from the constructor on and taken only in nap() and check()
//   errors   BenchError. A measurement that fails has nothing to decide, so the harness throws; main prints one line
#pragma once

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>

#include <csignal>

namespace penguin::bench {

class BenchError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

class Patience {
public:
    static constexpr std::chrono::seconds kStalledAfter{60};

    explicit Patience(std::chrono::seconds limit);
    ~Patience();
    Patience(const Patience&) = delete;
    Patience& operator=(const Patience&) = delete;

    // Both throw when a signal came or the deadline passed, from then on each time.
    void check();
    void nap(std::chrono::milliseconds time);

    // Naps until `holds()`; throws after `limit`, naming `what`.
    template <class Holds>
    void until(std::chrono::seconds limit, const std::string& what, Holds holds,
               std::chrono::milliseconds step = std::chrono::milliseconds{20})
    {
        const auto end = std::chrono::steady_clock::now() + limit;
        while (!holds()) {
            if (std::chrono::steady_clock::now() >= end)
                throw BenchError{"not within " + std::to_string(limit.count()) + " s: " + what};
            nap(step);
        }
    }

    // Naps until `progress()` is at least `goal`; throws when it has not grown for kStalledAfter, naming `what`.
    template <class Progress>
    void reach(std::uint64_t goal, const std::string& what, Progress progress,
               std::chrono::milliseconds step = std::chrono::milliseconds{20})
    {
        std::uint64_t had = 0;
        auto moved = std::chrono::steady_clock::now();
        for (std::uint64_t now = progress(); now < goal; now = progress()) {
            if (now != had) moved = std::chrono::steady_clock::now();
            had = now;
            if (std::chrono::steady_clock::now() - moved >= kStalledAfter) throw stalled(what, now, goal);
            nap(step);
        }
    }

private:
    static BenchError stalled(const std::string& what, std::uint64_t now, std::uint64_t goal);
    void take_signal(std::chrono::nanoseconds wait);

    std::chrono::steady_clock::time_point deadline_;
    std::chrono::seconds limit_;
    int signalled_ = 0;
    sigset_t signals_{};
    sigset_t before_{};
};

} // namespace penguin::bench
