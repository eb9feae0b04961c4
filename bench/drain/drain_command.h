// bench/drain/drain_command.h
// The verb `penguin-bench drain`: its options and how its results are shown. bench/README.md has the words.
#pragma once

#include <CLI/CLI.hpp>

#include "bench/drain/drain.h"

namespace penguin::bench {

// Adds the verb. When it is chosen, `status` becomes the exit status after it has run.
void add_drain_command(CLI::App& app, int& status);

// The options that say what is sent from where to whom; `drain` outlives the command.
void add_mail_options(CLI::App& command, DrainOptions& drain);

} // namespace penguin::bench
