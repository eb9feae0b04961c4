// Fairness in a lane: what it costs to put a message in and take one out.
#include <memory>

#include "bench/micro/octets.h"
#include "engine/base/uuid.h"
#include "engine/policy/fair_queue.h"

namespace penguin::bench::micro {

namespace {

using Queue = policy::FairQueue<TenantId, std::shared_ptr<int>>;

constexpr std::size_t kNormal = 1; // priority

TenantId tenant_number(std::size_t number)
{
    return TenantId{Uuid::from_bytes({static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)})};
}

// So many tenants wait, each with two messages; 0: one, whose queue is empty between two messages.
void pass(benchmark::State& state)
{
    const auto tenants = static_cast<std::size_t>(state.range(0));
    Queue queue;
    for (std::size_t i = 0; i < 2 * tenants; ++i)
        queue.push(tenant_number(i % tenants), 1, kNormal, std::make_shared<int>(static_cast<int>(i)));
    const auto message = std::make_shared<int>(0);
    std::size_t next = 0;
    for (auto step : state) {
        queue.push(tenant_number(next), 1, kNormal, message);
        benchmark::DoNotOptimize(queue.pop());
        next = next + 1 < tenants ? next + 1 : 0;
    }
}

BENCHMARK(pass)->Name("fair_queue/lane_of_tenants")->Arg(0)->Arg(1)->Arg(100)->Arg(1'000);

} // namespace

} // namespace penguin::bench::micro
