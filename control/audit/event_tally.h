// control/audit/event_tally.h
// Makes few records of many events, so that who is refused cannot fill the database. Time is a parameter.
//
//   at once   the first event of a kind is a record at the next `take`
//   later     its repetitions are counted, and are one record at the end of the minute
//   others    what comes over kRowsAMinute kinds of an action in a minute, or over kKindsMax kinds of it at once, is counted without
//             its kind: one record an action at the end of the minute, of the peer "others"
//   limits    so at most (kRowsAMinute + 1) * kSecurityActions records a minute, whatever anybody does; no action uses up the
//             room of another
#pragma once

#include <array>
#include <map>
#include <vector>

#include "control/audit/security_events.h"
#include "control/db/audit_entry.h"

namespace penguin::control::audit {

class EventTally {
public:
    static constexpr std::chrono::minutes kWindow{1};
    static constexpr std::size_t kRowsAMinute = 15; // of an action, each of one kind
    static constexpr std::size_t kKindsMax = 250;   // of an action, remembered at once
    static constexpr std::size_t kFieldMax = 256;   // octets of a kind's text that are kept

    struct Row {
        db::AuditEntry entry;
        SecurityAction action{};
        std::uint64_t events = 0;
    };

    void add(SecurityEvent event);
    // What is due.
    std::vector<Row> take(SteadyTime now);
    // Everything, at the end.
    std::vector<Row> take_all();

private:
    struct Count {
        std::uint64_t events = 0;
        WallTime first, last;
        std::string request_id; // of the first
        bool written = false;   // in this window
    };
    void new_window();
    std::vector<Row> take_others();
    void take_new(std::vector<Row>& rows);
    static Row row_of(const SecurityKind& kind, Count& count);
    void to_others(SecurityAction action, const Count& count);

    std::array<std::map<SecurityKind, Count>, kSecurityActions> counts_; // by action
    std::array<Count, kSecurityActions> others_;
    std::array<std::size_t, kSecurityActions> rows_{}; // of this window
    std::optional<SteadyTime> begun_;
};

} // namespace penguin::control::audit
