// How near the engine comes to what a provider sustains, beside a sender that heeds nothing.
//
//   in       a profile with limits.message-rate; its reputation is that of a sender that is known (--first-day)
//   out      {sustainable_per_second, engine, naive}, both {share, deferred, found_after_s, taken,
//            refused, connections_refused, course}
//   clock    real time; for the engine it starts when its pool gets a source
//   errors   BenchError
#pragma once

#include <filesystem>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "bench/drain/drain.h"

namespace penguin::bench {

struct SustainOptions {
    std::filesystem::path profile;
    std::size_t find_s = 600; // the sender may look for the rate so long
    std::size_t keep_s = 300; // and is judged by this
    double naive_factor = 2;  // its attempts, in sustainable rates
    DrainOptions mail;        // size and world
};

boost::json::object to_json(const SustainOptions& options);
boost::json::object sustain_once(Patience& patience, const SustainOptions& options);
// Medians; found_after_s only where each run has it; the course of the first.
boost::json::object sustain_results(const boost::json::array& runs);

} // namespace penguin::bench
