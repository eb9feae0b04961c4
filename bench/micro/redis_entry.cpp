// The JSON of a queue entry, there and back: once at acceptance, once at a claim.
#include "bench/micro/octets.h"
#include "bench/micro/samples.h"

namespace penguin::bench::micro {

namespace {

using queue::Entry;

void encode(benchmark::State& state)
{
    const Entry one = sample_entry();
    for (auto step : state) benchmark::DoNotOptimize(one.to_json());
    stands_beside_copy(state, one.to_json().size());
}

void decode(benchmark::State& state)
{
    const std::string json = sample_entry().to_json();
    for (auto step : state) benchmark::DoNotOptimize(Entry::parse(json));
    stands_beside_copy(state, json.size());
}

BENCHMARK(encode)->Name("redis_entry/encode");
BENCHMARK(decode)->Name("redis_entry/decode");

} // namespace

} // namespace penguin::bench::micro
