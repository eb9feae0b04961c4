// bench/drain/acceptance.h
// What verbs that drain have in common: mail that is accepted durably through the API, and what a message of it cost.
//
//   errors  BenchError; also when not all recipients were accepted
#pragma once

#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "bench/drain/drain.h"

namespace penguin::bench {

struct Submission {
    const BenchTenant* tenant = nullptr;
    std::size_t first = 0; // number of its first recipient
    std::size_t count = 0;
    std::string mailbox; // a UUID; "" for none
    std::string mark;    // makes its content another one than that of other marks
};

// All messages, batch by batch, of the tenants in turns; the recipients are numbered from `first`.
std::vector<Submission> in_turns(std::span<const BenchTenant> tenants, const DrainOptions& options,
                                 std::size_t first = 0);

void submit_all(Patience& patience, World& world, const DrainOptions& options, const std::vector<Submission>& all);

// CPU of a message in microseconds, by component.
boost::json::object cost_of(const Usage& usage, std::size_t messages);

} // namespace penguin::bench
