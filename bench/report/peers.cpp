#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "bench/report/section.h"
#include "bench/report/wording.h"

namespace penguin::bench::report {

namespace {

std::string kind_of(const std::string& name)
{
    if (name == "drain_unsigned") return "unsigned";
    if (name == "signed_whole_way") return "signed, from submission on";
    return spaced(name);
}

void add_comparison(Section& section, const FiguresFile& file)
{
    const Field results = file.results();
    const std::string peer = mta_name(file.options().text("peer"));
    Bars bars{.title = "penguin-mta and " + peer,
              .unit = "messages a second",
              .categories = {},
              .series = {{.name = "penguin-mta", .values = {}}, {.name = peer, .values = {}}}};
    Table table{.head = {"mail", "penguin-mta", peer, "ratio", "from", "to"}, .rows = {}};
    for (const auto& [name, one] : results.members()) {
        if (!one.value().is_object()) continue;
        const double ratio = one.number("ratio_median");
        bars.categories.push_back(fmt::format("{}: {} times", kind_of(name), figure(ratio)));
        bars.series[0].values.emplace_back(one.number("ours"));
        bars.series[1].values.emplace_back(one.number("peer"));
        table.rows.push_back({kind_of(name), figure(one.number("ours")), figure(one.number("peer")), figure(ratio),
                              figure(one.number("ratio_min")), figure(one.number("ratio_max"))});
    }
    section.charts.emplace_back(std::move(bars));
    section.tables.push_back(std::move(table));
}

std::string extension_words(const std::string& extension)
{
    return extension == "none" ? "no extension" : extension == "chunking" ? "CHUNKING" : "PIPELINING";
}

using Curves = std::map<std::string, std::vector<std::pair<double, double>>>;

// A curve an mta and extension, and a number of connections where there are several.
Curves curves_of(const Field& results)
{
    const std::vector<Field> all = results.items();
    std::set<double> connections;
    for (const Field& point : all) connections.insert(point.number("connections"));
    Curves curves;
    for (const Field& point : all) {
        const Field extension = point.at("extension");
        if (const std::string text = extension.text(); text != "chunking" && text != "pipelining" && text != "none")
            extension.refuse("must be chunking, pipelining or none");
        std::string name = fmt::format("{}, {}", mta_name(point.text("mta")), extension_words(extension.text()));
        if (connections.size() > 1) name += fmt::format(", {} connections", grouped(point.number("connections")));
        const double delay = point.number("delay_ms");
        if (const auto messages = point.find("messages_per_round_trip")) // without a delay there is none
            curves[name].emplace_back(delay, messages->number());
    }
    for (auto& [name, points] : curves) std::ranges::sort(points);
    return curves;
}

// A row a curve, a column a delay.
Table table_of(const Curves& curves)
{
    std::set<double> delays;
    for (const auto& [name, points] : curves)
        for (const auto& point : points) delays.insert(point.first);
    Table table{.head = {"messages a round trip"}, .rows = {}};
    for (const double delay : delays) table.head.push_back(figure(delay) + " ms");
    for (const auto& [name, points] : curves) {
        const std::map<double, double> by_delay{points.begin(), points.end()};
        std::vector<std::string> row{name};
        for (const double delay : delays)
            row.push_back(by_delay.contains(delay) ? figure(by_delay.at(delay)) : std::string{});
        table.rows.push_back(std::move(row));
    }
    return table;
}

} // namespace

std::optional<Section> peers(const Files& files)
{
    Section section{
        .id = "peers",
        .title = "Beside a mail server that everybody knows",
        .says =
            {"Both send the same mail to the same receivers on the same machine. The ratio is the middle one of all "
             "runs; from and to, the smallest and the largest, say how sure it is."},
        .charts = {},
        .tables = {},
        .from = of_verb(files, "compare")};
    if (section.from.empty()) return std::nullopt;
    for (const FiguresFile* file : section.from) add_comparison(section, *file);
    return section;
}

std::optional<Section> round_trips(const Files& files)
{
    Section section{.id = "round-trips",
                    .title = "Receivers that are far away",
                    .says = {"Receivers answer late, as if they were far away. What counts then is how many messages "
                             "go out in the time of one "
                             "question and its answer, a round trip: at 1, a connection with round trips of 100 "
                             "milliseconds carries 10 messages a "
                             "second. More is better; a flat line says that distance alone does not make it worse."},
                    .charts = {},
                    .tables = {},
                    .from = of_verb(files, "rtt")};
    if (section.from.empty()) return std::nullopt;
    for (const FiguresFile* file : section.from) {
        Lines lines{.title = "Messages a round trip",
                    .x = "milliseconds of a round trip",
                    .y = "messages a round trip",
                    .series = {},
                    .log = false,
                    .y_most = {}};
        Curves curves = curves_of(file->results());
        section.tables.push_back(table_of(curves));
        for (auto& [name, points] : curves)
            lines.series.push_back({.name = name, .points = std::move(points), .dashed = false});
        section.charts.emplace_back(std::move(lines));
    }
    return section;
}

} // namespace penguin::bench::report
