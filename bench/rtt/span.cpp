#include "bench/rtt/span.h"

#include <algorithm>
#include <map>
#include <set>
#include <span>

#include <boost/json/parse.hpp>

namespace penguin::bench {

namespace {

constexpr std::size_t kTenth = 10;
constexpr double kMilli = 1e3;

std::uint64_t busiest_of(std::span<const Arrival> arrivals)
{
    std::map<std::uint64_t, std::size_t> messages;
    for (const Arrival& arrival : arrivals) ++messages[arrival.connection];
    return std::ranges::max_element(messages, {}, [](const auto& one) { return one.second; })->first;
}

} // namespace

std::vector<Arrival> arrivals_of(std::string_view sink_log)
{
    std::vector<Arrival> arrivals;
    while (!sink_log.empty()) {
        const std::size_t end = std::min(sink_log.find('\n'), sink_log.size());
        boost::system::error_code code;
        const boost::json::value line = boost::json::parse(sink_log.substr(0, end), code);
        sink_log.remove_prefix(std::min(end + 1, sink_log.size()));
        if (code) continue;
        arrivals.push_back({.at_ms = line.at("time_ms").to_number<std::int64_t>(),
                            .connection = line.at("connection").to_number<std::uint64_t>()});
    }
    return arrivals;
}

Span steady_span(std::vector<Arrival> arrivals)
{
    if (arrivals.empty()) return {};
    std::ranges::sort(arrivals);
    const std::size_t tenth = arrivals.size() / kTenth;
    const std::span<const Arrival> even = std::span{arrivals}.subspan(tenth, arrivals.size() - 2 * tenth);
    const auto of_it = [busiest = busiest_of(even)](const Arrival& arrival) { return arrival.connection == busiest; };
    const auto first = std::ranges::find_if(even, of_it);
    const auto last = std::find_if(even.rbegin(), even.rend(), of_it).base() - 1;
    return {.messages = static_cast<std::size_t>(last - first),
            .seconds = static_cast<double>(last->at_ms - first->at_ms) / kMilli};
}

std::size_t connections_in(const std::vector<Arrival>& arrivals)
{
    std::set<std::uint64_t> seen;
    for (const Arrival& arrival : arrivals) seen.insert(arrival.connection);
    return seen.size();
}

} // namespace penguin::bench
