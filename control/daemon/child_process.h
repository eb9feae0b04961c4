// control/daemon/child_process.h
// One program that runs as our child and ends when we do.
//
//   in       program, arguments, working directory, the signal that it gets when our main thread ends (PDEATHSIG)
//   out      a running process in a session of its own (a terminal's Ctrl-C does not reach it), with a clean
//   environment,
//            no descriptor of ours, its output given to the log line by line
//   threads  start on the main thread only: the kernel sends PDEATHSIG when the *thread* that forked ends
//   limits   kLineMax octets of an output line; the last kLastLines lines are kept for error texts
//   errors   local_fault (cannot fork or execute; detail names the program)
#pragma once

#include <deque>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

#include "engine/base/asio.h"

namespace penguin::control {

struct ChildCommand {
    std::string name; // module name in the log: "redis", "postgres"
    std::filesystem::path program;
    std::vector<std::string> arguments; // without the program itself
    std::filesystem::path work_dir;
    std::string called = {}; // argv[0]; empty: the program's path
    int death_signal = 0;
};

class ChildProcess {
public:
    static constexpr std::size_t kLineMax = 1024;
    static constexpr std::size_t kLastLines = 5;

    static Result<ChildProcess> start(const asio::any_io_executor& executor, const ChildCommand& command);

    pid_t pid() const;
    // Waits for its end and buries it; says how it ended: "exit status 1", "killed by signal 9". Awaited once.
    awaitable<std::string> ended();
    bool running() const;
    void signal(int number) const;       // nothing, once it has ended
    void signal_group(int number) const; // the process and what it started
    // What it wrote last, for the text of an error.
    std::string last_words() const;

private:
    struct State;
    explicit ChildProcess(std::shared_ptr<State> state) : state_{std::move(state)} {}
    std::shared_ptr<State> state_;
};

// Processes whose working directory is `dir`: what a killed predecessor left behind there.
std::vector<pid_t> processes_in(const std::filesystem::path& dir);

} // namespace penguin::control
