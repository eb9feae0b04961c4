// engine/policy/pauses.h
// What refusals have stopped on this node: the pauses of reply rules by their scope, and the counts of thresholds. Pure.
//
//   in      a refusal that a rule knows, or a message that wants to go; the time
//   out     the pauses and alerts that are due by it; the pause that holds a message longest
//   open    a pause without a length lasts kOpenPause; then a message finds out
//   limits  kPausesMax: what has run out makes room; a pause that finds none is not kept
//   lost    with the process: the next refusal brings it back
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/base/clock.h"
#include "engine/policy/thresholds.h"

namespace penguin::policy {

inline constexpr std::chrono::hours kOpenPause{24};
inline constexpr std::chrono::hours kAlertGap{1};
inline constexpr std::size_t kPausesMax = 10'000;

// What of a message a pause may be about.
struct Subject {
    std::string_view provider; // its name; the site's where nobody knows one
    std::string_view site;
    std::string source;   // address
    std::string netblock; // the source's /24 or /64
    std::string_view recipient_domain;
    std::string_view sender_domain;
    std::string campaign; // "": none
};

struct Pause {
    PauseScope scope{};
    WallTime until;
    WallTime since;
    std::string rule; // its id
    friend bool operator==(const Pause&, const Pause&) = default;
};

class Pauses {
public:
    // One refusal under `rule`. Gives what is new by it: pauses that hold from now on, and alerts, the same at most once in
    // kAlertGap. A pause never becomes shorter by another one.
    std::vector<Reaction> react(const ReplyRule& rule, const Subject& subject, WallTime now);
    // The pause that ends last of those that hold it.
    std::optional<Pause> on(const Subject& subject, WallTime now) const;
    // Nothing is paused: no message need be asked for.
    bool empty() const { return pauses_.empty(); }
    std::size_t size() const { return pauses_.size(); }
    // Forgets what has run out.
    void tidy(WallTime now);

private:
    bool pause(PauseScope scope, const Subject& subject, const ReplyRule& rule, const Reaction& reaction, WallTime now);

    std::unordered_map<std::string, Pause> pauses_; // by scope and what it is about
    Thresholds<WallTime> counts_;                   // by rule, reaction and what it is about
};

} // namespace penguin::policy
