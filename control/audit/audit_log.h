// control/audit/audit_log.h
// Keeps what refuses callers in the audit log of PostgreSQL: counted by event_tally.h, written once a second in one transaction.
// Changes of settings are not its business: their transactions append their own records (control/db/audit_entry.h).
//
//   away     rows wait for PostgreSQL, kWaitingMax of them; then the newest are dropped and their events counted in
//            penguin_audit_dropped_total
//   twice    when the answer to a COMMIT is lost the rows are written again: a row may be there twice, never not at all
//   counted  each event in penguin_audit_events_total{action}; a denied request is a log line too (who checks credentials writes
//            those of wrong ones)
//   alert    log lines `auth_failures_burst` and `denials_burst`, and penguin_audit_bursts_total{of}, once a minute when kBurst wrong
//            credentials, or denied requests, came in it
//   threads  belongs to one
#pragma once

#include <deque>
#include <functional>
#include <optional>

#include "control/audit/event_tally.h"
#include "control/db/pg_pool.h"
#include "engine/base/asio.h"
#include "engine/base/metrics.h"

namespace penguin::control::audit {

class AuditLog final : public SecurityEvents {
public:
    static constexpr std::chrono::seconds kWriteEvery{1};
    static constexpr std::size_t kWaitingMax = 1'000; // rows
    static constexpr std::size_t kRowsAWrite = 100;
    static constexpr std::uint64_t kBurst = 100; // in a minute, of all peers together

    // `control` as pm_api.
    AuditLog(db::PgPool& control, Registry& metrics,
             std::function<SteadyTime()> clock = std::chrono::steady_clock::now);

    void note(SecurityEvent event) override;
    // Until it is stopped.
    awaitable<void> run();
    // Writes what is due. False when some of it waits for PostgreSQL.
    awaitable<bool> write(SteadyTime now);
    // Writes everything, in `limit` at most.
    awaitable<void> stop(Duration limit);

private:
    void wait_with(std::vector<EventTally::Row> rows);
    awaitable<bool> write_waiting();
    awaitable<Result<bool>> write_all();
    struct Minute {
        std::optional<SteadyTime> begun;
        std::uint64_t events = 0;
    };
    void watch(Minute& minute, const char* name, const char* of);

    db::PgPool& control_;
    Registry& metrics_;
    EventTally tally_;
    std::deque<EventTally::Row> waiting_;
    bool writing_ = false;
    bool stopped_ = false;
    bool away_ = false; // said in the log
    std::function<SteadyTime()> clock_;
    Minute failures_;
    Minute denials_;
};

} // namespace penguin::control::audit
