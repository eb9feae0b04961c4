#include <fmt/format.h>

#include "bench/plan/plan.h"

namespace penguin::bench::plan {

namespace {

constexpr double kMega = 1e6;
constexpr double kGiga = 1e9;

std::string grouped(double value)
{
    std::string digits = fmt::format("{:.0f}", value);
    for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
        digits.insert(static_cast<std::size_t>(at), ",");
    return digits;
}

std::string row(std::string_view what, const std::string& value, const std::string& because)
{
    return fmt::format("  {:<26} {:>16}   {}\n", what, value, because);
}

std::string volume_text(const Plan& plan)
{
    const Demand& demand = plan.demand;
    return fmt::format(
        "Plan for {} messages a month of {} octets, DKIM {}, warm-up plan '{}'\n"
        "  {} on the busiest day, {:.0f} a second on average, {:.0f} in the busiest hour, {:.2f} attempts "
        "a message\n\n",
        grouped(demand.messages_a_month), grouped(demand.size), name_of(demand.dkim), plan.warmup.name,
        grouped(plan.volume.day), plan.volume.average_rate, plan.volume.peak_rate, plan.volume.attempts);
}

std::string nodes_text(const Plan& plan)
{
    const Machine& machine = plan.demand.machine;
    const Nodes& nodes = plan.nodes;
    std::string text = row("nodes", grouped(nodes.needed),
                           fmt::format("{:.0f} carrying and {:.0f} spare; {} cores, {:.0f} GB each", nodes.carrying,
                                       plan.demand.spare_nodes, machine.cores, machine.memory_gb));
    for (const Need& need : nodes.needs)
        text += row("  by " + need.limit, grouped(need.value),
                    need.because + (need.limit == nodes.limit.limit ? "  <- binds" : ""));
    text += row("", "",
                nodes.stores_on_node ? "Redis and PostgreSQL fit on a node"
                                     : "Redis and PostgreSQL on machines of their own");
    return text;
}

std::string addresses_text(const Plan& plan)
{
    const Addresses& addresses = plan.addresses;
    std::string text = row("source addresses", grouped(addresses.needed),
                           fmt::format("{} cold ones to warm up, {} warm already", grouped(plan.cold),
                                       grouped(plan.demand.warm_addresses)));
    for (const Need& need : addresses.needs)
        text += row("  by " + need.limit, grouped(need.value),
                    need.because + (need.limit == addresses.limit.limit ? "  <- binds" : ""));
    const Mailboxes& boxes = plan.mailboxes;
    if (boxes.day_max == 0) return text;
    return text + row("mailboxes", grouped(boxes.needed),
                      fmt::format("{:.0f} messages a day each; there are {}{}", boxes.day_max, grouped(boxes.there),
                                  boxes.enough() ? "" : ", too few"));
}

std::string stores_text(const Plan& plan)
{
    const auto& [backlog, octets, maxmemory, pools, because] = plan.redis;
    const PostgresPlan& postgres = plan.postgres;
    return row("Redis memory", fmt::format("{} MB", grouped(octets / kMega)),
               fmt::format("for {:.1f} h; set maxmemory to {} MB: {}", plan.demand.backlog_hours,
                           grouped(maxmemory / kMega), because)) +
           row("Redis pools", grouped(pools), "a pool is one Redis core") +
           row("PostgreSQL writes", fmt::format("{:.2f} MB/s", postgres.octets_a_second / kMega),
               fmt::format("{} events/s in the busiest hour, {:.2f} cores; {}", grouped(postgres.events_a_second),
                           postgres.cores, postgres.because)) +
           row("PostgreSQL storage", fmt::format("{:.1f} GB/month", postgres.storage_a_month / kGiga),
               "of the ledger and the batches") +
           row("network", fmt::format("{:.1f} Mbit/s", plan.network.peak_mbit),
               fmt::format("out, in the busiest hour; {:.0f} octets a message; {} GB a month",
                           plan.network.octets_a_message, grouped(plan.network.octets_a_month / kGiga)));
}

// Every day of the first week, then one a week, and the last.
std::string forecast_text(const Forecast& forecast)
{
    constexpr int kWeek = 7;
    std::string text = forecast.full_rate_on > 0
                           ? fmt::format("\nFull rate on day {} of sending\n", forecast.full_rate_on)
                           : fmt::format("\nFull rate is never reached: held back by {}\n", forecast.days.back().limit);
    text += fmt::format("  {:>4}  {:>16}  {:>16}  {:>16}  {}\n", "day", "addresses carry", "mailboxes carry", "sent",
                        "held back by");
    for (const ForecastDay& day : forecast.days) {
        const bool shown = day.day <= kWeek || day.day % kWeek == 0 || &day == &forecast.days.back();
        if (!shown) continue;
        text += fmt::format("  {:>4}  {:>16}  {:>16}  {:>16}  {}\n", day.day, grouped(day.addresses_carry),
                            day.mailboxes_carry == 0 ? "any" : grouped(day.mailboxes_carry), grouped(day.sent),
                            day.limit == "demand" ? "" : day.limit);
    }
    return text;
}

std::string figures_text(const Figures& figures)
{
    if (figures.origin.empty())
        return "\nFigures: defaults, not measured on your machines. --figures FILE takes what drain, submit and micro "
               "wrote.\n";
    std::string text = "\nFigures:";
    for (const auto& [figure, file] : figures.origin) text += fmt::format(" {} from {};", figure, file);
    return text + " all others are defaults\n";
}

} // namespace

std::string text_of(const Plan& plan)
{
    return volume_text(plan) + nodes_text(plan) + addresses_text(plan) + stores_text(plan) +
           forecast_text(plan.forecast) + figures_text(plan.figures);
}

} // namespace penguin::bench::plan
