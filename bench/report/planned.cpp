#include <algorithm>

#include <fmt/format.h>

#include "bench/report/section.h"
#include "bench/report/wording.h"

namespace penguin::bench::report {

namespace {

Table needs_of(const std::string& what, const Field& result)
{
    Table table{.head = {what, "asked for by", "because"}, .rows = {}};
    const std::string binds = result.text("limit");
    for (const Field& need : result.at("by_limit").items())
        table.rows.push_back({figure(need.number("value")),
                              need_words(need.text("limit")) + (need.text("limit") == binds ? " (decides)" : ""),
                              need.text("because")});
    return table;
}

Table stores_of(const Field& results)
{
    const Field redis = results.at("redis");
    const Field postgres = results.at("postgres");
    const Field network = results.at("network");
    return {.head = {"what else it takes", "amount", "why"},
            .rows = {{"memory of Redis (the queue)", figure(redis.number("memory_mb")) + " MB", redis.text("because")},
                     {"storage of PostgreSQL (the records)",
                      figure(postgres.number("storage_gb_a_month")) + " GB a month", postgres.text("because")},
                     {"network, busiest hour", figure(network.number("peak_mbit")) + " Mbit/s",
                      figure(network.number("gb_a_month")) + " GB a month"}}};
}

Lines forecast_of(const FiguresFile& plan)
{
    constexpr double kRoomAbove = 1.4;
    Lines lines{.title = fmt::format("Warm-up to {} messages a month: messages a day",
                                     volume(plan.options().number("messages_a_month"))),
                .x = "day of sending",
                .y = "messages a day",
                .series = {{.name = "sent", .points = {}, .dashed = false},
                           {.name = "addresses allow", .points = {}, .dashed = true},
                           {.name = "mailboxes allow", .points = {}, .dashed = true}},
                .log = false,
                .y_most = {}};
    double most = 0;
    for (const Field& day : plan.results().at("forecast").items()) {
        const double number = day.number("day");
        const double sent = day.number("sent");
        most = std::max(most, sent);
        lines.series[0].points.emplace_back(number, sent);
        lines.series[1].points.emplace_back(number, day.number("addresses_carry"));
        if (const auto mailboxes = day.find("mailboxes_carry"))
            lines.series[2].points.emplace_back(number, mailboxes->number());
    }
    std::erase_if(lines.series, [](const LineSeries& series) { return series.points.empty(); });
    if (most > 0) lines.y_most = most * kRoomAbove;
    return lines;
}

} // namespace

std::optional<Section> planned(const Files& files)
{
    Section section{
        .id = "plan",
        .title = "What the volume needs",
        .says = {"Computed, not measured: from the cost of a message, the limits that mailbox providers set, and a "
                 "plan for warming up new addresses, whose daily limits grow while receivers learn to trust them. "
                 "Each number is the largest that any limit asks for."},
        .charts = {},
        .tables = {},
        .from = of_verb(files, "plan")};
    if (section.from.empty()) return std::nullopt;
    for (const FiguresFile* plan : section.from) {
        section.charts.emplace_back(forecast_of(*plan));
        section.tables.push_back(needs_of("machines", plan->results().at("nodes")));
        section.tables.push_back(needs_of("addresses", plan->results().at("addresses")));
        section.tables.push_back(stores_of(plan->results()));
    }
    return section;
}

} // namespace penguin::bench::report
