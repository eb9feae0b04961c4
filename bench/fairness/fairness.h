// What a tenant's mail waits for when others have much more: one source, one site whose sink takes so many messages a second
// and has clients wait for their turn.
//
//   in       options
//   out      equal     a tenant has `waiting` messages; another's few, of the same weight: ms from their submission to the sink
//            high      the same, of high priority
//            weighted  a tenant of weight 3 has as much to send as it can: shares over some seconds
//            thousand  many tenants share `waiting`; another's k-th message against k turns of everybody
//            times are from the moment before the submission is sent to the moment before the sink says 250
//   errors   BenchError; also when the first tenant's mail was too little to last
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "bench/drain/drain.h"

namespace penguin::bench {

inline constexpr double kHeavyWeight = 3;

struct FairnessOptions {
    std::size_t waiting = 500'000;  // messages
    std::size_t rate = 200;         // messages a second that the sink takes
    std::size_t messages = 100;     // of the tenant that comes later, on equal terms
    std::size_t high = 20;          // of high priority
    std::size_t seconds = 60;       // over which shares are counted
    std::size_t tenants = 1'000;    // that share `waiting`
    std::size_t late_messages = 20; // of the tenant that comes to them
    DrainOptions mail;              // size and world; the rest is not used
};

boost::json::object to_json(const FairnessOptions& options);
boost::json::object fairness_once(Patience& patience, const FairnessOptions& options);
// Medians of the runs, and beside each what it should at most be: a few messages take twice their time at an equal share, those
// of high priority five times their time alone, shares are off by 5 %, the k-th message waits a fifth longer than k turns of all.
boost::json::object fairness_results(const FairnessOptions& options, const boost::json::array& runs);

} // namespace penguin::bench
