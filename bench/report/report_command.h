// bench/report/report_command.h
// The verb `report`: files that the other verbs wrote with --json -> one page for people.
#pragma once

#include <CLI/CLI.hpp>

namespace penguin::bench::report {

void add_report_command(CLI::App& app, int& status);

} // namespace penguin::bench::report
