// bench/micro/samples.h
// The queue entry that several benchmarks measure: a cold e-mail's, with the fields that the outbox writes.
#pragma once

#include "engine/queue/entry.h"

namespace penguin::bench::micro {

inline queue::Entry sample_entry()
{
    const WallTime now = wall_now();
    return {.id = {.batch = BatchId{Uuid::v7(now)}},
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

} // namespace penguin::bench::micro
