#include "bench/harness/statistics.h"

#include <algorithm>
#include <cmath>

namespace penguin::bench {

double percentile(std::vector<double> values, double share)
{
    if (values.empty()) return 0;
    const double rank = std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(values.size()));
    const std::size_t place = rank < 1 ? 0 : static_cast<std::size_t>(rank) - 1;
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(place);
    std::ranges::nth_element(values, at);
    return *at;
}

double median(std::vector<double> values)
{
    if (values.empty()) return 0;
    std::ranges::sort(values);
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double spread(const std::vector<double>& values)
{
    const double middle = median(values);
    if (values.empty() || middle == 0) return 0;
    const auto [smallest, largest] = std::ranges::minmax_element(values);
    return (*largest - *smallest) / middle;
}

std::optional<double> exponent_of(const std::vector<Point>& points)
{
    std::vector<Point> logs;
    Point mean;
    for (const auto [x, y] : points) {
        if (!(x > 0) || !(y > 0)) return std::nullopt;
        logs.push_back({std::log(x), std::log(y)});
        mean.x += logs.back().x / static_cast<double>(points.size());
        mean.y += logs.back().y / static_cast<double>(points.size());
    }
    double together = 0;
    double alone = 0;
    for (const auto [x, y] : logs) {
        together += (x - mean.x) * (y - mean.y);
        alone += (x - mean.x) * (x - mean.x);
    }
    if (alone <= 0) return std::nullopt;
    return together / alone;
}

} // namespace penguin::bench
