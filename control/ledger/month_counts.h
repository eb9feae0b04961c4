// control/ledger/month_counts.h
// What tenants have sent in the month, for quotas: Redis counts by itself (engine/queue/scripts/tenant_limits.lua) and asks the
// ledger where it cannot: a tenant that has a quota since just now, or a Redis that may have lost data.
//
//   exact    the ledger's count and its position are of one transaction; Redis adds what its stream has behind that position and
//            what hands hold. Whoever waits to be counted is claimed nothing of, so nothing moves meanwhile
//   not now  while the ledger is behind the stream, or nodes are telling their journals: at the next look
#pragma once

#include <string>

#include "control/db/database.h"
#include "engine/queue/send_queue.h"

namespace penguin::control::ledger {

inline constexpr std::size_t kCountedAtOnce = 500; // tenants

// 202611
int month_of(WallTime at);

// `position`: what the ledger committed last and has confirmed. `analytics` as pm_worker. Gives how many tenants are counted now.
awaitable<Result<std::size_t>> count_months(db::PgPool& analytics, queue::SendQueue& queue, const PoolName& pool,
                                            const std::string& position, WallTime now);

} // namespace penguin::control::ledger
