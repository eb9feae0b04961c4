// bench/sink/sink_command.h
// The verb `penguin-bench sink`: options, signals, what it prints. bench/README.md has the words.
#pragma once

#include <CLI/CLI.hpp>

namespace penguin::bench {

// Adds the verb. When it is chosen, `status` becomes the exit status after it has run.
void add_sink_command(CLI::App& app, int& status);

} // namespace penguin::bench
