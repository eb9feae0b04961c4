#include "bench/plan/capacity.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace penguin::bench::plan {

namespace {

constexpr double kMicro = 1e6;
constexpr double kBitsAnOctet = 8;
constexpr double kKilo = 1024;

// Only the daemon's part grows with the message: stores see its id.
double sending_us(const Demand& demand, const Figures& figures)
{
    const double more = (demand.size - figures.size) / kKilo * figures.us_a_kib;
    return std::max(0.0, figures.unsigned_us() + more) + figures.signing_us(demand.dkim);
}

double daemon_us(const Demand& demand, const Figures& figures, double attempts)
{
    return (sending_us(demand, figures) + figures.sending.dns) * attempts + figures.accepting.daemon +
           figures.accepting.dns;
}

double stores_us(const Figures& figures, double attempts)
{
    return (figures.sending.redis + figures.sending.postgres) * attempts + figures.accepting.redis +
           figures.accepting.postgres;
}

double cores_for(double rate, double us, const Machine& machine)
{
    return rate * us / kMicro / (kLoadMost * machine.speed);
}

Need accepting_need(const Figures& figures, const Machine& machine, double rate)
{
    const double node = *figures.accepted_a_core * machine.cores * machine.speed * kLoadMost;
    return {"accepting", whole(rate / node), fmt::format("a node accepts {:.0f} messages/s", node)};
}

// Of the providers whose domains share one set of MX hosts: the one whose mail needs most nodes.
Need site_need(const std::vector<Share>& shares, double attempts_a_second)
{
    Need most{"site_connections", 1, "no provider needs more than one node's connections"};
    for (const Share& share : shares) {
        const Result<ProviderRule> rule = provider_named(share.provider);
        if (!rule || !rule->one_site) continue;
        const double node = kSiteConnections * attempts_a_second_on_one_connection(*rule);
        const double nodes = whole(attempts_a_second * share.part / node);
        if (nodes > most.value)
            most = {"site_connections", nodes,
                    fmt::format("a node's {:.0f} connections to {} carry {:.0f} attempts/s", kSiteConnections,
                                share.provider, node)};
    }
    return most;
}

Need connections_need(const Share& share, const ProviderRule& rule, double attempts_a_second)
{
    return {"connections_" + share.provider,
            whole(attempts_a_second * share.part / attempts_a_second_from_one_source(rule)),
            fmt::format("{}: {:.0f} connections an address, {:.0f} messages a connection: {:.1f} attempts/s",
                        share.provider, rule.connections, rule.connection_messages,
                        attempts_a_second_from_one_source(rule))};
}

} // namespace

const Need& binding(const std::vector<Need>& needs) { return *std::ranges::max_element(needs, {}, &Need::value); }

double whole(double value)
{
    constexpr double kRounding = 1e-9;
    return std::ceil(value * (1 - kRounding));
}

Volume volume_of(const Demand& demand)
{
    constexpr double kSecondsAnHour = 3600;
    const double average_day = demand.messages_a_month / demand.days_a_month;
    const double average_rate = average_day / (demand.hours_a_day * kSecondsAnHour);
    return {.day = average_day * demand.peak_day_factor,
            .average_rate = average_rate,
            .peak_rate = average_rate * demand.peak_factor,
            .attempts = 1 / (1 - demand.retry_share)};
}

Addresses addresses_for(const Demand& demand, const std::vector<Share>& shares, const WarmupPlan& warmup)
{
    const Volume volume = volume_of(demand);
    Addresses addresses;
    addresses.needs.push_back({"day_cap", whole(volume.day / warmup.full_rate()),
                               fmt::format("a warm address sends {:.0f} messages a day at most (warm-up plan '{}')",
                                           warmup.full_rate(), warmup.name)});
    for (const Share& share : shares)
        if (const Result<ProviderRule> rule = provider_named(share.provider))
            addresses.needs.push_back(connections_need(share, *rule, volume.peak_rate * volume.attempts));
    addresses.limit = binding(addresses.needs);
    addresses.needed = addresses.limit.value;
    return addresses;
}

Network network_for(const Demand& demand, const std::vector<Share>& shares)
{
    const double signatures = demand.dkim == Dkim::none ? 0 : demand.dkim == Dkim::both ? 2 : 1;
    double setup = 0;
    for (const Share& share : shares)
        if (const Result<ProviderRule> rule = provider_named(share.provider))
            setup += share.part * kTlsSetupOctets / rule->connection_messages;
    const Volume volume = volume_of(demand);
    const double attempt = (demand.size + signatures * kSignatureOctets + kDialogueOctets + setup) * kPacketOverhead;
    const double message = attempt * volume.attempts;
    return {.octets_a_message = message,
            .peak_mbit = message * volume.peak_rate * kBitsAnOctet / kMicro,
            .octets_a_month = message * demand.messages_a_month};
}

Nodes nodes_for(const Demand& demand, const Figures& figures, const std::vector<Share>& shares,
                const Surroundings& surroundings)
{
    const Volume volume = volume_of(demand);
    const Machine& machine = demand.machine;
    const double own = daemon_us(demand, figures, volume.attempts);
    const double all = own + stores_us(figures, volume.attempts);
    Nodes nodes;
    nodes.stores_on_node = cores_for(volume.peak_rate, all, machine) <= machine.cores &&
                           figures.daemon_mb + surroundings.store_mb <= machine.memory_gb * kKilo * kLoadMost;
    nodes.cpu_us = nodes.stores_on_node ? all : own;
    const double cores = cores_for(volume.peak_rate, nodes.cpu_us, machine);
    const double mbit = network_for(demand, shares).peak_mbit;
    nodes.needs = {
        {"cpu", whole(cores / machine.cores),
         fmt::format("{:.0f} us a message, {:.0f} messages/s: {:.2f} cores at {:.0f} % load, of {} a node",
                     nodes.cpu_us, volume.peak_rate, cores, kLoadMost * 100, machine.cores)},
        {"network", whole(mbit / (machine.network_mbit * kLoadMost)),
         fmt::format("{:.0f} Mbit/s, at {:.0f} % of {:.0f} a node", mbit, kLoadMost * 100, machine.network_mbit)},
        {"addresses", whole(surroundings.addresses / machine.addresses_max),
         fmt::format("{:.0f} source addresses, {} a node", surroundings.addresses, machine.addresses_max)},
        site_need(shares, volume.peak_rate * volume.attempts)};
    if (figures.accepted_a_core) nodes.needs.push_back(accepting_need(figures, machine, volume.peak_rate));
    nodes.limit = binding(nodes.needs);
    nodes.carrying = nodes.limit.value;
    nodes.needed = nodes.carrying + demand.spare_nodes;
    return nodes;
}

} // namespace penguin::bench::plan
