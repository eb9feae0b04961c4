#include "engine/queue/event.h"

#include "bench/micro/octets.h"

namespace penguin::bench::micro {

namespace {

using queue::Event;

Event event()
{
    const WallTime now = wall_now();
    const MessageId message{.batch = BatchId{Uuid::v7(now)}, .index = 17};
    return {.id = message.text() + ":" + Uuid::v7(now).text() + ":3",
            .message = message,
            .tenant = TenantId{Uuid::v7(now)},
            .campaign = CampaignId{Uuid::v7(now)},
            .mailbox = MailboxId{Uuid::v7(now)},
            .recipient = "ann.other@customer-17.example",
            .kind = queue::EventKind::delivered,
            .at = now,
            .attempt = 1,
            .phase = "body",
            .code = 250,
            .enhanced = "2.0.0",
            .reply = "2.0.0 Ok: queued as 4F1B2C3D5E",
            .site = "mx1.customer-17.example,mx2.customer-17.example",
            .source = "192.0.2.17",
            .remote = "mx1.customer-17.example (198.51.100.1)",
            .tls = true,
            .latency_ms = 1'234};
}

void encode(benchmark::State& state)
{
    const Event one = event();
    for (auto step : state) benchmark::DoNotOptimize(one.to_json());
    stands_beside_copy(state, one.to_json().size());
}

void decode(benchmark::State& state)
{
    const std::string json = event().to_json();
    for (auto step : state) benchmark::DoNotOptimize(Event::parse(json));
    stands_beside_copy(state, json.size());
}

BENCHMARK(encode)->Name("event/encode");
BENCHMARK(decode)->Name("event/decode");

} // namespace

} // namespace penguin::bench::micro
