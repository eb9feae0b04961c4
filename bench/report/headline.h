// bench/report/headline.h
// The first thing on the page: what the figures say, for somebody who has never seen the project.
//
//   out     sentences, and a table of the same figures; of verbs that are there
//   errors  BenchError: a field that is missing or wrong
#pragma once

#include "bench/report/section.h"

namespace penguin::bench::report {

struct Headline {
    std::vector<std::string> says;
    Table table;
};

Headline headline_of(const Files& files);

} // namespace penguin::bench::report
