// bench/flow/flow.h
// How long a message takes at a constant rate, from its submission to the sink, and how the API answers meanwhile.
//
//   in       options; a rate of 0 means half of what `drain` reaches here, measured before the first run
//   out      accept_to_250_ms: from the moment when the submission was due (so a late client or a slow acceptance counts) to
//            the moment when the sink wrote the message down, just before its 250. api_ms: calls of a tenant's list, read and events
//   before   one message to each recipient domain has gone out: routes are cached, connections open
//   errors   BenchError; also when a message did not arrive
#pragma once

#include <map>
#include <string_view>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "bench/drain/drain.h"

namespace penguin::bench {

struct FlowOptions {
    std::size_t rate = 0; // messages a second
    std::size_t seconds = 20;
    std::size_t batch = 50;              // recipients of a submission
    std::size_t probe_messages = 20'000; // of the drain that finds the rate
    DrainOptions mail;                   // size, dkim, distinct, world; the rest is not used
};

boost::json::object to_json(const FlowOptions& options);
// `options.rate` is not 0.
boost::json::object flow_once(Patience& patience, const FlowOptions& options);
boost::json::object flow_results(const boost::json::array& runs);

// Recipient number (of "u<number>@...") -> when it came first, Unix ms. Lines of the sink's log.
std::map<std::size_t, std::int64_t> arrivals_in(std::string_view sink_log);

} // namespace penguin::bench
