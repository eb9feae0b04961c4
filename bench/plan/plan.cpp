#include "bench/plan/plan.h"

#include <algorithm>

#include <fmt/format.h>

namespace penguin::bench::plan {

namespace {

constexpr double kMega = 1e6;

Result<> check_setbacks(const std::vector<Setback>& setbacks, const std::vector<Share>& shares)
{
    for (const Setback& setback : setbacks) {
        if (setback.day < 1 || setback.day > kDaysMost)
            return fail(Errc::bad_value, fmt::format("--setback: the day must be 1 to {}", kDaysMost));
        if (std::ranges::none_of(shares, [&](const Share& share) { return share.provider == setback.provider; }))
            return fail(Errc::bad_value, "--setback: no mail goes to '" + setback.provider + "'");
    }
    return {};
}

// Each node needs an address of its own, the spare ones too.
void add_for_nodes(Plan& plan)
{
    if (plan.nodes.needed <= plan.addresses.needed) return;
    plan.addresses.needs.push_back({"nodes", plan.nodes.needed, "each node sends from an address of its own"});
    plan.addresses.limit = plan.addresses.needs.back();
    plan.addresses.needed = plan.nodes.needed;
}

double cold_addresses(const Demand& demand, double needed)
{
    return demand.cold_addresses > 0 ? demand.cold_addresses : std::max(0.0, needed - demand.warm_addresses);
}

} // namespace

Result<Plan> plan_for(const Demand& demand, const Figures& figures, const std::vector<Setback>& setbacks)
{
    if (const auto sound = check(demand); !sound) return std::unexpected{sound.error()};
    if (const auto fit = check(figures); !fit) return std::unexpected{fit.error()};
    const auto shares = shares_of(demand);
    const auto warmup = warmup_named(demand.warmup);
    if (!shares) return std::unexpected{shares.error()};
    if (!warmup) return std::unexpected{warmup.error()};
    if (const auto fits = check_setbacks(setbacks, *shares); !fits) return std::unexpected{fits.error()};

    Plan plan{.demand = demand, .figures = figures, .shares = *shares, .warmup = *warmup};
    plan.volume = volume_of(demand);
    plan.addresses = addresses_for(demand, *shares, *warmup);
    plan.redis = redis_for(demand, figures);
    plan.nodes = nodes_for(demand, figures, *shares,
                           {.addresses = std::max(plan.addresses.needed, demand.warm_addresses + demand.cold_addresses),
                            .store_mb = plan.redis.maxmemory / kMega});
    add_for_nodes(plan);
    plan.cold = cold_addresses(demand, plan.addresses.needed);
    plan.mailboxes = mailboxes_for(demand, *warmup);
    plan.forecast =
        forecast(*warmup, *shares, {.cold = plan.cold, .warm = demand.warm_addresses, .mailboxes = plan.mailboxes},
                 plan.volume.day, setbacks);
    plan.postgres = postgres_for(demand, figures);
    plan.network = network_for(demand, *shares);
    return plan;
}

} // namespace penguin::bench::plan
