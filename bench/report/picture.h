// bench/report/picture.h
// Charts -> SVG elements that may stand together in one page.
//
//   errors  BenchError: gnuplot is not there, or what it said
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bench/harness/patience.h"
#include "bench/report/chart.h"

namespace penguin::bench::report {

// What gnuplot drew, as an element of its own: without the head of a file and gnuplot's titles, its names made different by
// `number`. Pure. Throws when there is no svg element.
std::string as_element(std::string_view drawn, std::size_t number, const std::string& title);

std::vector<std::string> draw(Patience& patience, const std::vector<Chart>& charts);

} // namespace penguin::bench::report
