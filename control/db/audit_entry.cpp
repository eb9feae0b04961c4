#include "control/db/audit_entry.h"

#include "engine/base/log.h"
#include "engine/base/utf8.h"

namespace penguin::control::db {

namespace {

std::string fitting(std::string_view text, std::size_t max)
{
    std::string out{text.substr(0, max)};
    if (text.size() > max) // not in the middle of a character
        while (!out.empty() && (static_cast<unsigned char>(text[out.size()]) & 0xC0U) == 0x80U) out.pop_back();
    if (is_clean_text(out)) return out;
    for (char& octet : out)
        if (octet < ' ' || octet > '~') octet = '?';
    return out;
}

} // namespace

Statement audit_statement(const AuditEntry& entry)
{
    const bool fits = entry.detail.size() <= kAuditDetailMax && is_clean_text(entry.detail);
    return {"select control.audit_append($1, $2, $3, $4, $5, $6, $7, $8) as seq",
            Params{entry.time, fitting(entry.action, kAuditNameMax), fitting(entry.actor, kAuditActorMax), entry.tenant,
                   fitting(entry.resource, kAuditResourceMax), fitting(entry.peer, kAuditNameMax),
                   fitting(entry.request_id, kAuditNameMax), fits ? entry.detail : R"({"cut":true})"}};
}

void tell_at_commit(Transaction& tx, const AuditEntry& entry)
{
    tx.at_commit([entry, &metrics = tx.metrics()] {
        log::info("audit", "changed",
                  {{"action", entry.action},
                   {"actor", entry.actor},
                   {"tenant", entry.tenant ? entry.tenant->value().text() : ""},
                   {"resource", entry.resource},
                   {"peer", entry.peer},
                   {"request", entry.request_id}});
        metrics
            .counter("penguin_audit_changes_total", "Changes of settings that were committed",
                     {{"action", entry.action}})
            .add();
    });
}

awaitable<Result<>> append_audit(Transaction& tx, AuditEntry entry)
{
    Statement statement = audit_statement(entry);
    const Result<Rows> rows = co_await tx.query(std::move(statement.sql), std::move(statement.params));
    if (!rows) co_return std::unexpected{rows.error()};
    tell_at_commit(tx, entry);
    co_return Result<>{};
}

} // namespace penguin::control::db
