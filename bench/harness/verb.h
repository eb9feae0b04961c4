// bench/harness/verb.h
// What all measuring verbs have in common: options, runs one after another, the report at the end.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "bench/harness/patience.h"

namespace penguin::bench {

struct VerbWords {
    std::size_t runs = 3;
    std::string json; // FILE
    unsigned timeout_s = 1'800;
    std::string work = "/var/tmp"; // worlds are made below it
    std::string daemon;            // empty: penguin-mta beside this program
    std::filesystem::path daemon_program() const;
};

void add_common_options(CLI::App& command, VerbWords& words);

struct Verb {
    std::string name;
    boost::json::object options;
    std::function<boost::json::object(Patience&)> once;                   // the figures of one run
    std::function<boost::json::value(const boost::json::array&)> results; // of all runs
    std::function<std::string(const boost::json::value&)> table;          // the results, for people
    std::function<std::string(const boost::json::object&)> line;          // a run, while the others go on
};

// Runs it words.runs times, prints, writes the JSON. Gives the exit status; what fails is printed.
int run_verb(const Verb& verb, const VerbWords& words);

} // namespace penguin::bench
