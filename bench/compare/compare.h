// Ours beside a peer, pair by pair in one run: the same messages to the same sinks and name server, each side in a world of
// its own on the same disk, one after the other, and who goes first alternates.
//
//   drain_unsigned    accepted while sending is held, then released; messages/s until the sinks have all
//   signed_whole_way  from the first submission until the sinks have all, signed with RSA-2048: ours when it delivers, the
//                     peer when it accepts
//   errors            BenchError; also when the sinks have not got each message
#pragma once

#include <boost/json/object.hpp>

#include "bench/drain/drain.h"

namespace penguin::bench {

struct CompareOptions {
    std::string peer = "postfix";
    std::size_t unsigned_messages = 50'000;
    std::size_t signed_messages = 10'000;
    std::size_t feeders = 20; // connections that hand the peer its messages
    DrainOptions drain;       // size, domains, sites, connections ...
};

boost::json::object to_json(const CompareOptions& options);
// `number` counts from 0: of even runs ours is first.
boost::json::object compare_once(Patience& patience, const CompareOptions& options, std::size_t number);
// {peer, peer_version, drain_unsigned, signed_whole_way: {ours, peer, ratio_min, ratio_median, ratio_max, ...}}
boost::json::object compare_results(const boost::json::array& runs);

} // namespace penguin::bench
