#include "control/submit/batch_entries.h"

#include "control/submit/recipients.h"

namespace penguin::control::submit {

namespace {

// Entries of a cancelled batch wait in the queue until they are taken out; nobody may claim them before.
constexpr std::chrono::hours kCancelledHeld{24};

} // namespace

Result<std::vector<queue::Entry>> entries_of(const db::Row& row, std::uint32_t first, bool cancelled)
{
    Result<std::vector<StoredRecipient>> recipients = unpack_chunk(row.get<db::Bytes>("chunk").value);
    if (!recipients) return std::unexpected{recipients.error()};
    Result<EmailAddress> sender = EmailAddress::parse(row.text("sender"));
    if (!sender) return fail(sender.error(), "sender of a batch");
    std::optional<WallTime> not_before = row.get<std::optional<WallTime>>("not_before");
    if (cancelled) not_before = wall_now() + kCancelledHeld;
    std::vector<queue::Entry> entries;
    for (std::size_t i = 0; i < recipients->size(); ++i) {
        StoredRecipient& one = (*recipients)[i];
        entries.push_back({.id = {row.get<BatchId>("id"), first + static_cast<std::uint32_t>(i)},
                           .tenant = row.get<TenantId>("tenant_id"),
                           .campaign = row.get<std::optional<CampaignId>>("campaign_id"),
                           .mailbox = row.get<std::optional<MailboxId>>("mailbox_id"),
                           .from = *sender,
                           .to = std::move(one.to),
                           .content = row.get<std::string>("content_id"),
                           .raw = {},
                           .vars = std::move(one.vars),
                           .prio = static_cast<queue::Priority>(row.get<int>("prio")),
                           .not_before = not_before,
                           .expires = row.get<WallTime>("expires"),
                           .attempt = 0,
                           .queued = row.get<WallTime>("created"),
                           .avoid = {}});
    }
    return entries;
}

} // namespace penguin::control::submit
