// engine/queue/settlement.h
// What became of one claimed entry: as the engine thinks of it, and as the journal and Redis are told.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/queue/entry.h"
#include "engine/queue/event.h"

namespace penguin::queue {

using Token = std::string; // unique for each claim of an entry; made by the script

struct Settlement {
    Token token;
    Event event;
    std::optional<Entry> retry; // deferred: the entry as it goes back (attempt counted)
    WallTime retry_at{};        // deferred
    std::uint64_t sequence = 0; // counts a node's outcomes, so that Redis knows one that it is told twice; 0: none
};

// In place of a retry's time: the message ended without having been sent, so no quota counts it.
inline constexpr std::int64_t kNeverSent = 1;

struct WrittenSettlement {
    std::uint64_t sequence = 0;
    Token token;
    std::string message;          // id
    std::string event;            // JSON
    std::string retry;            // packed entry, "" when the outcome is final
    std::int64_t retry_at_ms = 0; // of a final outcome 0 or kNeverSent
    friend bool operator==(const WrittenSettlement&, const WrittenSettlement&) = default;
};

WrittenSettlement written(const Settlement& settlement);

// "<prio><tenant>\n<entry>", as hands and `wait` hold it (scripts/common.lua).
std::string packed(const Entry& entry);

} // namespace penguin::queue
