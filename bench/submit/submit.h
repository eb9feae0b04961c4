// bench/submit/submit.h
// How fast mail is accepted durably over HTTP, while none goes out: POST /v1/batches by size of the batch, and
// POST /api/inject/v1 with one message a call.
//
//   in       options; each case runs for `seconds` with its number of clients, each client one call at a time
//   out      cases: rates, percentiles of a call's time, CPU a recipient by component, the limit
//   errors   BenchError; also when an answer accepts fewer than it was given
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "bench/harness/world.h"

namespace penguin::bench {

struct SubmitOptions {
    std::vector<std::size_t> batches{1, 100, 1'000};
    std::vector<std::size_t> clients{4};
    std::size_t inject_clients = 32; // 0: that case is left out
    std::size_t size = 10'240;       // octets of a message
    bool distinct = true;            // each call has a content of its own
    std::size_t seconds = 5;
    WorldOptions world;
};

boost::json::object to_json(const SubmitOptions& options);
// {cases: [{call, batch, clients, recipients_per_second, requests_per_second, p50_ms, p95_ms, p99_ms, max_ms,
// cpu_us_per_recipient, rss_mb, limit}]}
boost::json::object submit_once(Patience& patience, const SubmitOptions& options);
// The medians of the cases; and at the top recipients_per_second of the best case with the largest batch, and
// requests_per_second, p50_ms, p95_ms, p99_ms of the single messages.
boost::json::object submit_results(const boost::json::array& runs);

} // namespace penguin::bench
