// bench/drain/drain.h
// How fast accepted mail goes out: N messages are accepted durably while the pool has no source, then it gets one.
//
//   in       options; a Patience
//   out      one run's figures: messages_per_second until the sinks have all, ledger_messages_per_second until the ledger
//            has all, CPU a message by component, peak memory, the limit; and the same of the acceptance before
//   bound    with `bound` also signed_bound {rsa2048_us, unsigned_us, messages_per_second, share}: cores / (a bare signature +
//            the CPU of all components for a message that needs none), and which share of it was reached; see signed_bound.h
//   clock    starts before the call that makes the first source; so the outbox pump, DNS and connecting are part of it
//   errors   BenchError; also when a message was lost, bounced or not delivered
#pragma once

#include <boost/json/object.hpp>

#include "bench/harness/world.h"

namespace penguin::bench {

struct DrainOptions {
    std::size_t messages = 10'000;
    std::size_t size = 10'240; // octets
    std::string dkim = "none"; // none, rsa2048, both
    bool distinct = false;
    std::size_t batch = 1'000; // recipients of a submission
    bool bound = false;        // with dkim rsa2048: measures what bounds the rate too
    WorldOptions world;
};

boost::json::object to_json(const DrainOptions& options);
boost::json::object drain_once(Patience& patience, const DrainOptions& options);
// Half of the messages a second that a drain of `messages` reaches; at least 1. Says so on stdout.
std::size_t half_of_drain(Patience& patience, DrainOptions options, std::size_t messages);
// {messages_per_second, ledger_messages_per_second, cpu_us_per_message, rss_mb, limit, ...}: medians of the runs.
boost::json::object drain_results(const boost::json::array& runs);

} // namespace penguin::bench
