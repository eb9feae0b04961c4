#include "engine/policy/pauses.h"

#include <fmt/format.h>

#include "engine/policy/reply_text.h"

namespace penguin::policy {

namespace {

constexpr PauseScope kAllScopes[] = {
    PauseScope::recipient_domain, PauseScope::campaign, PauseScope::dkim_domain,       PauseScope::lane,
    PauseScope::netblock,         PauseScope::source,   PauseScope::source_at_provider};

// What a pause of this scope is about: its subject and its place; an empty subject: nothing of the kind.
std::pair<std::string, std::string> about(PauseScope scope, const Subject& subject)
{
    const auto both = [](std::string_view first, std::string_view second = "") {
        return std::pair{std::string{first}, std::string{second}};
    };
    switch (scope) {
    case PauseScope::recipient_domain: return both(subject.recipient_domain);
    case PauseScope::campaign: return both(subject.campaign, subject.provider);
    case PauseScope::dkim_domain: return both(subject.sender_domain, subject.provider);
    case PauseScope::lane: return both(subject.source, subject.site);
    case PauseScope::source_at_provider: return both(subject.source, subject.provider);
    case PauseScope::netblock: return both(subject.netblock, subject.provider);
    case PauseScope::source: return both(subject.source);
    }
    return {};
}

std::string key_of(PauseScope scope, std::string_view subject, std::string_view place)
{
    return subject.empty() ? std::string{} : fmt::format("{} {} {}", name_of(scope), subject, place);
}

std::string key_of(PauseScope scope, const Subject& subject)
{
    const auto [first, second] = about(scope, subject);
    return key_of(scope, first, second);
}

std::string shown(const smtp::Reply& reply) { return text_of(normalised(reply)).substr(0, kPauseReplyMax); }

} // namespace

Reacted Pauses::react(const ReplyRule& rule, const Subject& subject, const smtp::Reply& reply, WallTime now)
{
    Reacted out;
    for (std::size_t i = 0; i < rule.reactions.size(); ++i) {
        const Reaction& reaction = rule.reactions[i];
        if (reaction.kind != ReactionKind::pause && reaction.kind != ReactionKind::alert) continue;
        const PauseScope scope = reaction.scope.value_or(PauseScope::lane);
        const std::string what = fmt::format("{} {} {}", rule.id, i, key_of(scope, subject));
        if (reaction.trigger && !counts_.reached(what, *reaction.trigger, now)) continue;
        if (reaction.kind == ReactionKind::alert) {
            if (counts_.seen("told " + what, kAlertGap, now) == 1) out.due.push_back(reaction);
            continue;
        }
        auto [first, second] = about(scope, subject);
        Pause wanted{.scope = scope,
                     .subject = std::move(first),
                     .place = std::move(second),
                     .until = now + reaction.length.value_or(kOpenPause),
                     .since = now,
                     .rule = rule.id,
                     .reply = shown(reply)};
        if (pause(std::move(wanted), now, out.to_share)) out.due.push_back(reaction);
    }
    return out;
}

// Null: there is none.
Pause* Pauses::room_for(const std::string& key, WallTime now)
{
    if (key.empty()) return nullptr;
    if (pauses_.size() >= kPausesMax && !pauses_.contains(key)) tidy(now);
    if (pauses_.size() >= kPausesMax && !pauses_.contains(key)) return nullptr;
    return &pauses_[key];
}

// True: nothing held it before.
bool Pauses::pause(Pause wanted, WallTime now, std::vector<Pause>& to_share)
{
    Pause* const held = room_for(key_of(wanted.scope, wanted.subject, wanted.place), now);
    if (held == nullptr || held->until >= wanted.until) return false;
    const bool fresh = held->until <= now;
    if (!fresh) wanted.since = held->since;
    const bool told = fresh || wanted.until - held->until >= kPauseStep;
    *held = std::move(wanted);
    if (told) to_share.push_back(*held);
    return fresh;
}

bool Pauses::learn(const std::vector<SharedPause>& shared, WallTime now)
{
    bool fresh = false;
    for (const SharedPause& one : shared) {
        const std::string key = key_of(one.pause.scope, one.pause.subject, one.pause.place);
        if (one.resumed) {
            const auto held = pauses_.find(key);
            if (held != pauses_.end() && held->second.since <= *one.resumed) pauses_.erase(held);
            continue;
        }
        if (one.pause.until <= now) continue;
        Pause* const held = room_for(key, now);
        if (held == nullptr || held->until >= one.pause.until) continue;
        fresh = fresh || held->until <= now;
        *held = one.pause;
    }
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
