// control/ledger/event_batch.h
// What the events of one step mean: which are kept, how counters move, as arrays for PostgreSQL. Pure.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/db/params.h"
#include "engine/policy/warmup/decision.h"
#include "engine/queue/event.h"

namespace penguin::control::ledger {

// What earlier steps know of the messages in this one.
struct Known {
    std::set<std::string> event_ids;                      // of messages with a late event here
    std::set<std::pair<TenantId, MessageId>> ended;       // have a final event: messages with a late event here
    std::set<std::pair<TenantId, MessageId>> late_finals; // their final event came late: any message here
};

struct Counts {
    int delivered = 0, bounced = 0, expired = 0, suppressed = 0, cancelled = 0, deferred = 0;
    friend bool operator==(const Counts&, const Counts&) = default;
};

// A source's day at a provider, by the events that name one (queue::Event::warmup).
struct WarmupDay {
    std::string source, provider;
    std::chrono::sys_days day;
    friend auto operator<=>(const WarmupDay&, const WarmupDay&) = default;
};

struct EventBatch {
    std::vector<const queue::Event*> kept; // point into what was given
    std::map<std::pair<TenantId, BatchId>, Counts> counts;
    std::map<std::pair<TenantId, int>, std::int64_t> sent; // by month (202611): delivered and bounced
    std::map<WarmupDay, policy::WarmupCounts> warmups;
    std::set<std::pair<TenantId, MessageId>> new_late_finals;
    std::size_t dropped = 0; // told twice
};
EventBatch weigh(const std::vector<queue::Event>& events, const Known& known, WallTime now);

// Parameters $1 ... of kInsertEvents in ledger.cpp, in the order of the events.
db::Params event_params(const std::vector<const queue::Event*>& events, WallTime now);

// PostgreSQL takes neither NUL nor broken UTF-8.
std::string clean_text(std::string_view text);

// The part of the id behind "<message id>:".
std::string event_key(const queue::Event& event);

} // namespace penguin::control::ledger
