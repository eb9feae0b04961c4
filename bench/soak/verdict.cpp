#include "bench/soak/verdict.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "bench/harness/report.h"
#include "bench/soak/slope.h"

namespace penguin::bench {

namespace {

constexpr double kHour = 3'600;
constexpr double kMega = 1e6;

struct Watched {
    const char* name;
    double SoakSample::* value;
};
constexpr std::array kWatched{
    Watched{"daemon_mb", &SoakSample::daemon_mb}, Watched{"descriptors", &SoakSample::descriptors},
    Watched{"redis_mb", &SoakSample::redis_mb}, Watched{"dataset_mb", &SoakSample::dataset_mb},
    Watched{"postgres_mb", &SoakSample::postgres_mb}};

std::vector<Point> points_of(const std::vector<SoakSample>& samples, double SoakSample::* value)
{
    std::vector<Point> points;
    points.reserve(samples.size());
    for (const SoakSample& sample : samples) points.push_back({sample.seconds, sample.*value});
    return points;
}

json::value to_json(const std::optional<Slope>& slope)
{
    if (!slope) return nullptr;
    return json::object{{"mean", rounded(slope->mean)},
                        {"per_hour", rounded(slope->per_hour)},
                        {"low", rounded(slope->low)},
                        {"high", rounded(slope->high)}};
}

double octets_per_message(const SoakSample& from, const SoakSample& to)
{
    const double messages = to.delivered - from.delivered;
    return messages > 0 ? (to.postgres_mb - from.postgres_mb) * kMega / messages : 0;
}

void judge_memory(const Slope& slope, std::vector<std::string>& alarms)
{
    if (slope.high < kMemoryMost * slope.mean) return;
    alarms.push_back(
        fmt::format("the daemon's memory may grow by {:.1f} % an hour (95 % bound; {:.1f} MB at {:.0f} MB)",
                    100 * slope.high / slope.mean, slope.high, slope.mean));
}

void judge_rise(const char* what, const Slope& slope, double hours, double most, std::vector<std::string>& alarms)
{
    if (slope.low * hours <= most) return;
    alarms.push_back(fmt::format("{} grow by at least {:.1f} an hour", what, slope.low));
}

void judge_storage(const std::vector<SoakSample>& steady, std::vector<std::string>& alarms)
{
    const SoakSample& middle = steady[steady.size() / 2];
    const double first = octets_per_message(steady.front(), middle);
    const double second = octets_per_message(middle, steady.back());
    if (first <= 0 || second <= kStorageMost * first) return;
    alarms.push_back(fmt::format("PostgreSQL took {:.0f} octets a message, then {:.0f}", first, second));
}

} // namespace

SoakVerdict judge(const std::vector<SoakSample>& samples, const SoakEnd& end)
{
    SoakVerdict verdict;
    if (end.dataset_after_mb > end.dataset_before_mb + kDatasetMost)
        verdict.alarms.push_back(fmt::format("Redis holds {:.1f} MB of data when all is drained, {:.1f} before",
                                             end.dataset_after_mb, end.dataset_before_mb));
    const double whole = samples.empty() ? 0 : samples.back().seconds;
    std::vector<SoakSample> steady = samples;
    std::erase_if(steady, [&](const SoakSample& sample) { return sample.seconds < kWarmUp * whole; });
    for (const Watched& watched : kWatched)
        verdict.slopes[watched.name] = to_json(slope_of(points_of(steady, watched.value)));
    if (steady.empty()) return verdict;
    verdict.postgres_octets_per_message = octets_per_message(steady.front(), steady.back());
    const auto memory = slope_of(points_of(steady, &SoakSample::daemon_mb));
    if (!memory) return verdict; // too short to be judged
    const double hours = (steady.back().seconds - steady.front().seconds) / kHour;
    judge_memory(*memory, verdict.alarms);
    judge_rise("the daemon's descriptors", *slope_of(points_of(steady, &SoakSample::descriptors)), hours,
               kDescriptorsMost, verdict.alarms);
    judge_rise("MB of data in Redis", *slope_of(points_of(steady, &SoakSample::dataset_mb)), hours, kDatasetMost,
               verdict.alarms);
    judge_storage(steady, verdict.alarms);
    return verdict;
}

json::object to_json(const SoakSample& sample)
{
    json::object object{{"seconds", rounded(sample.seconds)}, {"delivered", sample.delivered}};
    for (const Watched& watched : kWatched) object[watched.name] = rounded(sample.*watched.value);
    return object;
}

} // namespace penguin::bench
