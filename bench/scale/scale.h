// bench/scale/scale.h
// What a message costs, and what memory is used, while one thing grows and all else stays as it is.
//
//   axes     queued   messages that wait in Redis; all of them are drained
//            tenants  with mail waiting; each has as many batches of it as another
//            domains  of recipients
//            sources  addresses that are sent from; each batch has a mailbox of its own, so all of them have work
//   point    a new world. One message to each recipient domain goes out first, from another pool, so routes are known. Then
//            the mail is accepted and put into Redis, all of it, while the pool may not claim. From then on everything
//            is counted until the ledger says delivered of all
//   cost     CPU of daemon, Redis, PostgreSQL, sink and name server; not of this program
//   out      {axes: [{axis, points: [{value, messages, cpu_us_per_message, by_component, messages_per_second, rss_mb, redis_mb,
//            redis_octets_per_message, repeated}], exponent}]}; of a single axis its fields as well
//   errors   BenchError; also when a message was lost, bounced or not delivered
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "bench/drain/drain.h"

namespace penguin::bench {

inline constexpr std::size_t kMessagesALane = 50; // at least, on the axis of sources; a connection takes as many

struct ScaleOptions {
    std::vector<std::string> axes;   // empty: all
    std::vector<std::size_t> values; // of the one axis; empty: its usual ones
    DrainOptions mail;               // messages: of a point, at least; what does not grow stays as it says
    std::function<void(const std::string& axis, const boost::json::object& point)> on_point;
};

const std::vector<std::string>& scale_axes();
std::vector<std::size_t> values_of(const std::string& axis, const ScaleOptions& options);
// The mail of a point: the same number of messages at each value, except when they are what grows.
DrainOptions mail_at(const std::string& axis, std::size_t value, const ScaleOptions& options);

boost::json::object to_json(const ScaleOptions& options);
boost::json::object scale_once(Patience& patience, const ScaleOptions& options);
// Medians of the runs, and the exponents that fit them.
boost::json::object scale_results(const boost::json::array& runs);

} // namespace penguin::bench
