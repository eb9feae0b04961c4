// control/ledger/database_age.h
// A PostgreSQL restored from a backup does not know what was sent since: pump and reconciler would send it again. Redis keeps
// the position that the ledger committed last, so a database whose own position is lower is an older one.
#pragma once

#include <optional>

#include "control/db/pg_pool.h"
#include "engine/queue/send_queue.h"

namespace penguin::control::ledger {

// Gives the time when an older one was accepted last: what was sent of batches from before is not known. Errors: conflict (it
// is older; detail says what to do), unavailable.
awaitable<Result<std::optional<WallTime>>> database_is_current(db::PgPool& analytics, queue::SendQueue& queue,
                                                               PoolName pool);

// A person's decision: what the older database calls not enqueued counts as sent, and its position is the one that counts.
// Gives how many batches that concerns.
awaitable<Result<std::size_t>> accept_restored_database(db::PgPool& queue_tier, db::PgPool& analytics,
                                                        queue::SendQueue& queue, PoolName pool);

} // namespace penguin::control::ledger
