// bench/plan/plan_command.h
// `penguin-bench plan`: options in, table and JSON out.
#pragma once

#include <CLI/CLI.hpp>

namespace penguin::bench::plan {

void add_plan_command(CLI::App& app, int& status);

} // namespace penguin::bench::plan
