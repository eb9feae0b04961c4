#include <fmt/format.h>

#include "bench/report/section.h"
#include "bench/report/wording.h"

namespace penguin::bench::report {

namespace {

constexpr double kMinute = 60;

struct Sender {
    const char* field;
    const char* words;
};
constexpr Sender kSenders[] = {{"engine", "penguin-mta"}, {"naive", "a fixed rate"}};

// What was taken in each minute or so: from sample to sample the rate would jump with the receiver's own windows.
LineSeries rates_of(const Field& side, const char* words)
{
    LineSeries series{.name = words, .points = {}, .dashed = false};
    double from_s = 0;
    double from_taken = 0;
    for (const Field& sample : side.at("course").items()) {
        const double passed_s = sample.number("seconds") - from_s;
        if (passed_s < kMinute) continue;
        series.points.emplace_back(sample.number("seconds") / kMinute,
                                   (sample.number("taken") - from_taken) / passed_s * kMinute);
        from_s = sample.number("seconds");
        from_taken = sample.number("taken");
    }
    return series;
}

Lines course_of(const Field& results)
{
    Lines picture{
        .title = "Messages taken", .x = "minutes", .y = "messages a minute", .series = {}, .log = false, .y_most = {}};
    for (const Sender& sender : kSenders) picture.series.push_back(rates_of(results.at(sender.field), sender.words));
    LineSeries sustained{.name = "what the provider sustains", .points = {}, .dashed = true};
    const double a_minute = results.number("sustainable_per_second") * kMinute;
    for (const auto& [minutes, rate] : picture.series.front().points) sustained.points.emplace_back(minutes, a_minute);
    picture.series.push_back(std::move(sustained));
    return picture;
}

Table table_of(const Field& results)
{
    Table table{.head = {"sender", "of what is sustained, %", "put off, %", "found after, seconds"}, .rows = {}};
    for (const Sender& sender : kSenders) {
        const Field side = results.at(sender.field);
        const std::optional<Field> found = side.find("found_after_s");
        table.rows.push_back({sender.words, figure(side.number("share") * 100), figure(side.number("deferred") * 100),
                              found ? figure(found->number()) : "never"});
    }
    return table;
}

} // namespace

std::optional<Section> sustained(const Files& files)
{
    Section section{.id = "sustain",
                    .title = "How near it comes to what a provider takes",
                    .says = {"A provider takes so many messages a minute, and fewer for a time from who does not heed "
                             "that. Nobody tells a sender how many: it must find out from what it is answered."},
                    .charts = {},
                    .tables = {},
                    .from = of_verb(files, "sustain")};
    if (section.from.empty()) return std::nullopt;
    for (const FiguresFile* file : section.from) {
        section.charts.emplace_back(course_of(file->results()));
        section.tables.push_back(table_of(file->results()));
    }
    return section;
}

} // namespace penguin::bench::report
