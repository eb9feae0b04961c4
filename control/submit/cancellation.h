// control/submit/cancellation.h
// Cancels what of a batch is still queued. What a node has in its hand goes on; what the pump has not enqueued yet is
// enqueued, held and taken out again, so that every accepted message ends with one final event and the counts close.
#pragma once

#include "control/db/database.h"
#include "engine/queue/send_queue.h"

namespace penguin::control::submit {

// `queue_tier` as pm_worker; `queue` is the one of the batch's pool. Gives how many messages it took out or keeps from being
// enqueued. Errors: not_found (no such batch of this tenant), unavailable. May be repeated.
awaitable<Result<std::size_t>> cancel_batch(db::PgPool& queue_tier, queue::SendQueue& queue, TenantId tenant,
                                            BatchId batch);

} // namespace penguin::control::submit
