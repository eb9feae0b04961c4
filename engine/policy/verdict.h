// engine/policy/verdict.h
// What we do about an outcome: the one place that turns a reply or a failure into retry or bounce.
//
//   in      what happened to one recipient in one attempt (smtp::Outcome), or a failed look-up or preparation (Error)
//   out     what becomes of the message, why, and what becomes of the connection and the host
//   rule    who is to blame decides: a 5xx to RCPT is the recipient, to the body the content, in the banner the host;
//           a fault of ours never bounces mail
//   rules   where a rule of the book knows a reply (rule_book.h), it says class, retry or bounce, and wait; else its codes do
//   source  RFC 5321 4.2.1, 4.5.4.1; RFC 3463; RFC 7505
#pragma once

#include <cstdint>
#include <optional>

#include "engine/base/clock.h"
#include "engine/policy/bounce_class.h"
#include "engine/policy/rule_book.h"
#include "engine/smtp/outcome.h"

namespace penguin::policy {

// Rule of what cannot be made while its content's store is away: it waits, and nothing is counted.
inline constexpr std::string_view kStoreAway = "store-away";

struct Verdict {
    enum class Kind : std::uint8_t {
        delivered,
        retry,     // by the ladder, not before `wait`
        bounce,    // final
        give_back, // nothing was tried: to the queue again, no attempt counted
    };
    Kind kind{};
    BounceClass klass = BounceClass::none;
    bool suppress = false;        // bounce: this address must get no more mail of the tenant
    std::optional<Duration> wait; // retry: the server's own hint, when it gave one, and the rule's
    std::string_view rule;        // name of the row that decided, for events
    std::optional<Duration> life; // retry: the message lives no longer than this from its acceptance
    RulePtr matched;              // the rule of the book that decided; `rule` is its id
    friend bool operator==(const Verdict&, const Verdict&) = default;
};

// By the codes alone.
Verdict decide(const smtp::Outcome& outcome);

// Whether a rule could know it: a reply that refuses. Never on the way of mail that is taken.
bool rules_apply(const smtp::Outcome& outcome);

// `provider`: its name in the book, or "". Before MAIL a rule's bounce is a retry: a host that refuses everybody in its banner
// says nothing about this message.
Verdict decide(const smtp::Outcome& outcome, const RuleBook& book, std::string_view provider);

// Whether it says that the lane sends too much: its rate, and no rule that blames something else for it.
bool blames_the_lane(const Verdict& verdict);

// Whether a verdict with this `rule` (as events have it) was made by the codes of a refusal that no rule knew.
bool decided_by_codes(std::string_view rule);

// The recipient's domain could not be routed (dns::MxRoutes::find).
Verdict decide_route(const Error& error);

// The message could not be made: content, rendering, signing.
Verdict decide_preparation(const Error& error);

// Whether the next host of the route may do better in the same attempt (RFC 5321 5.1): connection, TLS or greeting
// failed before anything was said about the message.
bool try_next_host(const smtp::Outcome& outcome);

// "try again in 15 minutes", "300 seconds": between a minute and a day, else nothing.
std::optional<Duration> hinted_wait(std::string_view reply_text);

} // namespace penguin::policy
