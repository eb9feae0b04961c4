// bench/harness/machine.h
// Where a figure was measured: the machine, what else ran on it, and which commit the programs were built from.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "bench/harness/patience.h"

namespace penguin::bench {

std::string cpu_model_of(std::string_view cpuinfo); // "" when it names none
double load_of(std::string_view loadavg);           // of the last minute

// {cores, model, memory_mb, kernel, load}
boost::json::object describe_machine();

// "a4a2625", with "-dirty" when something is not committed; "unknown" outside a checkout or without git.
std::string git_commit(Patience& patience, const std::filesystem::path& scratch);

std::filesystem::path own_folder(); // where this program lies

} // namespace penguin::bench
