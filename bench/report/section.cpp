#include "bench/report/section.h"

namespace penguin::bench::report {

std::vector<Section> sections_of(const Files& files)
{
    std::vector<Section> sections;
    for (auto* make : {planned, sending, peers, cost, accepting, delay, fair_shares, sustained, growth, steadiness,
                       round_trips, operations})
        if (auto section = make(files)) sections.push_back(*std::move(section));
    for (Section& section : sections)
        std::erase_if(section.charts, [](const Chart& chart) { return !has_data(chart); });
    return sections;
}

} // namespace penguin::bench::report
