// bench/harness/child.h
// A program that we started, in a session of its own, its output in a log file. The destructor ends it, whatever happened.
//
//   limits   stop: SIGTERM, then SIGKILL to its process group after `grace`
//   errors   BenchError with the tail of its log
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "bench/harness/patience.h"

namespace penguin::bench {

struct ChildCommand {
    std::string name; // for people
    std::filesystem::path program;
    std::vector<std::string> arguments; // without the program itself
    std::filesystem::path log;
    std::chrono::seconds grace{60};
};

class Child {
public:
    explicit Child(ChildCommand command);
    ~Child();
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    pid_t pid() const noexcept { return pid_; }
    bool running();
    void signal(int number);
    // True when it ended by itself after SIGTERM. Once it has ended, does nothing.
    bool stop() noexcept;
    // The exit status, negative for a signal; throws when it does not end within `limit`.
    int wait(Patience& patience, std::chrono::seconds limit);

    // Waits until `ready()`; throws when the program ends before.
    template <class Ready>
    void wait_ready(Patience& patience, std::chrono::seconds limit, Ready ready)
    {
        const auto end = std::chrono::steady_clock::now() + limit;
        while (!ready()) {
            if (!running()) throw BenchError{command_.name + " ended before it was ready:\n" + last_words()};
            if (std::chrono::steady_clock::now() >= end)
                throw BenchError{command_.name + " was not ready in time:\n" + last_words()};
            patience.nap(std::chrono::milliseconds{20});
        }
    }
    std::string output() const;     // all of its log
    std::string last_words() const; // the end of it

private:
    bool gone(int options) noexcept;

    ChildCommand command_;
    pid_t pid_ = -1;
    std::optional<int> status_;
};

// Runs a short program to its end; its output when it succeeded, nothing when it failed or is not there.
std::optional<std::string> output_of(Patience& patience, const std::filesystem::path& program,
                                     const std::vector<std::string>& arguments, const std::filesystem::path& log);

} // namespace penguin::bench
