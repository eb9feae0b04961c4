#include <fmt/format.h>

#include "bench/report/section.h"
#include "bench/report/wording.h"

namespace penguin::bench::report {

namespace {

constexpr double kNanosAMicro = 1'000;

Table operations_table(const Field& benchmarks)
{
    Table table{.head = {"operation", "millionths of a second", "times the limit"}, .rows = {}};
    for (const auto& [name, one] : benchmarks.members()) {
        const auto ratio = one.find("ratio");
        table.rows.push_back({spaced(name), fmt::format("{:.3g}", one.number("ns") / kNanosAMicro),
                              ratio ? figure(ratio->number()) : ""});
    }
    return table;
}

} // namespace

std::optional<Section> operations(const Files& files)
{
    Section section{.id = "operations",
                    .title = "Single operations",
                    .says = {"The steps on a message's way, each alone on one core. Where it can be told, beside what "
                             "the machine does at "
                             "best (copying the same octets, a bare signature): 1 would be that limit."},
                    .charts = {},
                    .tables = {},
                    .from = of_verb(files, "micro")};
    if (section.from.empty()) return std::nullopt;
    for (const FiguresFile* file : section.from) {
        if (const auto signatures = file->results().find("dkim_us")) {
            Bars bars{.title = "Signing a message of 10 KiB", .unit = "millionths of a second", .series = {{}}};
            for (const auto& [name, value] : signatures->members()) {
                bars.categories.push_back(signing_words(name));
                bars.series[0].values.emplace_back(value.number());
            }
            section.charts.emplace_back(std::move(bars));
        }
        section.tables.push_back(operations_table(file->results().at("benchmarks")));
    }
    return section;
}

} // namespace penguin::bench::report
