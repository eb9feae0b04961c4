#include "engine/smtp/body_encoder.h"

#include "bench/micro/octets.h"

namespace penguin::bench::micro {

namespace {

using smtp::Body;
using smtp::BodyEncoder;

void check(benchmark::State& state)
{
    const std::string message = message_of(static_cast<std::size_t>(state.range(0)));
    for (auto step : state) benchmark::DoNotOptimize(Body::check(message));
    stands_beside_copy(state, message.size());
}

// The views as they go to writev; the kernel's copy is not in it.
void stuff(benchmark::State& state)
{
    const std::string message = message_of(static_cast<std::size_t>(state.range(0)));
    const Body body = Body::check(message).value();
    for (auto step : state) {
        BodyEncoder encoder{body};
        while (!encoder.last()) benchmark::DoNotOptimize(encoder.next());
    }
    stands_beside_copy(state, message.size());
}

BENCHMARK(check)->Name("body/check_crlf")->Apply(all_sizes);
BENCHMARK(stuff)->Name("body/stuff_dots")->Apply(all_sizes);

} // namespace

} // namespace penguin::bench::micro
