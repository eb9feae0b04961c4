#include "bench/compare/compare.h"

#include <algorithm>

#include "bench/compare/peer_world.h"
#include "bench/harness/report.h"
#include "bench/harness/statistics.h"

namespace penguin::bench {

namespace {

constexpr const char* kUnsigned = "drain_unsigned";
constexpr const char* kSigned = "signed_whole_way";

struct Side {
    double rate = 0; // messages/s
    json::value cpu_us_per_message;
    json::value limit;
};

Side ours(Patience& patience, const CompareOptions& options, bool is_signed)
{
    DrainOptions drain = options.drain;
    drain.messages = is_signed ? options.signed_messages : options.unsigned_messages;
    drain.dkim = is_signed ? "rsa2048" : "none";
    const json::object run = drain_once(patience, drain);
    const char* rate = is_signed ? "whole_way_messages_per_second" : "messages_per_second";
    return {run.at(rate).to_number<double>(), run.at("cpu_us_per_message"), run.at("limit")};
}

Side of_peer(Patience& patience, const CompareOptions& options, bool is_signed)
{
    PeerWorld world{patience, options, is_signed};
    const PeerWorld::Span span = is_signed ? world.whole_way() : world.drain();
    const Usage usage = between(span.from, span.to);
    std::map<std::string, double> micros;
    for (const auto& [component, seconds] : usage.cpu_seconds)
        micros[component] = seconds * 1e6 / static_cast<double>(span.messages);
    return {static_cast<double>(span.messages) / usage.seconds, rounded(micros), json::string{limit_of(usage)}};
}

json::object pair(Patience& patience, const CompareOptions& options, bool is_signed, bool ours_first)
{
    Side we;
    Side they;
    if (ours_first) we = ours(patience, options, is_signed);
    they = of_peer(patience, options, is_signed);
    if (!ours_first) we = ours(patience, options, is_signed);
    return {{"ours", rounded(we.rate)},
            {"peer", rounded(they.rate)},
            {"ratio", rounded(we.rate / they.rate)},
            {"ours_cpu_us_per_message", we.cpu_us_per_message},
            {"peer_cpu_us_per_message", they.cpu_us_per_message},
            {"ours_limit", we.limit},
            {"peer_limit", they.limit}};
}

json::object summary(const json::array& runs, const std::string& part)
{
    std::vector<double> ratios;
    for (const json::value& run : runs) ratios.push_back(run.at(part).at("ratio").to_number<double>());
    const auto [least, most] = std::ranges::minmax(ratios);
    return {{"ours", median_of(runs, part + ".ours")},
            {"peer", median_of(runs, part + ".peer")},
            {"ratio_min", least},
            {"ratio_median", rounded(median(ratios))},
            {"ratio_max", most}};
}

} // namespace

json::object to_json(const CompareOptions& options)
{
    json::object all = to_json(options.drain);
    for (const char* name : {"messages", "dkim"}) all.erase(name);
    all["peer"] = options.peer;
    all["unsigned_messages"] = options.unsigned_messages;
    all["signed_messages"] = options.signed_messages;
    all["feeders"] = options.feeders;
    return all;
}

json::object compare_once(Patience& patience, const CompareOptions& options, std::size_t number)
{
    const bool ours_first = number % 2 == 0;
    return {{kUnsigned, pair(patience, options, false, ours_first)},
            {kSigned, pair(patience, options, true, ours_first)}};
}

json::object compare_results(const json::array& runs)
{
    return {{kUnsigned, summary(runs, kUnsigned)}, {kSigned, summary(runs, kSigned)}};
}

} // namespace penguin::bench
