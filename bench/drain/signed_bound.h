// bench/drain/signed_bound.h
// What bounds a drain that signs: all cores do nothing but bare RSA-2048 signatures and what a message costs without one.
#pragma once

#include <boost/json/object.hpp>

#include "bench/drain/drain.h"

namespace penguin::bench {

struct SignedBound {
    double rsa2048_us = 0;  // CPU of a bare signature
    double unsigned_us = 0; // CPU a message of all components, those of the client that submits left out
    unsigned cores = 1;
    double messages_per_second() const { return cores * 1e6 / (rsa2048_us + unsigned_us); }
};

// Drains the same mail without signing it, then signs on one core.
SignedBound measure_bound(Patience& patience, const DrainOptions& options);

// {rsa2048_us, unsigned_us, messages_per_second, share}: the share of the bound that `reached` (messages/s) is.
boost::json::object to_json(const SignedBound& bound, double reached);

} // namespace penguin::bench
