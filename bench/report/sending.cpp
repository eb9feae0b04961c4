#include <fmt/format.h>

#include "bench/report/section.h"
#include "bench/report/wording.h"

namespace penguin::bench::report {

namespace {

constexpr double kSecondsADay = 86'400;
constexpr double kPercent = 100;

std::string spread_of(const FiguresFile& drain)
{
    const auto spread = drain.results().find("spread");
    if (!spread) return "";
    return drain.field("runs").items().size() < 2 ? "one run" : fmt::format("{:.0f} %", spread->number() * kPercent);
}

} // namespace

std::optional<Section> sending(const Files& files)
{
    Section section{
        .id = "sending",
        .title = "How fast it sends",
        .says = {"Accepted mail waits, is released all at once, and goes by SMTP to receiving servers. The first bar "
                 "counts until they have every message, the second until every delivery is also in the records.",
                 "Receivers, name server and load generator run on the same machine and take part of its cores."},
        .charts = {},
        .tables = {},
        .from = of_verb(files, "drain")};
    if (section.from.empty()) return std::nullopt;
    BarSeries arrived{.name = "arrived", .values = {}};
    BarSeries recorded{.name = "arrived and recorded", .values = {}};
    const std::vector<std::string> labels = mail_labels(section.from);
    Table table{.head = {"mail", "messages/s", "recorded/s", "a day", "spread of runs", "held back by"}, .rows = {}};
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const Field results = section.from[i]->results();
        const double rate = results.number("messages_per_second");
        const double ledger = results.number("ledger_messages_per_second");
        const auto limit = results.find("limit");
        arrived.values.emplace_back(rate);
        recorded.values.emplace_back(ledger);
        table.rows.push_back({labels[i], figure(rate), figure(ledger), volume(rate * kSecondsADay),
                              spread_of(*section.from[i]), limit ? limit_words(limit->text()) : ""});
    }
    section.charts.emplace_back(Bars{.title = "Messages a second",
                                     .unit = "messages a second",
                                     .categories = labels,
                                     .series = {std::move(arrived), std::move(recorded)}});
    section.tables.push_back(std::move(table));
    return section;
}

} // namespace penguin::bench::report
