#include "bench/fairness/arrivals.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <string>

#include "bench/flow/flow.h"

namespace penguin::bench {

void Arrivals::read()
{
    std::ifstream file{log_, std::ios::binary};
    file.seekg(static_cast<std::streamoff>(at_));
    const std::string fresh{std::istreambuf_iterator<char>{file}, {}};
    const std::size_t lines = fresh.rfind('\n') + 1; // none: 0
    all_.merge(arrivals_in(std::string_view{fresh}.substr(0, lines)));
    at_ += lines;
}

std::size_t Arrivals::count_of(const Recipients& wanted) const { return times_of(wanted).size(); }

std::vector<std::int64_t> Arrivals::times_of(const Recipients& wanted) const
{
    std::vector<std::int64_t> times;
    const auto end = all_.lower_bound(wanted.first + wanted.count);
    for (auto one = all_.lower_bound(wanted.first); one != end; ++one) times.push_back(one->second);
    std::ranges::sort(times);
    return times;
}

std::vector<double> waits_of(const std::vector<std::int64_t>& times, std::int64_t begin)
{
    std::vector<double> waits;
    waits.reserve(times.size());
    for (const std::int64_t time : times) waits.push_back(std::max(0.0, static_cast<double>(time - begin)));
    return waits;
}

double share_error(std::size_t of_one, std::size_t of_other, double weight)
{
    const double all = static_cast<double>(of_one + of_other);
    if (all == 0) return 1;
    const double one = static_cast<double>(of_one) / all * (1 + weight);
    const double other = static_cast<double>(of_other) / all * (1 + weight) / weight;
    return std::max(std::abs(one - 1), std::abs(other - 1));
}

double worst_ratio(const std::vector<double>& waits_ms, double round_ms)
{
    double worst = 0;
    for (std::size_t k = 1; k <= waits_ms.size(); ++k)
        worst = std::max(worst, waits_ms[k - 1] / (static_cast<double>(k) * round_ms));
    return worst;
}

} // namespace penguin::bench
