#include "bench/plan/demand.h"

#include <array>
#include <cmath>

#include <fmt/format.h>

namespace penguin::bench::plan {

namespace {

struct Bound {
    const char* option;
    double value;
    double least;
    double most;
};

Result<> within(const Bound& bound)
{
    if (std::isfinite(bound.value) && bound.value >= bound.least && bound.value <= bound.most) return {};
    return fail(Errc::bad_value,
                fmt::format("{}: must be {} to {}, not {}", bound.option, bound.least, bound.most, bound.value));
}

Result<> check_shares(const std::vector<Share>& shares)
{
    double sum = 0;
    for (const Share& share : shares) {
        if (const auto fits = within({"--share", share.part, 0, 1}); !fits) return fits;
        sum += share.part;
        for (const Share& other : shares)
            if (&other != &share && other.provider == share.provider)
                return fail(Errc::bad_value, "--share: " + share.provider + " is there twice");
    }
    constexpr double kRounding = 1e-9;
    if (sum <= 1 + kRounding) return {};
    return fail(Errc::bad_value, fmt::format("--share: the shares must add up to 1 at most, not {}", sum));
}

} // namespace

std::string_view name_of(Dkim dkim)
{
    switch (dkim) {
    case Dkim::none: return "none";
    case Dkim::rsa2048: return "rsa2048";
    case Dkim::ed25519: return "ed25519";
    case Dkim::both: return "both";
    }
    return "";
}

Result<Dkim> parse_dkim(std::string_view text)
{
    for (const Dkim dkim : {Dkim::none, Dkim::rsa2048, Dkim::ed25519, Dkim::both})
        if (name_of(dkim) == text) return dkim;
    return fail(Errc::bad_value, fmt::format("'{}' is none of none, rsa2048, ed25519, both", text));
}

Result<Machine> machine_named(std::string_view name)
{
    static const std::array kMachines{
        Machine{.name = "small", .cores = 2, .memory_gb = 4, .network_mbit = 1'000, .addresses_max = 16},
        Machine{.name = "medium", .cores = 4, .memory_gb = 8, .network_mbit = 1'000, .addresses_max = 64},
        Machine{.name = "large", .cores = 8, .memory_gb = 16, .network_mbit = 1'000, .addresses_max = 128},
        Machine{.name = "huge", .cores = 16, .memory_gb = 64, .network_mbit = 10'000, .addresses_max = 256}};
    for (const Machine& machine : kMachines)
        if (machine.name == name) return machine;
    return fail(Errc::bad_value, fmt::format("--machine: '{}' is none of small, medium, large, huge", name));
}

Result<> check(const Demand& demand)
{
    const Machine& machine = demand.machine;
    const Bound bounds[] = {
        {"--messages-a-month", demand.messages_a_month, 1, 1e12},
        {"--days-a-month", demand.days_a_month, 1, 31},
        {"--hours-a-day", demand.hours_a_day, 1, 24},
        {"--peak-factor", demand.peak_factor, 1, 1'000},
        {"--peak-day-factor", demand.peak_day_factor, 1, 31},
        {"--retry-share", demand.retry_share, 0, 0.9},
        {"--size", demand.size, 100, 50e6},
        {"--batch", demand.batch, 1, 10'000},
        {"--tenants", demand.tenants, 1, 1e7},
        {"--mailboxes", demand.mailboxes, 0, 1e9},
        {"--mailbox-day-max", demand.mailbox_day_max.value_or(0), 0, 1e9},
        {"--backlog-hours", demand.backlog_hours, 0, 720},
        {"--warm-addresses", demand.warm_addresses, 0, 1e6},
        {"--cold-addresses", demand.cold_addresses, 0, 1e6},
        {"--spare-nodes", demand.spare_nodes, 0, 1'000},
        {"--cores", static_cast<double>(machine.cores), 1, 1'024},
        {"--memory-gb", machine.memory_gb, 0.5, 65'536},
        {"--network-mbit", machine.network_mbit, 1, 1e6},
        {"--addresses-per-node", static_cast<double>(machine.addresses_max), 1, 65'536},
        {"--core-speed", machine.speed, 0.05, 20},
    };
    for (const Bound& bound : bounds)
        if (const auto fits = within(bound); !fits) return fits;
    if (demand.peak_factor < demand.peak_day_factor)
        return fail(Errc::bad_value, "--peak-factor: must not be below --peak-day-factor: the busiest day has an hour "
                                     "that is at least its average one");
    return check_shares(demand.shares);
}

} // namespace penguin::bench::plan
