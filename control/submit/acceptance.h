// control/submit/acceptance.h
// Takes a batch: checks it, writes its content, then one row with all its recipients. When accept gives a value, the mail
// is ours (DESIGN 4.2).
//
//   refusals   by recipient: bad_address, duplicate_recipient, suppressed. The others are accepted; when none is left, the
//              batch is refused whole. So a client must read `refused` even after a success.
//   ids        "<batch>.<index>", where index counts the accepted recipients in their order in the request
//   again      the same idempotency key with the same request gives the same answer, with another one key_reused. It
//              holds as long as the batch's row is kept.
//   limits     kRecipientsMax recipients, kRecipientOctetsMax octets of a recipient's name and variables,
//              kBatchOctetsMax octets of all, kLifeDefault until it expires
//   faults     a crash between the two transactions leaves a content nobody names, which its retention ends; a client that
//              got no answer repeats with its key
//   crash points  submit.content.before/after, submit.batch.before/after
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/db/database.h"
#include "engine/base/metrics.h"
#include "engine/mail/content.h"
#include "engine/queue/entry.h"

namespace penguin::control::submit {

inline constexpr std::size_t kRecipientsMax = 10'000;            // a batch
inline constexpr std::size_t kRecipientOctetsMax = 64 * 1024;    // name and variables of one
inline constexpr std::size_t kBatchOctetsMax = 32 * 1024 * 1024; // names, variables and addresses of all
inline constexpr std::size_t kIdempotencyKeyMax = 255;           // octets
inline constexpr std::chrono::minutes kLifeDefault{(4 * 24 + 12) * 60};
inline constexpr std::chrono::hours kContentKept{7 * 24}; // after the last batch that names it has expired

struct Recipient {
    std::string email;
    std::string name; // display name, may be empty
    std::string vars; // JSON object text, "" when there are none
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
    enum class Code : std::uint8_t { bad_address, duplicate_recipient, suppressed, missing_variable };
    std::size_t index = 0; // place in BatchRequest::recipients
    std::string email;     // as given
    Code code{};
    std::string detail;
};
std::string_view name_of(Refusal::Code code);

struct Accepted {
    BatchId batch;
    std::size_t count = 0; // messages; their ids are <batch>.0 ... <batch>.<count - 1>
    std::vector<Refusal> refused;
    bool repeated = false; // the answer of an earlier request with this key
};

// Why a batch is refused whole. The kind is stable: the API's problem codes are made of it.
struct BatchRefused {
    enum class Kind : std::uint8_t {
        bad_request,           // a value breaks a rule or a limit; detail says which
        bad_content,           // the template or message cannot be used; detail names the field
        domain_not_verified,   // the From domain is not a verified one of this tenant
        tenant_not_active,     // suspended, deleted or not there
        no_recipient_accepted, // see refused
        key_reused,            // the idempotency key belongs to another request
        unavailable,           // PostgreSQL is away: try later
        fault,                 // ours
    };
    Kind kind{};
    std::string detail;
    std::vector<Refusal> refused;
};

class Acceptance {
public:
    // `database` as pm_api. `on_accepted` is called on this thread after each commit: it wakes the pump.
    Acceptance(db::Database& database, std::function<void()> on_accepted, Registry& metrics);

    awaitable<std::expected<Accepted, BatchRefused>> accept(BatchRequest request, WallTime now);

private:
    struct Checked;
    db::Database& database_;
    std::function<void()> on_accepted_;
    Counter& batches_;
    Counter& messages_;
    Counter& refused_batches_;
    Counter& refused_recipients_;
    Histogram& seconds_;
};

// The recipient of a message that may have no event yet. Errors: not_found (no such message of this tenant).
struct StoredRecipient {
    EmailAddress to;
    std::string name;
    std::string vars;
};
awaitable<Result<StoredRecipient>> find_recipient(db::PgPool& queue, TenantId tenant, MessageId id);

} // namespace penguin::control::submit
