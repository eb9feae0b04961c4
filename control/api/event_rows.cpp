#include "control/api/event_rows.h"

#include "engine/mail/message_id.h"

namespace penguin::control::api {

json::object shape_of_event(const db::Row& row)
{
    const MessageId message{row.get<BatchId>("batch_id"), row.get<std::uint32_t>("idx")};
    return {{"id", message.text() + ":" + row.get<std::string>("event_key")},
            {"message_id", message.text()},
            {"batch_id", message.batch.value().text()},
            {"kind", row.text("kind")},
            {"at", to_rfc3339(row.get<WallTime>("at"))},
            {"recipient", row.text("recipient")},
            {"attempt", row.get<std::int64_t>("attempt")},
            {"class", row.text("class")},
            {"rule", row.text("rule")},
            {"phase", row.text("phase")},
            {"code", row.get<std::int64_t>("code")},
            {"enhanced_code", row.text("enhanced")},
            {"reply", row.text("reply")},
            {"site", row.text("site")},
            {"source", row.text("source")},
            {"remote", row.text("remote")},
            {"tls", row.get<bool>("tls")},
            {"may_be_duplicate", row.get<bool>("may_be_duplicate")},
            {"late", row.get<bool>("late")},
            {"latency_ms", row.get<std::int64_t>("latency_ms")},
            {"next_attempt_at", time_or_null(row.get<std::optional<WallTime>>("next"))},
            {"campaign_id", id_or_null(row.get<std::optional<CampaignId>>("campaign_id"))},
            {"mailbox_id", id_or_null(row.get<std::optional<MailboxId>>("mailbox_id"))}};
}

} // namespace penguin::control::api
