#include <array>

#include <fmt/format.h>

#include "bench/report/section.h"
#include "bench/report/wording.h"

namespace penguin::bench::report {

namespace {

struct Share {
    const char* field;
    const char* words;
};
constexpr std::array kShares{Share{"p50", "half within"}, Share{"p95", "95 of 100 within"},
                             Share{"p99", "99 of 100 within"}, Share{"max", "all within"}};

// The distribution `field` of each flow, side by side.
Bars distribution(const std::string& title, const char* field, const std::vector<const FiguresFile*>& flows)
{
    Bars bars{.title = title, .unit = "milliseconds", .categories = {}, .series = {}};
    for (const Share& share : kShares) bars.categories.emplace_back(share.words);
    const std::vector<std::string> labels = mail_labels(flows);
    for (std::size_t i = 0; i < flows.size(); ++i) {
        const Field times = flows[i]->results().at(field);
        BarSeries series{.name = labels[i], .values = {}};
        for (const Share& share : kShares) series.values.emplace_back(times.number(share.field));
        bars.series.push_back(std::move(series));
    }
    return bars;
}

std::string case_label(const Field& one)
{
    const std::string clients = fmt::format("{} clients", grouped(one.number("clients")));
    if (one.text("call") == "inject") return "simple call of one message, " + clients;
    return fmt::format("{} a call, {}", grouped(one.number("batch")), clients);
}

} // namespace

std::optional<Section> delay(const Files& files)
{
    Section section{.id = "delay",
                    .title = "How long mail takes",
                    .says = {},
                    .charts = {},
                    .tables = {},
                    .from = of_verb(files, "flow")};
    if (section.from.empty()) return std::nullopt;
    const std::vector<std::string> labels = mail_labels(section.from);
    Table table{.head = {"mail", "wanted/s", "sent/s", "held back by"}, .rows = {}};
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const Field results = section.from[i]->results();
        const auto limit = results.find("limit");
        table.rows.push_back({labels[i], figure(results.number("rate")), figure(results.number("messages_per_second")),
                              limit ? limit_words(limit->text()) : ""});
    }
    section.says = {
        "Mail comes at a constant rate. The clock of a message starts when it is due to be submitted and stops when "
        "the receiving server confirms it. Beside it: how long the API takes to answer meanwhile."};
    section.charts = {distribution("From submission to the receiver's confirmation", "accept_to_250_ms", section.from),
                      distribution("Answers of the API", "api_ms", section.from)};
    section.tables.push_back(std::move(table));
    return section;
}

std::optional<Section> accepting(const Files& files)
{
    Section section{
        .id = "accepting",
        .title = "How fast mail is accepted",
        .says = {"Customers hand mail in over HTTP; it counts once it is safely stored, so that no crash can lose it. "
                 "Many recipients in one call are far cheaper than a call for each. The first scale grows tenfold "
                 "from line to line."},
        .charts = {},
        .tables = {},
        .from = of_verb(files, "submit")};
    if (section.from.empty()) return std::nullopt;
    Bars rates{.title = "Messages accepted a second", .unit = "messages a second", .series = {{}}, .log = true};
    Bars times{.title = "How long a call takes", .unit = "milliseconds", .series = {}};
    for (const Share& share : kShares)
        if (std::string_view{share.field} != "max") times.series.push_back({.name = share.words, .values = {}});
    for (const FiguresFile* file : section.from)
        for (const Field& one : file->results().at("cases").items()) {
            std::string label = case_label(one);
            if (section.from.size() > 1) label += fmt::format(" [{}]", file_stem(*file));
            rates.categories.push_back(label);
            rates.series[0].values.emplace_back(one.number("recipients_per_second"));
            times.categories.push_back(std::move(label));
            for (std::size_t i = 0; i < times.series.size(); ++i)
                times.series[i].values.emplace_back(one.number(fmt::format("{}_ms", kShares[i].field)));
        }
    section.charts = {std::move(rates), std::move(times)};
    return section;
}

} // namespace penguin::bench::report
