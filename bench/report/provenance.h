// bench/report/provenance.h
// Where figures come from, in words: the command that measures them again, the machine, the commit, what else ran.
#pragma once

#include <string>

#include "bench/report/figures_file.h"

namespace penguin::bench::report {

// For a shell: verb, every option, number of runs. Without files and folders of the run that was.
std::string command_of(const FiguresFile& file);

// "2 cores (AMD EPYC), 24 GB, Linux 6.1; commit a4a2625; load 2.3 before, 3.4 after; median of 3 runs"
std::string place_of(const FiguresFile& file);

// True when other programs took so much of the machine that rates mean little.
bool disturbed(const FiguresFile& file);

} // namespace penguin::bench::report
