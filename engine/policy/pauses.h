// engine/policy/pauses.h
// What refusals have stopped: the pauses of reply rules by their scope, and the counts of thresholds. Pure.
//
//   in      a refusal that a rule knows, or a message that wants to go; the time; what all nodes know of pauses
//   out     the pauses and alerts that are due by it; the pause that holds a message longest
//   open    a pause without a length lasts kOpenPause; then a message finds out
//   shared  a pause that is new, or longer by kPauseStep, is told, so that all nodes may hold to it; `learn` takes in what they know. One
//           that a person resumed ends here too, unless a refusal after that made it anew
//   limits  kPausesMax: what has run out makes room; a pause that finds none is not kept
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
inline constexpr std::chrono::minutes kPauseStep{1};
inline constexpr std::size_t kPausesMax = 10'000;
inline constexpr std::size_t kPauseReplyMax = 512; // octets

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
    std::string subject{}; // an address, a network, a domain, a campaign's id: as the scope says
    std::string place{};   // the site or provider at which; "": everywhere
    WallTime until;
    WallTime since;
    std::string rule;    // its id
    std::string reply{}; // that made it, in the form that rules are matched against: no addresses in it
    friend bool operator==(const Pause&, const Pause&) = default;
};

// As all nodes know it.
struct SharedPause {
    Pause pause;
    std::optional<WallTime> resumed{}; // by a person; not before its `since`
    friend bool operator==(const SharedPause&, const SharedPause&) = default;
};

struct Reacted {
    std::vector<Reaction> due; // pauses that hold from now on, and alerts, the same at most once in kAlertGap
    std::vector<Pause> to_share;
};

class Pauses {
public:
    // One refusal under `rule`. A pause never becomes shorter by another one.
    Reacted react(const ReplyRule& rule, const Subject& subject, const smtp::Reply& reply, WallTime now);
    // True: something is paused that was not.
    bool learn(const std::vector<SharedPause>& shared, WallTime now);
    // The pause that ends last of those that hold it.
    std::optional<Pause> on(const Subject& subject, WallTime now) const;
    // Nothing is paused: no message need be asked for.
    bool empty() const { return pauses_.empty(); }
    std::size_t size() const { return pauses_.size(); }
    // Forgets what has run out.
    void tidy(WallTime now);

private:
    Pause* room_for(const std::string& key, WallTime now);
    bool pause(Pause wanted, WallTime now, std::vector<Pause>& to_share);

    std::unordered_map<std::string, Pause> pauses_; // by scope and what it is about
    Thresholds<WallTime> counts_;                   // by rule, reaction and what it is about
};

} // namespace penguin::policy
