// engine/queue/entry.h
// One queued message as Redis keeps it: one JSON object. Anything that can write JSON can be a producer.
//
//   fields  v (1), id, tenant, campaign, mailbox, from, to, content or raw, vars, prio, not_before, expires, attempt,
//           queued, avoid; times in Unix milliseconds. id, tenant, to and one of content and raw must be there.
//   limits  kEntryMax octets; raw at most kRawMax octets before base64; vars one flat object of strings, numbers,
//   booleans errors  malformed, bad_value, too_long: detail names the field and the rule. Such an entry goes to
//   pm:{p}:dead.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/clock.h"
#include "engine/base/uuid.h"
#include "engine/mail/email_address.h"
#include "engine/mail/message_id.h"

namespace penguin::queue {

inline constexpr std::size_t kEntryMax = std::size_t{128} * 1024; // octets of JSON
inline constexpr std::size_t kRawMax = std::size_t{64} * 1024;    // octets of message

enum class Priority : std::uint8_t { high = 0, normal = 1, low = 2 };

struct Entry {
    MessageId id;
    TenantId tenant;
    std::optional<CampaignId> campaign;
    std::optional<MailboxId> mailbox;
    std::optional<EmailAddress> from; // nothing: the null sender; else the engine puts its VERP return path there
    EmailAddress to;
    std::string content; // ContentId text; empty when `raw` is given
    std::string raw;     // whole message (decoded from base64), CRLF line ends
    std::string vars;    // JSON object text, "" when there are none
    Priority prio = Priority::normal;
    std::optional<WallTime> not_before;
    std::optional<WallTime> expires;       // after it, no attempt is made
    unsigned attempt = 0;                  // attempts that were made
    WallTime queued;                       // when the batch was accepted: latencies count from here
    std::map<std::string, WallTime> avoid; // node -> until when it does not want this entry

    // What its life counts from: one that was scheduled has not begun to wait before its time.
    WallTime life_begins() const { return std::max(queued, not_before.value_or(queued)); }

    static Result<Entry> parse(std::string_view json);
    std::string to_json() const;
};

} // namespace penguin::queue
