#include "engine/policy/token_bucket.h"
#include "bench/micro/octets.h"

namespace penguin::bench::micro {

namespace {

// One message: is there a token, and take it.
void pass(benchmark::State& state)
{
    policy::TokenBucket bucket{1'000'000, 100};
    SteadyTime now{std::chrono::hours{1}};
    for (auto step : state) {
        now += std::chrono::microseconds{1};
        if (bucket.level(now) >= 1) bucket.take(1, now);
        benchmark::DoNotOptimize(bucket);
    }
}

BENCHMARK(pass)->Name("token_bucket/pass");

} // namespace

} // namespace penguin::bench::micro
