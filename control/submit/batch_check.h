// control/submit/batch_check.h
// What can be said of a batch without asking a store: addresses, duplicates, variables, content, times. Pure; CPU work of up
// to a second for the largest batch, so it runs on a worker thread (batch_checks.h).
//
//   limits   kRecipientsMax recipients, kRecipientOctetsMax octets of a recipient's name and variables, kBatchOctetsMax
//            of all, kVariablesMax variables a recipient, kLifeMax until it expires (kLifeDefault when nothing is said)
//   strict   every recipient is rendered once, without the attachments, to find a variable without a value. So a strict
//            content's size (with defaults) times the recipients, and what its templates make for all of them, values included,
//            are at most kStrictOctetsMax each
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "control/submit/recipients.h"
#include "engine/mail/content.h"
#include "engine/queue/entry.h"

namespace penguin::control::submit {

inline constexpr std::size_t kRecipientsMax = 10'000;              // a batch
inline constexpr std::size_t kRecipientOctetsMax = 64 * 1024;      // name and variables of one
inline constexpr std::size_t kVariablesMax = 1000;                 // of one
inline constexpr std::size_t kBatchOctetsMax = 16 * 1024 * 1024;   // addresses, names and variables of all
inline constexpr std::size_t kStrictOctetsMax = 256 * 1024 * 1024; // rendered to check a strict content
inline constexpr std::size_t kIdempotencyKeyMax = 255;             // octets
inline constexpr std::chrono::minutes kLifeDefault{(4 * 24 + 12) * 60};
inline constexpr std::chrono::hours kLifeMax{30 * 24};

struct Recipient {
    std::string email;
    std::string name; // display name, may be empty
    std::string vars; // JSON object text (strings, numbers, booleans, null: as if not there), "" when there are none
};

struct BatchRequest {
    TenantId tenant;
    Content content;
    std::optional<EmailAddress> sender; // envelope sender; nothing: the From address
    std::optional<CampaignId> campaign;
    std::optional<MailboxId> mailbox;
    queue::Priority prio = queue::Priority::normal;
    std::optional<WallTime> not_before;
    std::optional<WallTime> expires;
    std::vector<Recipient> recipients;
    std::string idempotency_key; // "" when none
};

struct Refusal {
    enum class Code : std::uint8_t { bad_address, duplicate_recipient, suppressed, missing_variable, outside_window };
    std::size_t index = 0; // place in BatchRequest::recipients
    std::string email;     // as given
    Code code{};
    std::string detail;
    friend bool operator==(const Refusal&, const Refusal&) = default;
};
std::string_view name_of(Refusal::Code code);

// Why a batch is refused whole. The kind is stable: the API's problem codes are made of it.
struct BatchRefused {
    enum class Kind : std::uint8_t {
        bad_request,           // a value breaks a rule or a limit; field names it, detail says which rule
        bad_content,           // the template or message cannot be used; detail names the field
        domain_not_verified,   // the From domain, or the sender's, is not a verified one of this tenant
        tenant_not_active,     // suspended, deleted or not there
        no_recipient_accepted, // see refused
        key_reused,            // the idempotency key belongs to another request
        unavailable,           // PostgreSQL is away or too busy: try later
        backlog_full,          // so much waits for its queue already: try later
        fault,                 // ours
    };
    Kind kind{};
    std::string detail;
    std::vector<Refusal> refused;
    std::string field; // bad_request: its path in POST /v1/batches; empty: the content
};
std::unexpected<BatchRefused> refuse(BatchRefused::Kind kind, std::string detail, std::vector<Refusal> refused = {});

// bad_request, of this field.
std::unexpected<BatchRefused> refuse_field(std::string field, std::string_view rule);

struct Candidate {
    std::size_t index = 0; // in the request
    StoredRecipient recipient;
};

struct CheckedBatch {
    TenantId tenant;
    ContentId content;
    std::size_t content_size = 0; // octets of its JSON
    std::string content_body;     // compressed
    DomainName from_domain;
    EmailAddress sender;
    std::optional<CampaignId> campaign;
    std::optional<MailboxId> mailbox;
    queue::Priority prio{};
    std::optional<WallTime> not_before;
    WallTime expires;
    std::vector<Candidate> candidates; // what the stores decide on
    std::vector<Refusal> refused;
    std::string idempotency_key;
    std::string request_hash; // 32 octets
};

// `given_up`: nobody waits for it any more; what is left of the long part is then not done (unavailable).
std::expected<CheckedBatch, BatchRefused> check_batch(const BatchRequest& request, WallTime now,
                                                      const std::stop_token& given_up = {});

} // namespace penguin::control::submit
