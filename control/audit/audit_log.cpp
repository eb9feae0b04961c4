#include "control/audit/audit_log.h"

#include <algorithm>

#include "control/db/tenancy.h"
#include "engine/base/log.h"

namespace penguin::control::audit {

namespace {

constexpr std::chrono::milliseconds kStopPoll{10};

} // namespace

AuditLog::AuditLog(db::PgPool& control, Registry& metrics) : control_{control}, metrics_{metrics} {}

void AuditLog::note(SecurityEvent event)
{
    watch(event.kind.action, std::chrono::steady_clock::now());
    tally_.add(std::move(event));
}

void AuditLog::watch(SecurityAction action, SteadyTime now)
{
    if (action != SecurityAction::auth_failed && action != SecurityAction::auth_forged_token) return;
    if (!minute_ || now - *minute_ >= EventTally::kWindow) {
        minute_ = now;
        failures_ = 0;
    }
    if (++failures_ == kBurst)
        log::warning("audit", "auth_failures_burst",
                     {{"failures", failures_}, {"within_s", 60}, {"see", "GET /v1/audit"}});
}

void AuditLog::wait_with(std::vector<EventTally::Row> rows)
{
    for (EventTally::Row& row : rows) {
        if (waiting_.size() < kWaitingMax)
            waiting_.push_back(std::move(row));
        else
            metrics_
                .counter("penguin_audit_dropped_total", "Security events that found no room while PostgreSQL was away")
                .add(row.events);
    }
}

awaitable<bool> AuditLog::write_waiting()
{
    const std::size_t count = std::min(waiting_.size(), kRowsAWrite);
    const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
    const std::vector<EventTally::Row> rows{waiting_.begin(), end};
    const auto written = co_await db::as_platform(control_, [&](db::Transaction& tx) -> awaitable<Result<>> {
        std::vector<db::Statement> statements;
        statements.reserve(rows.size());
        for (const EventTally::Row& row : rows) statements.push_back(db::audit_statement(row.entry));
        const auto done = co_await tx.query_all(std::move(statements));
        if (!done) co_return std::unexpected{done.error()};
        co_return Result<>{};
    });
    if (!written) {
        if (!away_) log::warning("audit", "cannot_write", {{"rows", waiting_.size()}, {"why", written.error().detail}});
        away_ = true;
        co_return false;
    }
    away_ = false;
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
    for (const EventTally::Row& row : rows)
        metrics_
            .counter("penguin_audit_records_total", "Audit records of refused callers",
                     {{"action", std::string{name_of(row.action)}}})
            .add();
    co_return true;
}

awaitable<bool> AuditLog::write(SteadyTime now)
{
    wait_with(tally_.take(now));
    writing_ = true;
    bool right = true;
    while (right && !waiting_.empty()) right = co_await write_waiting();
    writing_ = false;
    co_return right;
}

awaitable<void> AuditLog::run()
{
    bool more = true;
    while (more) {
        more = co_await sleep_for(kWriteEvery) && !stopped_;
        if (more) co_await write(std::chrono::steady_clock::now());
    }
}

awaitable<Result<bool>> AuditLog::write_all()
{
    while (writing_) co_await sleep_for(kStopPoll);
    wait_with(tally_.take_all());
    bool right = true;
    while (right && !waiting_.empty()) right = co_await write_waiting();
    co_return right;
}

awaitable<void> AuditLog::stop(Duration limit)
{
    stopped_ = true;
    const Result<bool> all = co_await within(limit, "writing the audit log", write_all());
    if (!all || !*all) log::error("audit", "not_written", {{"rows", waiting_.size()}});
}

} // namespace penguin::control::audit
