#include "bench/harness/report.h"

#include <algorithm>
#include <cmath>
#include <fstream>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "bench/harness/patience.h"
#include "bench/harness/statistics.h"

namespace penguin::bench {

namespace {

std::vector<double> numbers_at(const json::array& runs, std::string_view path)
{
    std::vector<double> numbers;
    const std::size_t dot = path.find('.');
    for (const json::value& run : runs) {
        const json::object* object = &run.as_object();
        if (dot != std::string_view::npos) object = &object->at(path.substr(0, dot)).as_object();
        const json::value& value = object->at(path.substr(dot == std::string_view::npos ? 0 : dot + 1));
        numbers.push_back(value.to_number<double>());
    }
    return numbers;
}

} // namespace

json::object to_json(const Report& report)
{
    return {{"verb", report.verb},       {"machine", report.machine}, {"git", report.git},
            {"options", report.options}, {"runs", report.runs},       {"results", report.results}};
}

void write_json(const Report& report, const std::filesystem::path& file)
{
    if (file.empty()) return;
    const std::filesystem::path written = file.string() + ".new";
    std::ofstream out{written};
    out << json::serialize(to_json(report)) << "\n";
    out.close();
    if (!out) throw BenchError{"cannot write " + file.string()};
    std::filesystem::rename(written, file);
}

double rounded(double value) { return std::round(value * 1000) / 1000; }

json::object rounded(const std::map<std::string, double>& values)
{
    json::object object;
    for (const auto& [name, value] : values) object[name] = rounded(value);
    return object;
}

json::object to_json(const Usage& usage)
{
    return {{"seconds", rounded(usage.seconds)},
            {"cpu_seconds", rounded(usage.cpu_seconds)},
            {"machine_busy", rounded(usage.machine_busy)},
            {"stolen", rounded(usage.stolen)},
            {"others_cpu_seconds", rounded(usage.others_seconds)},
            {"busiest_thread",
             {{"component", usage.busiest_component},
              {"name", usage.busiest_thread},
              {"share", rounded(usage.busiest_share)}}},
            {"limit", limit_of(usage)}};
}

json::object percentiles_of(const std::vector<double>& values)
{
    return {{"p50", rounded(percentile(values, 0.5))},
            {"p95", rounded(percentile(values, 0.95))},
            {"p99", rounded(percentile(values, 0.99))},
            {"max", rounded(percentile(values, 1))}};
}

double median_of(const json::array& runs, std::string_view path) { return rounded(median(numbers_at(runs, path))); }

double spread_of(const json::array& runs, std::string_view path) { return rounded(spread(numbers_at(runs, path))); }

json::object medians_of(const json::array& runs, std::string_view object)
{
    json::object middle;
    for (const auto& [name, value] : runs.front().as_object().at(object).as_object())
        middle[name] = median_of(runs, std::string{object} + "." + std::string{name});
    return middle;
}

std::string usual_of(const json::array& runs, std::string_view name)
{
    std::map<std::string, std::size_t> votes;
    for (const json::value& run : runs) ++votes[std::string{run.as_object().at(name).as_string()}];
    return std::ranges::max_element(votes, {}, [](const auto& vote) { return vote.second; })->first;
}

std::string table(const std::vector<Column>& columns)
{
    std::vector<std::size_t> widths;
    std::size_t rows = 0;
    for (const Column& column : columns) {
        std::size_t width = column.title.size();
        for (const std::string& cell : column.cells) width = std::max(width, cell.size());
        widths.push_back(width);
        rows = std::max(rows, column.cells.size());
    }
    std::string text;
    const auto line = [&](auto cell_of) {
        std::string row;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            const std::string cell = cell_of(columns[i]);
            row += i == 0 ? fmt::format("{:<{}}", cell, widths[i]) : fmt::format("  {:>{}}", cell, widths[i]);
        }
        text += row.substr(0, row.find_last_not_of(' ') + 1) + "\n";
    };
    line([](const Column& column) { return column.title; });
    for (std::size_t row = 0; row < rows; ++row)
        line([row](const Column& column) { return row < column.cells.size() ? column.cells[row] : std::string{}; });
    return text;
}

} // namespace penguin::bench
