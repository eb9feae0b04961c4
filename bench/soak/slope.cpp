#include "bench/soak/slope.h"

#include <cmath>
#include <map>

#include <boost/math/distributions/students_t.hpp>

namespace penguin::bench {

namespace {

constexpr double kHour = 3'600; // seconds

std::vector<Point> block_means(const std::vector<Point>& samples)
{
    struct Sum {
        Point of;
        double count = 0;
    };
    std::map<std::int64_t, Sum> blocks;
    for (const auto [x, y] : samples) {
        Sum& block = blocks[static_cast<std::int64_t>(x) / kBlock.count()];
        block.of.x += x;
        block.of.y += y;
        block.count += 1;
    }
    std::vector<Point> means;
    means.reserve(blocks.size());
    for (const auto& [number, block] : blocks) means.push_back({block.of.x / block.count, block.of.y / block.count});
    return means;
}

Point mean_of(const std::vector<Point>& points)
{
    Point sum;
    for (const auto [x, y] : points) {
        sum.x += x;
        sum.y += y;
    }
    const auto count = static_cast<double>(points.size());
    return {sum.x / count, sum.y / count};
}

} // namespace

std::optional<Slope> slope_of(const std::vector<Point>& samples)
{
    const std::vector<Point> blocks = block_means(samples);
    if (blocks.size() < kBlocksMin) return std::nullopt;
    const Point mean = mean_of(blocks);
    double along = 0; // sums of squares and products about the mean
    double together = 0;
    for (const auto [x, y] : blocks) {
        along += (x - mean.x) * (x - mean.x);
        together += (x - mean.x) * (y - mean.y);
    }
    const double slope = together / along;
    double unexplained = 0;
    for (const auto [x, y] : blocks) {
        const double off = y - mean.y - slope * (x - mean.x);
        unexplained += off * off;
    }
    const double freedom = static_cast<double>(blocks.size()) - 2;
    const double error = std::sqrt(unexplained / freedom / along);
    const double width = boost::math::quantile(boost::math::students_t{freedom}, 0.975) * error;
    return Slope{
        .mean = mean.y, .per_hour = slope * kHour, .low = (slope - width) * kHour, .high = (slope + width) * kHour};
}

} // namespace penguin::bench
