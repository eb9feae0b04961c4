#include <cmath>

#include <boost/json/array.hpp>

#include "bench/plan/plan.h"

namespace penguin::bench::plan {

namespace {

namespace json = boost::json;

constexpr double kMega = 1e6;
constexpr double kGiga = 1e9;

double tidy(double value) { return std::round(value * 1'000) / 1'000; }

json::array to_json(const std::vector<Need>& needs)
{
    json::array all;
    for (const Need& need : needs)
        all.push_back({{"limit", need.limit}, {"value", tidy(need.value)}, {"because", need.because}});
    return all;
}

json::object limited(double value, const Need& limit, const std::vector<Need>& needs)
{
    return {{"value", tidy(value)}, {"limit", limit.limit}, {"because", limit.because}, {"by_limit", to_json(needs)}};
}

json::array days_of(const Forecast& forecast)
{
    json::array days;
    for (const ForecastDay& day : forecast.days)
        days.push_back({{"day", day.day},
                        {"addresses_carry", tidy(day.addresses_carry)},
                        {"mailboxes_carry", day.mailboxes_carry == 0 ? json::value{} : tidy(day.mailboxes_carry)},
                        {"sent", tidy(day.sent)},
                        {"limit", day.limit}});
    return days;
}

json::object volume_json(const Volume& volume)
{
    return {{"busiest_day", tidy(volume.day)},
            {"average_per_second", tidy(volume.average_rate)},
            {"peak_per_second", tidy(volume.peak_rate)},
            {"attempts_a_message", tidy(volume.attempts)}};
}

json::object nodes_json(const Nodes& nodes)
{
    json::object object = limited(nodes.needed, nodes.limit, nodes.needs);
    object["carrying"] = tidy(nodes.carrying);
    object["stores_on_node"] = nodes.stores_on_node;
    object["cpu_us_per_message"] = tidy(nodes.cpu_us);
    return object;
}

json::object addresses_json(const Plan& plan)
{
    json::object object = limited(plan.addresses.needed, plan.addresses.limit, plan.addresses.needs);
    object["warm"] = plan.demand.warm_addresses;
    object["cold"] = plan.cold;
    return object;
}

json::object mailboxes_json(const Mailboxes& mailboxes)
{
    return {{"needed", tidy(mailboxes.needed)},
            {"there", tidy(mailboxes.there)},
            {"enough", mailboxes.enough()},
            {"day_max", mailboxes.day_max == 0 ? json::value{} : tidy(mailboxes.day_max)}};
}

json::object redis_json(const RedisPlan& redis)
{
    return {{"backlog_messages", tidy(redis.backlog)},
            {"memory_mb", tidy(redis.octets / kMega)},
            {"maxmemory_mb", tidy(redis.maxmemory / kMega)},
            {"pools", tidy(redis.pools)},
            {"because", redis.because}};
}

json::object postgres_json(const PostgresPlan& postgres)
{
    return {{"peak_events_per_second", tidy(postgres.events_a_second)},
            {"peak_write_mb_per_second", tidy(postgres.octets_a_second / kMega)},
            {"storage_gb_a_month", tidy(postgres.storage_a_month / kGiga)},
            {"peak_cores", tidy(postgres.cores)},
            {"because", postgres.because}};
}

json::object figures_json(const Figures& figures)
{
    const auto origin = [&figures](const char* figure) {
        const auto found = figures.origin.find(figure);
        return found == figures.origin.end() ? std::string{"default"} : found->second;
    };
    return {{"sending", origin("sending")},
            {"accepting", origin("accepting")},
            {"signing", origin("signing")},
            {"accepted_a_core", figures.accepted_a_core ? json::value(origin("accepted_a_core")) : json::value{}}};
}

} // namespace

json::object options_of(const Plan& plan)
{
    const Demand& demand = plan.demand;
    json::object shares;
    for (const Share& share : plan.shares) shares[share.provider] = tidy(share.part);
    return {{"messages_a_month", demand.messages_a_month},
            {"days_a_month", demand.days_a_month},
            {"hours_a_day", demand.hours_a_day},
            {"peak_factor", demand.peak_factor},
            {"peak_day_factor", demand.peak_day_factor},
            {"retry_share", demand.retry_share},
            {"size", demand.size},
            {"batch", demand.batch},
            {"dkim", name_of(demand.dkim)},
            {"tenants", demand.tenants},
            {"mailboxes", demand.mailboxes},
            {"mailbox_day_max", demand.mailbox_day_max ? json::value(*demand.mailbox_day_max) : json::value{}},
            {"warm_addresses", demand.warm_addresses},
            {"cold_addresses", demand.cold_addresses},
            {"spare_nodes", demand.spare_nodes},
            {"backlog_hours", demand.backlog_hours},
            {"warmup", demand.warmup},
            {"shares", shares},
            {"machine",
             {{"name", demand.machine.name},
              {"cores", demand.machine.cores},
              {"memory_gb", demand.machine.memory_gb},
              {"network_mbit", demand.machine.network_mbit},
              {"addresses", demand.machine.addresses_max},
              {"core_speed", demand.machine.speed}}}};
}

json::object results_of(const Plan& plan)
{
    const int full = plan.forecast.full_rate_on;
    return {{"volume", volume_json(plan.volume)},
            {"nodes", nodes_json(plan.nodes)},
            {"addresses", addresses_json(plan)},
            {"mailboxes", mailboxes_json(plan.mailboxes)},
            {"days_until_full_rate", full == 0 ? json::value{} : full},
            {"forecast", days_of(plan.forecast)},
            {"redis", redis_json(plan.redis)},
            {"postgres", postgres_json(plan.postgres)},
            {"network",
             {{"peak_mbit", tidy(plan.network.peak_mbit)},
              {"octets_a_message", tidy(plan.network.octets_a_message)},
              {"gb_a_month", tidy(plan.network.octets_a_month / kGiga)}}},
            {"figures_from", figures_json(plan.figures)}};
}

} // namespace penguin::bench::plan
