// control/submit/batch_entries.h
// Entries of a chunk of a batch's row, as the pump and the reconciler give them to the queue.
#pragma once

#include <vector>

#include "control/db/rows.h"
#include "engine/queue/entry.h"

namespace penguin::control::submit {

// `row` has tenant_id, id, content_id, campaign_id, mailbox_id, sender, prio, not_before, expires, created and `chunk`, whose
// first recipient is message `first`. `cancelled`: nobody may claim them before they are taken out again.
// Errors: malformed, bad_address.
Result<std::vector<queue::Entry>> entries_of(const db::Row& row, std::uint32_t first, bool cancelled);

} // namespace penguin::control::submit
