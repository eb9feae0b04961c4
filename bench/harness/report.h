// bench/harness/report.h
// What a verb says at the end: one JSON object {verb, machine, git, options, runs, results}, whose names stay as they are,
// and lines for people.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "bench/harness/usage.h"

namespace penguin::bench {

namespace json = boost::json;

struct Report {
    std::string verb;
    json::object machine; // describe_machine, finish_machine
    std::string git;
    json::object options;
    json::array runs; // the figures of each run
    json::value results;
};

json::object to_json(const Report& report);
// Replaced whole. Nothing when `file` is empty.
void write_json(const Report& report, const std::filesystem::path& file);

// Three digits behind the point are more than any of our figures has.
double rounded(double value);
json::object rounded(const std::map<std::string, double>& values);
// The usage of a run as every verb tells it: seconds, machine_busy, others_cpu_s, stolen, busiest thread, limit.
json::object to_json(const Usage& usage);

// {p50, p95, p99, max}
json::object percentiles_of(const std::vector<double>& values);

// Numbers of the same path in every run -> their medians: the path is "a" or "a.b".
double median_of(const json::array& runs, std::string_view path);
double spread_of(const json::array& runs, std::string_view path);
// The same for all numbers of an object that each run has.
json::object medians_of(const json::array& runs, std::string_view object);
// The text that most runs have there.
std::string usual_of(const json::array& runs, std::string_view name);

struct Column {
    std::string title;
    std::vector<std::string> cells;
};
// Columns side by side, the first to the left, the others to the right.
std::string table(const std::vector<Column>& columns);

} // namespace penguin::bench
