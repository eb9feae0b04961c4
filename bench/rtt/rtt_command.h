// bench/rtt/rtt_command.h
// The verb `penguin-bench rtt`: its options and how its results are shown. bench/README.md has the words.
#pragma once

#include <CLI/CLI.hpp>

namespace penguin::bench {

// Adds the verb. When it is chosen, `status` becomes the exit status after it has run.
void add_rtt_command(CLI::App& app, int& status);

} // namespace penguin::bench
