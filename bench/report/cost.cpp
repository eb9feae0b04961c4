#include <array>

#include "bench/report/section.h"
#include "bench/report/wording.h"

namespace penguin::bench::report {

namespace {

// The receivers and the load generator are the other side: no node pays for them.
constexpr std::array kOurs{"daemon", "redis", "postgres", "dns"};

Bars stacked(std::string title, std::string unit, const std::vector<std::string>& labels)
{
    Bars bars{.title = std::move(title), .unit = std::move(unit), .categories = labels, .series = {}, .stacked = true};
    for (const char* component : kOurs) bars.series.push_back({.name = component_name(component), .values = {}});
    return bars;
}

void add(Bars& bars, const Field& by_component)
{
    for (std::size_t i = 0; i < kOurs.size(); ++i) {
        const auto value = by_component.find(kOurs[i]);
        bars.series[i].values.push_back(value ? std::optional{value->number()} : std::nullopt);
    }
}

} // namespace

std::optional<Section> cost(const Files& files)
{
    Section section{.id = "cost",
                    .title = "What a message costs",
                    .says = {"Processor time of one message by the part that spends it, in millionths of a second: at "
                             "250 one core carries "
                             "4,000 messages a second. Then the most memory that each part had. Receivers and load "
                             "generator are left out."},
                    .charts = {},
                    .tables = {},
                    .from = of_verb(files, "drain")};
    std::vector<std::string> labels = mail_labels(section.from);
    const std::vector<const FiguresFile*> flows = of_verb(files, "flow");
    for (const std::string& label : mail_labels(flows)) labels.push_back("steady: " + label);
    section.from.insert(section.from.end(), flows.begin(), flows.end());
    if (section.from.empty()) return std::nullopt;
    Bars time = stacked("Processor time by part", "millionths of a second a message", labels);
    Bars memory = stacked("Memory by part", "MB at most", labels);
    for (const FiguresFile* file : section.from) {
        add(time, file->results().at("cpu_us_per_message"));
        add(memory, file->results().at("rss_mb"));
    }
    section.charts = {std::move(time), std::move(memory)};
    return section;
}

} // namespace penguin::bench::report
