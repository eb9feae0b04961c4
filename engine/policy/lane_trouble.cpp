#include "engine/policy/lane_trouble.h"

#include <fmt/format.h>

namespace penguin::policy {

bool LaneTrouble::react(const ReplyRule& rule, SteadyTime now)
{
    bool changed = false;
    for (std::size_t i = 0; i < rule.reactions.size(); ++i) {
        const Reaction& reaction = rule.reactions[i];
        const bool ours = reaction.kind == ReactionKind::slow || reaction.kind == ReactionKind::one_connection ||
                          reaction.kind == ReactionKind::reconnect || reaction.kind == ReactionKind::force_tls;
        if (!ours) continue;
        if (reaction.trigger && !counts_.reached(fmt::format("{} {}", rule.id, i), *reaction.trigger, now)) continue;
        changed = apply(reaction, now) || changed;
    }
    return changed;
}

bool LaneTrouble::apply(const Reaction& reaction, SteadyTime now)
{
    const SteadyTime until = now + reaction.length.value_or(std::chrono::seconds{0});
    if (reaction.kind == ReactionKind::slow) {
        const bool fresh = slow_until_ <= now;
        slow_until_ = std::max(slow_until_, until);
        return fresh;
    }
    if (reaction.kind == ReactionKind::reconnect) {
        const bool fresh = short_until_ <= now || short_messages_ != *reaction.messages;
        short_messages_ = *reaction.messages;
        short_until_ = std::max(short_until_, until);
        return fresh;
    }
    if (reaction.kind == ReactionKind::force_tls) {
        const bool fresh = !demands_tls(now);
        tls_until_ = std::max(tls_until_, now + reaction.length.value_or(kForcedTls));
        return fresh;
    }
    const bool fresh = allowed_ != std::size_t{1};
    allowed_ = 1;
    growth_from_ = std::max(growth_from_, until);
    return fresh;
}

bool LaneTrouble::taken(std::size_t limit, SteadyTime now)
{
    if (!allowed_ || now < growth_from_) return false;
    if (++*allowed_ >= limit) allowed_.reset();
    return true;
}

std::size_t LaneTrouble::connections(std::size_t limit, SteadyTime now) const
{
    if (now < slow_until_) limit = std::max<std::size_t>(1, limit / 2);
    return allowed_ ? std::min(limit, *allowed_) : limit;
}

std::size_t LaneTrouble::messages(std::size_t limit, SteadyTime now) const
{
    return now < short_until_ ? std::min(limit, short_messages_) : limit;
}

bool LaneTrouble::over(SteadyTime now) const
{
    const bool grown = !allowed_ || now >= growth_from_ + kTroubleKept;
    return grown && !demands_tls(now) && now >= slow_until_ && now >= short_until_ && counts_.none(now);
}

} // namespace penguin::policy
