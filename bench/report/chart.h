// bench/report/chart.h
// A picture of figures -> the gnuplot script that draws it as SVG. Does no I/O.
//
//   in    any text in names: it is quoted, so that gnuplot sees nothing but text in it. The chart has data
//   out   draws to `set output`, kWidth wide, as high as it must be; title and legend stand outside of it
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace penguin::bench::report {

inline constexpr int kWidth = 520;

struct BarSeries {
    std::string name;
    std::vector<std::optional<double>> values; // one a category
};

struct Bars { // horizontal, from top to bottom; the values stand beside them
    std::string title;
    std::string unit;
    std::vector<std::string> categories;
    std::vector<BarSeries> series;
    bool stacked = false; // else side by side
    bool log = false;
};

struct LineSeries {
    std::string name;
    std::vector<std::pair<double, double>> points;
    bool dashed = false; // no measurement: a fit, or something wished for
};

struct Lines {
    std::string title;
    std::string x;
    std::string y;
    std::vector<LineSeries> series;
    bool log = false; // both axes; what is 0 is left out
    std::optional<double> y_most;
};

using Chart = std::variant<Bars, Lines>;

struct LegendEntry {
    std::string name;
    std::string colour; // as HTML has it
    bool dashed = false;
};

const std::string& title_of(const Chart& chart);
std::vector<LegendEntry> legend_of(const Chart& chart); // nothing when there is one series
bool has_data(const Chart& chart);                      // else there is nothing to draw
std::string script_of(const Chart& chart);

} // namespace penguin::bench::report
