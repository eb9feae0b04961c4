#include "bench/plan/stores.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace penguin::bench::plan {

namespace {

constexpr double kMicro = 1e6;
constexpr double kSecondsAnHour = 3600;
constexpr double kHoursADay = 24;

} // namespace

double backlog_of(const Demand& demand)
{
    const Volume volume = volume_of(demand);
    const double days = std::floor(demand.backlog_hours / kHoursADay);
    const double hours = demand.backlog_hours - days * kHoursADay;
    return days * volume.day + std::min(hours * volume.peak_rate * kSecondsAnHour, volume.day);
}

RedisPlan redis_for(const Demand& demand, const Figures& figures)
{
    const Volume volume = volume_of(demand);
    RedisPlan plan{.backlog = backlog_of(demand)};
    const double contents = whole(plan.backlog / demand.batch) * demand.size;
    const double tenants = std::min(demand.tenants, plan.backlog) * figures.redis_octets_tenant;
    plan.octets = plan.backlog * figures.redis_octets_queued + contents + tenants;
    plan.maxmemory = plan.octets / kRedisFullAt;
    const double redis_us = figures.sending.redis * volume.attempts + figures.accepting.redis;
    const double pool = std::min(figures.pool_messages_a_second, redis_us > 0 ? kMicro * kLoadMost / redis_us : 1e12);
    plan.pools = whole(volume.peak_rate / pool);
    plan.because = fmt::format("{:.0f} messages of {:.0f} octets, the contents of batches of {:.0f}; Redis refuses at "
                               "{:.0f} % of maxmemory",
                               plan.backlog, figures.redis_octets_queued, demand.batch, kRedisFullAt * 100);
    return plan;
}

PostgresPlan postgres_for(const Demand& demand, const Figures& figures)
{
    const Volume volume = volume_of(demand);
    const double content = demand.size * figures.content_stored / demand.batch; // octets a message
    const double log = volume.attempts * figures.event_wal + figures.recipient_wal + content;
    const double disk = volume.attempts * figures.event_disk + figures.recipient_disk + content;
    const double us = volume.attempts * figures.sending.postgres + figures.accepting.postgres;
    return {.events_a_second = volume.peak_rate * volume.attempts,
            .octets_a_second = volume.peak_rate * log,
            .storage_a_month = demand.messages_a_month * disk,
            .cores = volume.peak_rate * us / kMicro / (kLoadMost * demand.machine.speed),
            .because =
                fmt::format("{:.2f} events a message of {:.0f} octets, {:.0f} a recipient, {:.0f} of its content",
                            volume.attempts, figures.event_wal, figures.recipient_wal, content)};
}

Mailboxes mailboxes_for(const Demand& demand, const WarmupPlan& warmup)
{
    const double day_max = demand.mailbox_day_max.value_or(warmup.mailbox_day_max);
    const double needed = day_max > 0 ? whole(volume_of(demand).day / day_max) : 1;
    return {.day_max = day_max, .needed = needed, .there = demand.mailboxes > 0 ? demand.mailboxes : needed};
}

} // namespace penguin::bench::plan
