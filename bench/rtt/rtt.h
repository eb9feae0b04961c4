// bench/rtt/rtt.h
// Messages a second to one far site, on so many connections, beside the bound of one round trip a message.
//
//   in       options; a Patience
//   out      one run: {cases: [{mta, extension, delay_ms, connections, messages_per_round_trip, messages_per_second,
//            bound_messages_per_second, ...}]}; messages_per_round_trip is of one connection. With no delay both it and the
//            bound are null
//   span     of each case: see span.h; so what it takes to connect is no part of it
//   errors   BenchError; also when too few messages came to tell a rate
#pragma once

#include <string>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "bench/harness/world.h"

namespace penguin::bench {

struct RttOptions {
    std::vector<unsigned> delays_ms{0, 20, 50, 100}; // round trips
    std::vector<std::size_t> connections{1, 10};
    std::vector<std::string> extensions{"pipelining", "chunking", "none"}; // that the sink offers; chunking: both
    std::size_t seconds = 5;                                               // of a case, from its first message on
    std::size_t size = 10'240;                                             // octets of a message
    bool postfix = true;                                                   // each case beside it; needs root
    std::filesystem::path daemon;
    std::filesystem::path work;
};

boost::json::object to_json(const RttOptions& options);
boost::json::object rtt_once(Patience& patience, const RttOptions& options);
// Of each case the first seven figures, medians of the runs.
boost::json::array rtt_results(const boost::json::array& runs);

} // namespace penguin::bench
