// engine/queue/warmup_count.h
// Which of a node's warm-up counts an outcome moves. `settle` counts in the same step that takes the entry out of the hand, so
// that a count is neither lost nor doubled, whenever a node dies.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "engine/base/day.h"
#include "engine/queue/event.h"

namespace penguin::queue {

// Of one source, on one day of UTC: share of its plan -> attempts.
using WarmupCounts = std::map<std::string, std::uint64_t, std::less<>>;

// "192.0.2.1:2026-03-10 gmail": the key behind `warmup:`, and its field. "" for what counts nowhere, which costs no more than a look.
std::string warmup_count_of(std::string_view event_json);

} // namespace penguin::queue
