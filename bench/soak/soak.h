// The daemon under constant load for as long as is wanted, with churn beside it (churn.h), sampled all the while (verdict.h).
//
//   in       options; a rate of 0 is not allowed here: the command finds it
//   out      samples, slopes, alarms; a campaign (its own content) each kCampaignSubmissions submissions
//   errors   BenchError; also when a message did not arrive, or one arrived twice
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "bench/drain/drain.h"

namespace penguin::bench {

struct SoakOptions {
    std::size_t rate = 0; // messages a second
    double minutes = 60;
    std::size_t batch = 50;              // recipients of a submission
    std::size_t probe_messages = 20'000; // of the drain that finds the rate
    DrainOptions mail;                   // size, dkim, distinct, world; the rest is not used
};

boost::json::object to_json(const SoakOptions& options);
boost::json::object soak_once(Patience& patience, const SoakOptions& options);
// Those of the last run: slopes of several runs have no median that means something.
boost::json::object soak_results(const boost::json::array& runs);

} // namespace penguin::bench
