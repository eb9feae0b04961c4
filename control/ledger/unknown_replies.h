// control/ledger/unknown_replies.h
// Counts the refusals that no reply rule knew, by what they said: what `rules coverage` lists. Pure; the ledger runs the statements.
//
//   in      the events of a step
//   out     what they said, each once with its count; one upsert into analytics.unknown_replies, for the transaction of the events
//   form    engine/policy/reply_text.h, of the reply as the event has it (lines joined, at most 512 octets)
//   limits  kUnknownAStep different replies of a step, kUnknownADay rows of a day and what one step adds: what is over them is counted
//           under ''. Days are kept for kUnknownDays.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "control/db/params.h"
#include "engine/base/clock.h"
#include "engine/queue/event.h"

namespace penguin::control::ledger {

inline constexpr std::size_t kUnknownAStep = 200;  // different replies
inline constexpr std::size_t kUnknownADay = 2'000; // rows
inline constexpr int kUnknownDays = 31;

struct UnknownReply {
    std::string phase;
    std::string reply; // "550 5.7.1 text"; "": those that found no room
    std::int64_t count = 0;
    std::string site; // one that said so
    WallTime last;
    friend bool operator==(const UnknownReply&, const UnknownReply&) = default;
};

// By phase and reply.
std::vector<UnknownReply> unknown_among(const std::vector<const queue::Event*>& events, WallTime now);
db::Statement count_unknown(std::vector<UnknownReply> replies, WallTime now);
db::Statement forget_old_unknown(WallTime now);

// "2026-11-24", UTC.
std::string day_text(WallTime time);

} // namespace penguin::control::ledger
