// bench/relay/relay_command.h
// The verb `penguin-bench relay`: its options, its process. bench/README.md has the words.
#pragma once

#include <CLI/CLI.hpp>

namespace penguin::bench {

// Adds the verb. When it is chosen, `status` becomes the exit status after it has run.
void add_relay_command(CLI::App& app, int& status);

} // namespace penguin::bench
