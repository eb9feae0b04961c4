// control/daemon/embedded_store.h
// What the supervisor must know of one kind of store: how to prepare, start, probe and stop it.
#pragma once

#include <chrono>
#include <filesystem>
#include <vector>

#include "control/daemon/child_process.h"

namespace penguin::control {

struct StopStep {
    int signal = 0;
    std::chrono::seconds patience{0}; // before the next, harder step
};

class EmbeddedStore {
public:
    virtual ~EmbeddedStore() = default;
    virtual const std::string& name() const = 0;
    // Its working directory: whatever process is found there is a leftover of it.
    virtual std::filesystem::path directory() const = 0;
    // Before each start: makes the directory and the configuration. May run a child of its own (initdb).
    virtual awaitable<Result<>> prepare() = 0;
    virtual Result<ChildCommand> command() const = 0;
    // Whether the process answers now. Cheap; asked every kProbePause.
    virtual awaitable<bool> ready(pid_t pid) const = 0;
    // From asking politely to the last step.
    virtual std::vector<StopStep> stop_steps() const = 0;
};

} // namespace penguin::control
