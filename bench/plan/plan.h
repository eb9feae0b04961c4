// bench/plan/plan.h
// The capacity plan: everything that a demand needs, each number with the limit that made it.
//
//   in      demand, figures, setbacks to try out; no clock, no I/O
//   errors  bad_value: detail names the option and the rule
#pragma once

#include <boost/json/object.hpp>

#include "bench/plan/forecast.h"

namespace penguin::bench::plan {

struct Plan {
    Demand demand;
    Figures figures;
    std::vector<Share> shares;
    WarmupPlan warmup;
    Volume volume;
    Addresses addresses;
    double cold = 0; // addresses to warm up
    Nodes nodes;
    Mailboxes mailboxes;
    Forecast forecast;
    RedisPlan redis;
    PostgresPlan postgres;
    Network network;
};

Result<Plan> plan_for(const Demand& demand, const Figures& figures, const std::vector<Setback>& setbacks);

boost::json::object options_of(const Plan& plan);
boost::json::object results_of(const Plan& plan);
std::string text_of(const Plan& plan); // for people

} // namespace penguin::bench::plan
