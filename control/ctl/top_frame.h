// control/ctl/top_frame.h
// One frame of `penguinctl top`: what a node does now, from two looks at its metrics. Pure.
//
//   rates     a second, from the differences of counters. A counter that went back belongs to a new process: it counts from 0
//             (as Prometheus does). Without an earlier look rates are -
//   queue     what waits in Redis, by pool, as the node measured it last
//   missing   a metric that the node does not tell is -
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "control/ctl/metrics_text.h"
#include "engine/base/clock.h"

namespace penguin::control::ctl {

struct Look {
    Metrics metrics;
    SteadyTime at;
};

std::string top_frame(const std::optional<Look>& before, const Look& now);

// "1,234,567"
std::string grouped(double number);
// "1.5 MiB"
std::string size_shown(double octets);

} // namespace penguin::control::ctl
