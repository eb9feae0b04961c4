// bench/report/section.h
// What the page shows, before it is HTML: sections with sentences, charts and tables. A section is nothing when no file has its figures.
//
//   errors  BenchError: a field that is missing or wrong
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench/report/chart.h"
#include "bench/report/figures_file.h"

namespace penguin::bench::report {

struct Table {
    std::vector<std::string> head;
    std::vector<std::vector<std::string>> rows; // the first cell of a row names it
};

struct Section {
    std::string id; // in the page
    std::string title;
    std::vector<std::string> says; // what is shown; a paragraph each
    std::vector<Chart> charts;
    std::vector<Table> tables;
    std::vector<const FiguresFile*> from;
};

std::optional<Section> planned(const Files& files);     // plan
std::optional<Section> sending(const Files& files);     // drain
std::optional<Section> peers(const Files& files);       // compare
std::optional<Section> cost(const Files& files);        // drain, flow: CPU and memory
std::optional<Section> accepting(const Files& files);   // submit
std::optional<Section> delay(const Files& files);       // flow
std::optional<Section> fair_shares(const Files& files); // fairness
std::optional<Section> sustained(const Files& files);   // sustain
std::optional<Section> growth(const Files& files);      // scale
std::optional<Section> steadiness(const Files& files);  // soak
std::optional<Section> round_trips(const Files& files); // rtt
std::optional<Section> operations(const Files& files);  // micro

// In the order of the page; charts without data are left out.
std::vector<Section> sections_of(const Files& files);

} // namespace penguin::bench::report
