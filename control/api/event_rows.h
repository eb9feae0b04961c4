// control/api/event_rows.h
// Events of the ledger as clients see them, for /v1/events and /v1/messages.
#pragma once

#include "control/api/answers.h"

namespace penguin::control::api {

// The columns that shape_of_event reads.
inline constexpr const char* kEventColumns =
    "batch_id, idx, position, kind, attempt, code, at, next, latency_ms, tls, may_be_duplicate, late, campaign_id, "
    "mailbox_id, "
    "event_key, recipient, class, rule, phase, enhanced, reply, site, source, remote";

json::object shape_of_event(const db::Row& row);

} // namespace penguin::control::api
