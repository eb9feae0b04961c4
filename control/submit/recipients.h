// control/submit/recipients.h
// How a batch's row keeps its recipients: chunks of kChunk, each zlib of a JSON array of [address, variables]. The pump
// reads one chunk at a time, and 1,000 recipients cost PostgreSQL 1.1 us each (measured) instead of 3.2 as jsonb.
//   errors  malformed (damaged), too_long
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/db/params.h"
#include "control/db/pg_pool.h"
#include "engine/mail/email_address.h"
#include "engine/mail/message_id.h"

namespace penguin::control::submit {

inline constexpr std::size_t kChunk = 500;                       // recipients; also one call of enqueue
inline constexpr std::size_t kChunkOctetsMax = 40 * 1024 * 1024; // JSON of a chunk: more than a batch may have in all

struct StoredRecipient {
    EmailAddress to;
    std::string vars; // JSON object text, "" when there are none; "name" in it is the display name
};

std::vector<db::Bytes> pack_recipients(const std::vector<StoredRecipient>& recipients);
Result<std::vector<StoredRecipient>> unpack_chunk(std::string_view chunk);

// Of a message that may have no event yet. `queue` as pm_api. Errors: not_found (no such message of this tenant).
awaitable<Result<StoredRecipient>> find_recipient(db::PgPool& queue, TenantId tenant, MessageId id);

} // namespace penguin::control::submit
