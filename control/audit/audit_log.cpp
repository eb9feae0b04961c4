#include "control/audit/audit_log.h"

#include <algorithm>

#include "control/db/tenancy.h"
#include "engine/base/log.h"

namespace penguin::control::audit {

namespace {

constexpr std::chrono::milliseconds kStopPoll{10};

} // namespace

AuditLog::AuditLog(db::PgPool& control, Registry& metrics, std::function<SteadyTime()> clock)
    : control_{control},
      metrics_{metrics},
      clock_{std::move(clock)}
{
}

void AuditLog::note(SecurityEvent event)
{
    const SecurityKind& kind = event.kind;
    metrics_.counter("penguin_audit_events_total", "Callers refused", {{"action", std::string{name_of(kind.action)}}})
        .add();
    switch (kind.action) {
    case SecurityAction::auth_failed:
    case SecurityAction::auth_forged_token: watch(failures_, "auth_failures_burst", "auth.failed"); break;
    case SecurityAction::auth_throttled: break; // its failures were counted
    case SecurityAction::request_denied:
        log::warning("audit", "request_denied",
                     {{"peer", kind.peer},
                      {"actor", kind.actor},
                      {"route", kind.route},
                      {"why", kind.why},
                      {"request", event.request_id}});
        watch(denials_, "denials_burst", "request.denied");
        break;
    }
    tally_.add(std::move(event));
}

void AuditLog::watch(Minute& minute, const char* name, const char* of)
{
    const SteadyTime now = clock_();
    if (!minute.begun || now - *minute.begun >= EventTally::kWindow) minute = {now, 0};
    if (++minute.events != kBurst) return;
    log::warning("audit", name, {{"events", minute.events}, {"within_s", 60}, {"see", "GET /v1/audit"}});
    metrics_.counter("penguin_audit_bursts_total", "Minutes with many refused callers", {{"of", of}}).add();
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
