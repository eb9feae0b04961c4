// bench/harness/statistics.h
// The few numbers that say what many say. Pure.
#pragma once

#include <optional>
#include <vector>

namespace penguin::bench {

// Nearest rank: the smallest value that at least `share` (0 to 1) of all are not above. 0 when there are none.
double percentile(std::vector<double> values, double share);

// The middle one; of an even number the mean of the two in the middle. 0 when there are none.
double median(std::vector<double> values);

// (largest - smallest) / median: 0.1 means that the runs lie within a tenth. 0 when there are none.
double spread(const std::vector<double>& values);

// The exponent b of y = a x^b that fits best: least squares of log y over log x. 0: flat; 1: grows in proportion. Nothing
// when there are fewer than two different x, or when an x or y is not above 0.
struct Point {
    double x = 0;
    double y = 0;
};
std::optional<double> exponent_of(const std::vector<Point>& points);

} // namespace penguin::bench
