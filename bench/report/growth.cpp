#include <cmath>

#include <fmt/format.h>

#include "bench/report/section.h"
#include "bench/report/wording.h"

namespace penguin::bench::report {

namespace {

std::string axis_name(const std::string& axis)
{
    return axis == "queued"    ? "messages in the queue"
           : axis == "domains" ? "recipient domains"
           : axis == "sources" ? "addresses to send from"
                               : spaced(axis);
}

// A file may hold one axis, an array of them, or an array under "axes".
std::vector<Field> axes_of(const FiguresFile& file)
{
    const Field results = file.results();
    if (results.value().is_array()) return results.items();
    const auto axes = results.find("axes");
    if (!axes) return {results};
    return axes->value().is_array() ? axes->items() : std::vector{*axes};
}

double cost_of(const Field& point)
{
    const Field cost = point.at("cpu_us_per_message");
    if (!cost.value().is_object()) return cost.number();
    double sum = 0;
    for (const auto& [component, value] : cost.members()) sum += value.number();
    return sum;
}

std::string verdict(const std::string& name, const std::optional<double>& exponent)
{
    constexpr double kFlat = 0.1;
    constexpr double kProportional = 0.9;
    if (!exponent) return fmt::format("{}: a single point, so nothing is said of growth.", name);
    const char* words = *exponent < -kFlat          ? "the cost falls"
                        : *exponent < kFlat         ? "the cost hardly changes"
                        : *exponent < kProportional ? "the cost grows, but more slowly"
                                                    : "the cost grows as fast, or faster";
    return fmt::format("{}: with ten times as many a message costs {} times as much (exponent {}): {}.", name,
                       figure(std::pow(10, *exponent)), figure(*exponent), words);
}

// A straight line between the outermost points, through their geometric mean.
LineSeries fit_of(const std::vector<std::pair<double, double>>& points, double exponent)
{
    double x = 0;
    double y = 0;
    double count = 0;
    LineSeries fit{.name = fmt::format("fit, exponent {}", figure(exponent)), .points = {}, .dashed = true};
    for (const auto& [value, cost] : points) {
        if (value <= 0 || cost <= 0) continue;
        x += std::log(value);
        y += std::log(cost);
        ++count;
    }
    if (count == 0) return fit;
    for (const auto& [value, cost] : points)
        if (value > 0) fit.points.emplace_back(value, std::exp(y / count + exponent * (std::log(value) - x / count)));
    return fit;
}

void add_axis(Section& section, const Field& axis)
{
    const std::string name = axis_name(axis.text("axis"));
    const auto found = axis.find("exponent");
    const auto exponent = found ? std::optional{found->signed_number()} : std::nullopt;
    LineSeries measured{.name = "measured", .points = {}, .dashed = false};
    Table table{.head = {name, "millionths of a second a message", "memory, MB"}, .rows = {}};
    for (const Field& point : axis.at("points").items()) {
        const auto memory = point.find("rss_mb");
        const double value = point.number("value");
        measured.points.emplace_back(value, cost_of(point));
        table.rows.push_back({figure(value), figure(measured.points.back().second),
                              memory && memory->value().is_number() ? figure(memory->number()) : ""});
    }
    Lines lines{.title = "Cost of a message by number of " + name,
                .x = name,
                .y = "millionths of a second",
                .series = {measured},
                .log = true,
                .y_most = {}};
    if (exponent) lines.series.push_back(fit_of(measured.points, *exponent));
    section.says.push_back(verdict(name, exponent));
    section.charts.emplace_back(std::move(lines));
    section.tables.push_back(std::move(table));
}

} // namespace

std::optional<Section> growth(const Files& files)
{
    Section section{
        .id = "growth",
        .title = "What growth costs",
        .says = {"One thing grows and all else stays: does a message become dearer? A flat line says that it does not. "
                 "Both scales grow tenfold from line to line. Processor time of all parts together."},
        .charts = {},
        .tables = {},
        .from = of_verb(files, "scale")};
    if (section.from.empty()) return std::nullopt;
    for (const FiguresFile* file : section.from)
        for (const Field& axis : axes_of(*file)) add_axis(section, axis);
    return section;
}

} // namespace penguin::bench::report
