// engine/policy/warmup/decision.h
// When a source goes on, stays, or goes back at a provider: the feedback of the warm-up. Pure: numbers of a day in, one decision
// out, with its reason and those numbers.
//
//   once a day   of the day that is over, in the order of `decide_day`; the first that applies
//   at once      decide_now, while the day runs: a listing stops, signals over `back` go one stage back; once a day each
//   signals      shares of what was sent: hard bounces (no such mailbox or domain), blocks (refusals, also passing ones, for
//                what the address or the sender is), deferrals (too much, too fast), complaints
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/clock.h"
#include "engine/policy/bounce_class.h"
#include "engine/policy/warmup/lane.h"
#include "engine/policy/warmup/plan.h"

namespace penguin::policy {

inline constexpr std::uint64_t kSampleNow = 20; // messages of a day from which its signals are judged before it is over

// What attempts of a day came to, as the ledger counts them.
struct WarmupCounts {
    std::uint64_t sent = 0; // attempts that the provider heard of
    std::uint64_t delivered = 0;
    std::uint64_t hard_bounces = 0;
    std::uint64_t blocks = 0;
    std::uint64_t deferrals = 0;
    // An attempt that ended so; `final`: it is not tried again.
    void add(BounceClass klass, bool taken, bool final);
    friend bool operator==(const WarmupCounts&, const WarmupCounts&) = default;
};

// What others say: complaints by reports and by providers' own figures, lists that have the address.
struct OutsideSignals {
    std::uint64_t complaints = 0;
    std::optional<double> complaint_share; // the highest that somebody measured
    std::uint64_t listings = 0;
    friend bool operator==(const OutsideSignals&, const OutsideSignals&) = default;
};

struct WarmupNumbers {
    std::optional<std::uint64_t> cap; // of the day
    WarmupCounts counts;
    OutsideSignals outside;
    friend bool operator==(const WarmupNumbers&, const WarmupNumbers&) = default;
};

// Of a source at a provider.
struct WarmupState {
    std::size_t stage = 0;
    std::optional<Day> last_sent;     // before the day that is judged
    std::optional<Day> stopped;       // nothing goes on this day
    std::optional<Day> stepped_back;  // at once, on this day
    std::optional<std::uint64_t> cap; // a person's, in place of the plan's: no stage is changed meanwhile
    friend bool operator==(const WarmupState&, const WarmupState&) = default;
};

enum class WarmupMove : std::uint8_t { advance, hold, step_back, restart, stop };
std::string_view name_of(WarmupMove move);

struct WarmupDecision {
    WallTime at;
    std::string source; // address
    std::string provider;
    WarmupMove move{};
    std::size_t from = 0; // stages
    std::size_t to = 0;
    std::string reason; // a word: "used", "unused", "hard_bounces" ..., of README.md
    WarmupNumbers numbers;
    friend bool operator==(const WarmupDecision&, const WarmupDecision&) = default;
};

// What there is to do; `source`, `provider` and `at` are the caller's to fill in.
WarmupDecision decide_day(const WarmupPlan& plan, const WarmupState& state, Day day, const WarmupNumbers& numbers);
// Nothing: the day goes on as it is.
std::optional<WarmupDecision> decide_now(const WarmupPlan& plan, const WarmupState& state, Day today,
                                         const WarmupNumbers& numbers);
// After a decision about `day` that was made on `today` (the day itself for one at once).
WarmupState after(WarmupState state, const WarmupDecision& decision, Day day, Day today);

// The share of a signal in what was sent, when there is enough of it to be judged.
std::optional<double> share_of(const WarmupPlan& plan, WarmupSignal signal, const WarmupNumbers& numbers);

} // namespace penguin::policy
