#include <fmt/format.h>

#include "bench/report/section.h"
#include "bench/report/wording.h"

namespace penguin::bench::report {

namespace {

Table shares_of(const FiguresFile& file)
{
    const Field results = file.results();
    const Field options = file.options();
    Table table{.head = {"what", "measured", "at most"}, .rows = {}};
    const auto add = [&](const std::string& what, const char* scene, const char* field) {
        const Field figures = results.at(scene);
        table.rows.push_back({what, figure(figures.number(field)), figure(figures.number("at_most"))});
    };
    add(fmt::format("{} messages beside {} of another: milliseconds, 95 of 100", grouped(options.number("messages")),
                    grouped(options.number("waiting"))),
        "equal", "p95_ms");
    add(fmt::format("{} urgent messages beside them: milliseconds, 95 of 100", grouped(options.number("high"))), "high",
        "p95_ms");
    add("shares of two who pay 1 to 3: off by", "weighted", "share_error");
    add(fmt::format("one more beside {} who wait: wait as a part of its turns", grouped(options.number("tenants"))),
        "thousand", "worst_ratio");
    return table;
}

} // namespace

std::optional<Section> fair_shares(const Files& files)
{
    Section section{.id = "fairness",
                    .title = "Whether one customer's mail delays another's",
                    .says = {"A receiver takes mail slowly and one customer has very much of it waiting. What another "
                             "customer hands in then must not wait for that."},
                    .charts = {},
                    .tables = {},
                    .from = of_verb(files, "fairness")};
    if (section.from.empty()) return std::nullopt;
    for (const FiguresFile* file : section.from) section.tables.push_back(shares_of(*file));
    return section;
}

} // namespace penguin::bench::report
