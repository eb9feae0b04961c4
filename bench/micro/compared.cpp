#include "bench/micro/compared.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "bench/harness/report.h"
#include "bench/harness/statistics.h"

namespace penguin::bench::micro {

namespace {

// Of a number that every run has at runs[i][section][name] or runs[i][section][name][field].
double middle(const json::array& runs, std::string_view section, std::string_view name, std::string_view field)
{
    std::vector<double> numbers;
    for (const json::value& run : runs) {
        const json::value& value = run.at(section).at(name);
        numbers.push_back((field.empty() ? value : value.at(field)).to_number<double>());
    }
    return median(std::move(numbers));
}

json::object middle_benchmark(const json::array& runs, std::string_view name, const json::object& first)
{
    json::object one;
    for (const auto& [field, value] : first) {
        if (value.is_string())
            one[field] = value;
        else
            one[field] = rounded(middle(runs, "benchmarks", name, field));
    }
    return one;
}

void add_dkim(json::object& results)
{
    constexpr double kNanosAMicro = 1'000;
    const json::object& benchmarks = results.at("benchmarks").as_object();
    json::object micros;
    for (const char* name : {"rsa2048", "ed25519", "both"})
        if (const json::value* found = benchmarks.if_contains(fmt::format("dkim/{}/10240", name)))
            micros[name] = rounded(found->at("ns").to_number<double>() / kNanosAMicro);
    if (!micros.empty()) results["dkim_us"] = std::move(micros);
}

std::string time_text(double nanos)
{
    constexpr double kNanosAMicro = 1'000;
    return nanos < kNanosAMicro ? fmt::format("{:.1f} ns", nanos) : fmt::format("{:.2f} us", nanos / kNanosAMicro);
}

std::string cell(const json::object& one, std::string_view field, const auto& text)
{
    const json::value* value = one.if_contains(field);
    return value ? text(*value) : std::string{};
}

} // namespace

std::vector<std::string> limit_names(const std::string& limits)
{
    std::vector<std::string> names;
    for (std::size_t at = 0; at < limits.size();) {
        const std::size_t end = std::min(limits.find('+', at), limits.size());
        names.push_back(limits.substr(at, end - at));
        at = end + 1;
    }
    return names;
}

std::set<std::string> limits_of(const std::vector<Measured>& all)
{
    std::set<std::string> names;
    for (const Measured& one : all)
        for (std::string& name : limit_names(one.limits)) names.insert(std::move(name));
    return names;
}

json::object compared(const std::vector<Measured>& all, const std::map<std::string, double>& limit_ns)
{
    json::object benchmarks;
    for (const Measured& one : all) {
        json::object object{{"ns", rounded(one.cpu_ns)}};
        if (one.octets_a_second > 0) object["octets_per_second"] = rounded(one.octets_a_second);
        double limit = 0;
        const std::vector<std::string> names = limit_names(one.limits);
        const bool measured = !names.empty() && std::ranges::all_of(names, [&](const std::string& name) {
            const auto found = limit_ns.find(name);
            if (found == limit_ns.end()) return false;
            limit += found->second;
            return true;
        });
        if (measured && limit > 0) {
            object["limit"] = one.limits;
            object["limit_ns"] = rounded(limit);
            object["ratio"] = rounded(one.cpu_ns / limit);
        }
        benchmarks[one.name] = std::move(object);
    }
    return benchmarks;
}

json::object results_of_runs(const json::array& runs)
{
    json::object benchmarks;
    for (const auto& [name, value] : runs.front().at("benchmarks").as_object())
        benchmarks[name] = middle_benchmark(runs, name, value.as_object());
    json::object limits;
    for (const auto& [name, value] : runs.front().at("limits_ns").as_object())
        limits[name] = rounded(middle(runs, "limits_ns", name, ""));
    json::object results{{"benchmarks", std::move(benchmarks)}, {"limits_ns", std::move(limits)}};
    add_dkim(results);
    return results;
}

std::string table_of(const json::object& results)
{
    Column names{.title = "benchmark", .cells = {}};
    Column times{.title = "CPU", .cells = {}};
    Column rates{.title = "MB/s", .cells = {}};
    Column limits{.title = "limit", .cells = {}};
    Column limit_times{.title = "its CPU", .cells = {}};
    Column ratios{.title = "ratio", .cells = {}};
    const auto time = [](const json::value& value) { return time_text(value.to_number<double>()); };
    for (const auto& [name, value] : results.at("benchmarks").as_object()) {
        const json::object& one = value.as_object();
        names.cells.emplace_back(name);
        times.cells.push_back(cell(one, "ns", time));
        rates.cells.push_back(cell(one, "octets_per_second", [](const json::value& rate) {
            return fmt::format("{:.0f}", rate.to_number<double>() / 1e6);
        }));
        limits.cells.push_back(
            cell(one, "limit", [](const json::value& text) { return std::string{text.as_string()}; }));
        limit_times.cells.push_back(cell(one, "limit_ns", time));
        ratios.cells.push_back(cell(
            one, "ratio", [](const json::value& ratio) { return fmt::format("{:.2f}", ratio.to_number<double>()); }));
    }
    return table({names, times, rates, limits, limit_times, ratios});
}

} // namespace penguin::bench::micro
