#include "bench/micro/octets.h"
#include "engine/queue/entry.h"

namespace penguin::bench::micro {

namespace {

using queue::Entry;

Entry entry()
{
    const WallTime now = wall_now();
    return {.id = {.batch = BatchId{Uuid::v7(now)}, .index = 17},
            .tenant = TenantId{Uuid::v7(now)},
            .campaign = CampaignId{Uuid::v7(now)},
            .mailbox = MailboxId{Uuid::v7(now)},
            .from = EmailAddress::parse("sales@example.com").value(),
            .to = EmailAddress::parse("ann.other@customer-17.example").value(),
            .content = std::string(64, 'a'),
            .vars = R"({"first_name":"Ann","last_name":"Other","company":"Customer 17 Ltd","city":"Berlin"})",
            .expires = now + std::chrono::days{4},
            .queued = now};
}

void encode(benchmark::State& state)
{
    const Entry one = entry();
    for (auto step : state) benchmark::DoNotOptimize(one.to_json());
    stands_beside_copy(state, one.to_json().size());
}

void decode(benchmark::State& state)
{
    const std::string json = entry().to_json();
    for (auto step : state) benchmark::DoNotOptimize(Entry::parse(json));
    stands_beside_copy(state, json.size());
}

BENCHMARK(encode)->Name("redis_entry/encode");
BENCHMARK(decode)->Name("redis_entry/decode");

} // namespace

} // namespace penguin::bench::micro
