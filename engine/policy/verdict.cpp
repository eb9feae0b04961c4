#include "engine/policy/verdict.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

namespace penguin::policy {

namespace {

using namespace std::chrono_literals;
using smtp::EnhancedCode;
using smtp::Phase;
using smtp::Reply;
using Kind = Verdict::Kind;

// Rows of the table of codes.
constexpr std::string_view kBeforeMail = "refused-before-mail";
constexpr std::string_view kGreylisted = "greylisted";
constexpr std::string_view kTransient = "transient-reply";
constexpr std::string_view kPermanent = "permanent-reply";

Verdict delivered() { return {.kind = Kind::delivered, .rule = "accepted"}; }
Verdict retry(BounceClass klass, std::string_view rule) { return {.kind = Kind::retry, .klass = klass, .rule = rule}; }
Verdict bounce(BounceClass klass, std::string_view rule, bool suppress = false)
{
    return {.kind = Kind::bounce, .klass = klass, .suppress = suppress, .rule = rule};
}

std::string lower(std::string text)
{
    std::ranges::transform(text, text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
    return text;
}

template <std::size_t N>
bool says_any(std::string_view text, const std::array<std::string_view, N>& phrases)
{
    return std::ranges::any_of(phrases, [&](std::string_view phrase) { return text.contains(phrase); });
}

constexpr std::array<std::string_view, 8> kUnknownUser{"user unknown",      "no such user",        "unknown user",
                                                       "does not exist",    "recipient not found", "no mailbox here",
                                                       "mailbox not found", "invalid recipient"};
constexpr std::array<std::string_view, 4> kGreylist{"greylist", "graylist", "grey-list", "gray-list"};
constexpr std::array<std::string_view, 6> kTooMuch{"rate limit", "too many",     "too fast",
                                                   "throttl",    "unusual rate", "try again later due to volume"};
constexpr std::array<std::string_view, 4> kFull{"mailbox full", "mailbox is full", "over quota", "quota exceeded"};

// RFC 3463 3.x by subject and detail; `undetermined` where the code says nothing about the class.
BounceClass class_of(const EnhancedCode& code)
{
    switch (code.subject) {
    case 1:
        switch (code.detail) {
        case 1:
        case 3:
        case 6: return BounceClass::invalid_recipient;
        case 2: return BounceClass::no_such_domain;
        case 7:
        case 8: return BounceClass::sender_refused;
        case 10: return BounceClass::null_mx;
        default: return BounceClass::undetermined;
        }
    case 2:
        switch (code.detail) {
        case 1: return BounceClass::mailbox_disabled;
        case 2: return BounceClass::mailbox_full;
        case 3: return BounceClass::message_too_large;
        default: return BounceClass::undetermined;
        }
    case 3: return code.detail == 4 ? BounceClass::message_too_large : BounceClass::server_busy;
    case 4: return code.detail == 5 ? BounceClass::server_busy : BounceClass::undetermined;
    case 5: return BounceClass::protocol_error;
    case 6: return BounceClass::content_refused;
    case 7: return BounceClass::policy_refused;
    default: return BounceClass::undetermined;
    }
}

// What the phase alone tells, where neither code nor words do.
BounceClass class_of(Phase phase)
{
    switch (phase) {
    case Phase::connect:
    case Phase::greeting:
    case Phase::ehlo: return BounceClass::policy_refused;
    case Phase::mail: return BounceClass::sender_refused;
    case Phase::data:
    case Phase::body: return BounceClass::content_refused;
    case Phase::resolve:
    case Phase::tls:
    case Phase::rcpt:
    case Phase::reset:
    case Phase::quit:
    case Phase::done: return BounceClass::undetermined;
    }
    return BounceClass::undetermined;
}

// The words first where a code is known to be used for several things, then the enhanced code, then reply code and
// phase.
BounceClass classify(Phase phase, const Reply& reply)
{
    const std::string text = lower(reply.text());
    if (reply.transient() && says_any(text, kGreylist)) return BounceClass::greylisted;
    if (reply.transient() && says_any(text, kTooMuch)) return BounceClass::rate_limited;
    if (reply.enhanced) {
        const BounceClass klass = class_of(*reply.enhanced);
        if (klass != BounceClass::undetermined) return klass;
    }
    if (says_any(text, kFull)) return BounceClass::mailbox_full;
    if (phase == Phase::rcpt && reply.permanent() && says_any(text, kUnknownUser))
        return BounceClass::invalid_recipient;
    if (phase == Phase::rcpt && text.contains("relay")) return BounceClass::relay_denied;
    if (reply.code == 552 && phase != Phase::rcpt) return BounceClass::message_too_large;
    if (reply.code == 421 || reply.code == 451 || reply.code == 452) return BounceClass::server_busy;
    return class_of(phase);
}

// Only what says that this mailbox is gone for good; never because of who we are or what we wrote.
bool suppresses(Phase phase, BounceClass klass)
{
    return phase == Phase::rcpt && (klass == BounceClass::invalid_recipient || klass == BounceClass::mailbox_disabled);
}

Verdict decide_reply(Phase phase, const Reply& reply)
{
    if (reply.positive())
        return phase == Phase::body ? delivered() : retry(BounceClass::protocol_error, "unexpected-2xx");
    const BounceClass klass = classify(phase, reply);
    // A host that refuses everybody in its banner says nothing about this message; its life bounds how long we ask.
    if (phase < Phase::mail) return retry(klass, kBeforeMail);
    if (reply.transient()) {
        Verdict verdict = retry(klass, klass == BounceClass::greylisted ? kGreylisted : kTransient);
        verdict.wait = hinted_wait(reply.text());
        return verdict;
    }
    if (reply.permanent()) return bounce(klass, kPermanent, suppresses(phase, klass));
    return retry(BounceClass::protocol_error, "unexpected-3xx");
}

Verdict decide_by(const RulePtr& rule, Phase phase, const Reply& reply)
{
    const bool bounces = rule->kind ? *rule->kind == ReplyRule::Kind::bounce : reply.permanent();
    Verdict verdict{.klass = rule->klass, .rule = rule->id, .matched = rule};
    if (bounces && phase >= Phase::mail) {
        verdict.kind = Kind::bounce;
        verdict.suppress = rule->suppress;
        return verdict;
    }
    verdict.kind = Kind::retry;
    verdict.wait = rule->wait;
    verdict.life = rule->life;
    if (const auto hint = reply.transient() ? hinted_wait(reply.text()) : std::nullopt)
        verdict.wait = std::max(*hint, verdict.wait.value_or(Duration{0}));
    return verdict;
}

Verdict decide_loss(const smtp::Outcome& outcome)
{
    const Error& error = *outcome.error;
    // Whatever ended it: the server may have the message.
    if (outcome.may_be_duplicate) return retry(BounceClass::connection_failed, "lost-in-body");
    switch (error.code) {
    case Errc::local_fault: return {.kind = Kind::give_back, .klass = BounceClass::local_fault, .rule = "local-fault"};
    case Errc::cancelled:
    case Errc::stale: return {.kind = Kind::give_back, .klass = BounceClass::local_fault, .rule = "stopped"};
    case Errc::too_long: return bounce(BounceClass::message_too_large, "over-announced-size");
    case Errc::bad_value: return bounce(BounceClass::content_refused, "cannot-be-sent-here");
    case Errc::tls_failed: return retry(BounceClass::tls_failed, "tls-failed");
    case Errc::malformed: return retry(BounceClass::protocol_error, "malformed-reply");
    default: break;
    }
    return retry(BounceClass::connection_failed, "connection-lost");
}

} // namespace

Verdict decide(const smtp::Outcome& outcome)
{
    switch (outcome.kind) {
    case smtp::Outcome::Kind::answered: return decide_reply(outcome.phase, *outcome.reply);
    case smtp::Outcome::Kind::lost: return decide_loss(outcome);
    case smtp::Outcome::Kind::not_tried:
        return {.kind = Kind::give_back, .klass = BounceClass::none, .rule = "not-tried"};
    }
    return {.kind = Kind::give_back, .klass = BounceClass::none, .rule = "not-tried"};
}

bool rules_apply(const smtp::Outcome& outcome)
{
    return outcome.kind == smtp::Outcome::Kind::answered && outcome.reply->code >= 400;
}

Verdict decide(const smtp::Outcome& outcome, const RuleBook& book, std::string_view provider)
{
    const RulePtr rule =
        rules_apply(outcome) ? book.find(provider, outcome.phase, normalised(*outcome.reply)) : nullptr;
    return rule ? decide_by(rule, outcome.phase, *outcome.reply) : decide(outcome);
}

bool decided_by_codes(std::string_view rule)
{
    return rule == kBeforeMail || rule == kGreylisted || rule == kTransient || rule == kPermanent;
}

Verdict decide_route(const Error& error)
{
    switch (error.code) {
    case Errc::not_found: return bounce(BounceClass::no_such_domain, "no-such-domain");
    case Errc::refused:
        return error.detail.contains("null MX") ? bounce(BounceClass::null_mx, "null-mx")
                                                : bounce(BounceClass::forbidden_target, "forbidden-target");
    case Errc::local_fault:
    case Errc::cancelled: return {.kind = Kind::give_back, .klass = BounceClass::local_fault, .rule = "local-fault"};
    default: return retry(BounceClass::dns_failed, "dns-failed");
    }
}

bool blames_the_lane(const Verdict& verdict)
{
    if (verdict.kind != Kind::retry || verdict.klass != BounceClass::rate_limited) return false;
    const auto elsewhere = [](const Reaction& reaction) {
        return reaction.kind == ReactionKind::pause && reaction.scope != PauseScope::lane;
    };
    return !verdict.matched || std::ranges::none_of(verdict.matched->reactions, elsewhere);
}

Verdict decide_preparation(const Error& error)
{
    switch (error.code) {
    case Errc::unavailable:
    case Errc::timeout: return {.kind = Kind::give_back, .klass = BounceClass::local_fault, .rule = kStoreAway};
    case Errc::local_fault:
    case Errc::cancelled:
    case Errc::full: return {.kind = Kind::give_back, .klass = BounceClass::local_fault, .rule = "local-fault"};
    // The domain's signatures do not verify, or its key is gone: people mend that, and the mail waits for them.
    case Errc::denied: return retry(BounceClass::local_fault, "signing-stopped");
    case Errc::missing: return retry(BounceClass::content_missing, "no-signing-key");
    default: return bounce(BounceClass::content_missing, "cannot-be-made");
    }
}

bool try_next_host(const smtp::Outcome& outcome)
{
    if (outcome.phase > Phase::ehlo) return false;
    if (outcome.kind == smtp::Outcome::Kind::lost)
        return outcome.error->code != Errc::local_fault && outcome.error->code != Errc::cancelled &&
               outcome.error->code != Errc::stale;
    return outcome.kind == smtp::Outcome::Kind::answered;
}

std::optional<Duration> hinted_wait(std::string_view reply_text)
{
    const std::string text = lower(std::string{reply_text});
    struct Unit {
        std::string_view name;
        std::chrono::seconds length;
    };
    static constexpr std::array<Unit, 3> kUnits{{{"second", 1s}, {"minute", 60s}, {"hour", 3600s}}};
    for (const Unit& unit : kUnits) {
        std::size_t at = text.find(unit.name);
        if (at == std::string::npos) continue;
        while (at > 0 && (text[at - 1] == ' ' || text[at - 1] == '-')) --at;
        std::size_t start = at;
        while (start > 0 && text[start - 1] >= '0' && text[start - 1] <= '9') --start;
        unsigned count = 0;
        const auto [end, code] = std::from_chars(text.data() + start, text.data() + at, count);
        if (code != std::errc{} || end != text.data() + at) continue;
        const auto wait = std::chrono::seconds{std::int64_t{count} * unit.length.count()};
        if (wait > 24h || count == 0) return std::nullopt;
        return std::max<Duration>(wait, 1min);
    }
    return std::nullopt;
}

} // namespace penguin::policy
