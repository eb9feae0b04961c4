// bench/micro/compared.h
// Benchmarks beside the machine's limits: ratios, medians, tables. Pure.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace penguin::bench::micro {

struct Measured {
    std::string name;
    double cpu_ns = 0;          // an operation
    double octets_a_second = 0; // 0: it has no octets
    std::string limits;         // names joined by '+'; "": none
};

std::vector<std::string> limit_names(const std::string& limits);
std::set<std::string> limits_of(const std::vector<Measured>& all);

// {name: {ns, octets_per_second?, limit?, limit_ns?, ratio?}}: what a limit needs, and how many times that the benchmark
// does. A limit that was not measured is left out with its ratio.
boost::json::object compared(const std::vector<Measured>& all, const std::map<std::string, double>& limit_ns);

// {benchmarks, limits_ns, dkim_us}: medians of the runs, each {benchmarks, limits_ns}. dkim_us is there when the signatures of
// 10 KiB were measured.
boost::json::object results_of_runs(const boost::json::array& runs);

std::string table_of(const boost::json::object& results);

} // namespace penguin::bench::micro
