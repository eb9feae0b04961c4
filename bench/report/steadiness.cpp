#include <array>
#include <span>

#include <fmt/format.h>

#include "bench/report/section.h"
#include "bench/report/wording.h"

namespace penguin::bench::report {

namespace {

constexpr double kMinute = 60;

struct Line {
    const char* field;
    const char* words;
};

Lines over_time(const std::string& title, const std::string& unit, const FiguresFile& file, std::span<const Line> lines)
{
    Lines picture{.title = title, .x = "minutes", .y = unit, .series = {}, .log = false, .y_most = {}};
    for (const Line& line : lines) {
        LineSeries series{.name = line.words, .points = {}, .dashed = false};
        for (const Field& sample : file.results().at("samples").items())
            series.points.emplace_back(sample.number("seconds") / kMinute, sample.number(line.field));
        picture.series.push_back(std::move(series));
    }
    return picture;
}

std::string verdict_of(const FiguresFile& file)
{
    const Field results = file.results();
    std::string text = fmt::format("{} messages at {} a second, with tenants, settings and campaigns coming and going.",
                                   grouped(results.number("messages")), figure(results.number("messages_per_second")));
    const auto alarms = results.at("alarms").items();
    if (alarms.empty()) return text + " Nothing grew that should not.";
    for (const Field& alarm : alarms) text += fmt::format(" Alarm: {}.", alarm.text());
    return text;
}

Table slopes_of(const FiguresFile& file)
{
    Table table{.head = {"what", "mean", "an hour", "surely between", "and"}, .rows = {}};
    for (const auto& [name, slope] : file.results().at("slopes").members()) {
        if (slope.value().is_null()) continue; // too short a run
        std::vector<std::string> row{spaced(name)};
        for (const char* field : {"mean", "per_hour", "low", "high"})
            row.push_back(figure(slope.at(field).signed_number()));
        table.rows.push_back(std::move(row));
    }
    return table;
}

} // namespace

std::optional<Section> steadiness(const Files& files)
{
    constexpr std::array kMemory{Line{"daemon_mb", "daemon"}, Line{"redis_mb", "Redis"}};
    constexpr std::array kDescriptors{Line{"descriptors", "daemon"}};
    constexpr std::array kStored{Line{"postgres_mb", "PostgreSQL"}};
    Section section{.id = "steadiness",
                    .title = "Whether anything grows in the long run",
                    .says = {"The same load for a long time. Memory and open files must stay where they are; only the "
                             "history of what was sent may grow, in PostgreSQL, by as much for each message."},
                    .charts = {},
                    .tables = {},
                    .from = of_verb(files, "soak")};
    if (section.from.empty()) return std::nullopt;
    for (const FiguresFile* file : section.from) {
        section.says.push_back(verdict_of(*file));
        section.charts.emplace_back(over_time("Memory in use", "MB", *file, kMemory));
        section.charts.emplace_back(over_time("Open files and connections", "descriptors", *file, kDescriptors));
        section.charts.emplace_back(over_time("History stored", "MB", *file, kStored));
        if (Table table = slopes_of(*file); !table.rows.empty()) section.tables.push_back(std::move(table));
    }
    return section;
}

} // namespace penguin::bench::report
