#include "engine/policy/pauses.h"

#include <fmt/format.h>

namespace penguin::policy {

namespace {

constexpr PauseScope kAllScopes[] = {
    PauseScope::recipient_domain, PauseScope::campaign, PauseScope::dkim_domain,       PauseScope::lane,
    PauseScope::netblock,         PauseScope::source,   PauseScope::source_at_provider};

// What a pause of this scope is about, as one key; "": nothing of the kind.
std::string key_of(PauseScope scope, const Subject& subject)
{
    const auto key = [scope](std::string_view first, std::string_view second = "") {
        return first.empty() ? std::string{} : fmt::format("{} {} {}", name_of(scope), first, second);
    };
    switch (scope) {
    case PauseScope::recipient_domain: return key(subject.recipient_domain);
    case PauseScope::campaign: return key(subject.campaign, subject.provider);
    case PauseScope::dkim_domain: return key(subject.sender_domain, subject.provider);
    case PauseScope::lane: return key(subject.source, subject.site);
    case PauseScope::source_at_provider: return key(subject.source, subject.provider);
    case PauseScope::netblock: return key(subject.netblock, subject.provider);
    case PauseScope::source: return key(subject.source);
    }
    return "";
}

} // namespace

std::vector<Reaction> Pauses::react(const ReplyRule& rule, const Subject& subject, WallTime now)
{
    std::vector<Reaction> due;
    for (std::size_t i = 0; i < rule.reactions.size(); ++i) {
        const Reaction& reaction = rule.reactions[i];
        const PauseScope scope = reaction.scope.value_or(PauseScope::lane);
        const std::string what = fmt::format("{} {} {}", rule.id, i, key_of(scope, subject));
        if (reaction.kind != ReactionKind::pause && reaction.kind != ReactionKind::alert) continue;
        if (reaction.trigger && !counts_.reached(what, *reaction.trigger, now)) continue;
        const bool fresh = reaction.kind == ReactionKind::pause ? pause(scope, subject, rule, reaction, now)
                                                                : counts_.seen("told " + what, kAlertGap, now) == 1;
        if (fresh) due.push_back(reaction);
    }
    return due;
}

// True: nothing held it before.
bool Pauses::pause(PauseScope scope, const Subject& subject, const ReplyRule& rule, const Reaction& reaction,
                   WallTime now)
{
    const std::string key = key_of(scope, subject);
    if (key.empty()) return false;
    const WallTime until = now + reaction.length.value_or(kOpenPause);
    if (pauses_.size() >= kPausesMax && !pauses_.contains(key)) tidy(now);
    if (pauses_.size() >= kPausesMax && !pauses_.contains(key)) return false;
    Pause& held = pauses_[key];
    if (held.until >= until) return false;
    const bool fresh = held.until <= now;
    held = {.scope = scope, .until = until, .since = fresh ? now : held.since, .rule = rule.id};
    return fresh;
}

std::optional<Pause> Pauses::on(const Subject& subject, WallTime now) const
{
    std::optional<Pause> longest;
    for (const PauseScope scope : kAllScopes) {
        const auto found = pauses_.find(key_of(scope, subject));
        if (found == pauses_.end() || found->second.until <= now) continue;
        if (!longest || longest->until < found->second.until) longest = found->second;
    }
    return longest;
}

void Pauses::tidy(WallTime now)
{
    std::erase_if(pauses_, [now](const auto& entry) { return entry.second.until <= now; });
    counts_.tidy(now);
}

} // namespace penguin::policy
