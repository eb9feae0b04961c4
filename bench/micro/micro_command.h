// bench/micro/micro_command.h
// `penguin-bench micro`: the Google Benchmark suite beside what the machine can do at best.
#pragma once

#include <CLI/CLI.hpp>

namespace penguin::bench {

void add_micro_command(CLI::App& app, int& status);

} // namespace penguin::bench
