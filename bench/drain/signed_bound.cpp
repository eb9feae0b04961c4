#include "bench/drain/signed_bound.h"

#include <thread>

#include "bench/harness/bare_rsa.h"
#include "bench/harness/report.h"

namespace penguin::bench {

SignedBound measure_bound(Patience& patience, const DrainOptions& options)
{
    DrainOptions without = options;
    without.dkim = "none";
    without.world.ed25519 = false;
    without.bound = false;
    const json::object run = drain_once(patience, without);
    SignedBound bound;
    for (const auto& [component, micros] : run.at("cpu_us_per_message").as_object())
        if (component != kClient) bound.unsigned_us += micros.to_number<double>();
    bound.rsa2048_us = bare_rsa_us(patience);
    bound.cores = std::thread::hardware_concurrency();
    return bound;
}

json::object to_json(const SignedBound& bound, double reached)
{
    return {{"rsa2048_us", rounded(bound.rsa2048_us)},
            {"unsigned_us", rounded(bound.unsigned_us)},
            {"messages_per_second", rounded(bound.messages_per_second())},
            {"share", rounded(reached / bound.messages_per_second())}};
}

} // namespace penguin::bench
