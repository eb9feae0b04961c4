// bench/plan/stores.h
// What Redis and PostgreSQL need for a demand, and the tenants' mailboxes. Arithmetic only.
#pragma once

#include "bench/plan/capacity.h"

namespace penguin::bench::plan {

inline constexpr double kRedisFullAt = 0.8; // of maxmemory: enqueue refuses beyond it

struct RedisPlan {
    double backlog = 0;   // messages
    double octets = 0;    // in use then
    double maxmemory = 0; // octets to set
    double pools = 0;     // each has a Redis core, in a cluster a server, of its own
    std::string because;  // of maxmemory
};
RedisPlan redis_for(const Demand& demand, const Figures& figures);

// Messages accepted in `hours` hours, the busiest ones: at the peak rate, but no day brings more than the busiest day.
double backlog_of(const Demand& demand);

struct PostgresPlan {
    double events_a_second = 0; // in the busiest hour
    double octets_a_second = 0; // of write-ahead log, in the busiest hour
    double storage_a_month = 0; // octets
    double cores = 0;           // in the busiest hour, at kLoadMost
    std::string because;        // of the write rate
};
PostgresPlan postgres_for(const Demand& demand, const Figures& figures);

struct Mailboxes {
    double day_max = 0; // messages a day of one; 0: no limit
    double needed = 0;  // for the busiest day
    double there = 0;   // those given, or those needed
    bool enough() const { return there >= needed; }
    double carry(double each) const { return there * each; }
};
Mailboxes mailboxes_for(const Demand& demand, const WarmupPlan& warmup);

} // namespace penguin::bench::plan
