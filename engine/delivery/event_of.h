// engine/delivery/event_of.h
// What the ledger will be told of one outcome. Pure.
#pragma once

#include "engine/delivery/job.h"
#include "engine/policy/retry_schedule.h"
#include "engine/queue/send_queue.h"

namespace penguin::delivery {

// Whether the provider heard of the message: it was spoken of in MAIL or later. Such attempts count for a warm-up.
bool heard(const Finished& finished);

// The settlement of a finished job: delivered, bounced, or deferred with the time of its next attempt; a job whose life
// ends before that has expired. Not for verdicts that give the job back.
queue::Settlement settlement_of(const Finished& finished, const policy::RetrySchedule& schedule, WallTime now,
                                double random);

// A job that ends here before any attempt: its time ran out, or its recipient must get no mail.
queue::Settlement settlement_of_end(const Job& job, queue::EventKind kind, policy::BounceClass klass, WallTime now);

} // namespace penguin::delivery
