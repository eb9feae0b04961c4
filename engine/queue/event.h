// engine/queue/event.h
// One outcome as the ledger will keep it: one JSON object in the stream pm:{p}:events.
// id is "<message id>:<token>:<sequence>", so that an event told twice is one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/clock.h"
#include "engine/base/uuid.h"
#include "engine/mail/email_address.h"
#include "engine/mail/message_id.h"

namespace penguin::queue {

enum class EventKind : std::uint8_t {
    delivered,  // final: the server took it
    deferred,   // will be tried again
    bounced,    // final: refused, or cannot be delivered
    expired,    // final: its time ran out
    suppressed, // final: the recipient must not get mail
    cancelled,  // final: somebody cancelled it
};
std::string_view name_of(EventKind kind);
Result<EventKind> parse_event_kind(std::string_view text);
constexpr bool is_final(EventKind kind) { return kind != EventKind::deferred; }
// A receiver had it, or said no: what a tenant's quota counts.
constexpr bool was_sent(EventKind kind) { return kind == EventKind::delivered || kind == EventKind::bounced; }

struct Event {
    std::string id;
    MessageId message;
    TenantId tenant;
    std::optional<CampaignId> campaign;
    std::optional<MailboxId> mailbox;
    std::string recipient; // address
    EventKind kind{};
    WallTime at;
    unsigned attempt = 0; // 1 for the first
    std::string klass;    // policy's bounce class, e.g. "invalid_recipient"; "" when delivered
    std::string rule;     // which rule decided; "" for the table of codes
    std::string phase;    // smtp::name_of(Phase)
    int code = 0;         // reply code, 0 when none
    std::string enhanced; // "5.1.1" or ""
    std::string reply;    // what the server said, or what failed; at most kReplyMax octets
    std::string site;
    std::string source; // egress address
    std::string remote; // "mx1.example (192.0.2.1)"
    bool tls = false;
    bool may_be_duplicate = false;
    std::int64_t latency_ms = 0;  // accepted to this outcome
    std::optional<WallTime> next; // deferred: when it will be tried again
    bool suppress = false;        // bounced: the address goes on the tenant's suppression list
    std::string warmup;           // the provider's share of its source's warm-up plan that it counts for, or ""
    bool late = false;            // told by a node that had lost the entry (set by the script)

    static constexpr std::size_t kReplyMax = 512;

    static Result<Event> parse(std::string_view json);
    std::string to_json() const;
};

} // namespace penguin::queue
