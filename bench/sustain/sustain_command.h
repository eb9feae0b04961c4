// The verb `penguin-bench sustain`: its options and how its results are shown. bench/README.md has the words.
#pragma once

#include <CLI/CLI.hpp>

namespace penguin::bench {

// Adds the verb. When it is chosen, `status` becomes the exit status after it has run.
void add_sustain_command(CLI::App& app, int& status);

} // namespace penguin::bench
