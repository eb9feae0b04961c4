#include "engine/policy/holds.h"

namespace penguin::policy {

std::string_view name_of(Limit limit)
{
    switch (limit) {
    case Limit::expired: return "expired";
    case Limit::suppressed: return "suppressed";
    case Limit::cancelled: return "cancelled";
    case Limit::campaign_paused: return "campaign_paused";
    case Limit::suspended: return "suspended";
    case Limit::unverified: return "unverified";
    case Limit::not_before: return "not_before";
    case Limit::sending_window: return "sending_window";
    case Limit::no_source: return "no_source";
    case Limit::paused: return "paused";
    case Limit::warmup_stopped: return "warmup_stopped";
    case Limit::warmup_hours: return "warmup_hours";
    case Limit::warmup_day: return "warmup_day";
    case Limit::warmup_hour: return "warmup_hour";
    case Limit::warmup_pace: return "warmup_pace";
    case Limit::site_window: return "site_window";
    case Limit::lane_backoff: return "lane_backoff";
    case Limit::lane_rate: return "lane_rate";
    case Limit::tenant_rate: return "tenant_rate";
    case Limit::tenant_quota: return "tenant_quota";
    case Limit::tenant_uncounted: return "tenant_uncounted";
    }
    return "unknown";
}

std::string_view name_of(Scope scope)
{
    switch (scope) {
    case Scope::message: return "message";
    case Scope::recipient: return "recipient";
    case Scope::recipient_domain: return "recipient_domain";
    case Scope::tenant: return "tenant";
    case Scope::campaign: return "campaign";
    case Scope::domain: return "domain";
    case Scope::pool: return "pool";
    case Scope::lane: return "lane";
    case Scope::site: return "site";
    case Scope::source_at_provider: return "source_at_provider";
    case Scope::netblock: return "netblock";
    case Scope::source: return "source";
    }
    return "unknown";
}

namespace {

Scope scope_of(PauseScope scope)
{
    switch (scope) {
    case PauseScope::recipient_domain: return Scope::recipient_domain;
    case PauseScope::campaign: return Scope::campaign;
    case PauseScope::dkim_domain: return Scope::domain;
    case PauseScope::lane: return Scope::lane;
    case PauseScope::source_at_provider: return Scope::source_at_provider;
    case PauseScope::netblock: return Scope::netblock;
    case PauseScope::source: return Scope::source;
    }
    return Scope::source;
}

Limit limit_of(WarmupBound bound)
{
    switch (bound) {
    case WarmupBound::stopped: return Limit::warmup_stopped;
    case WarmupBound::hours: return Limit::warmup_hours;
    case WarmupBound::day: return Limit::warmup_day;
    case WarmupBound::hour: return Limit::warmup_hour;
    case WarmupBound::pace: return Limit::warmup_pace;
    }
    return Limit::warmup_pace;
}

} // namespace

std::optional<Hold> hold_on(const Situation& at)
{
    if (at.now >= at.end_of_life) return Hold{Limit::expired, Scope::message, std::nullopt};
    if (at.suppressed) return Hold{Limit::suppressed, Scope::recipient, std::nullopt};
    if (at.campaign_cancelled) return Hold{Limit::cancelled, Scope::campaign, std::nullopt};
    if (at.campaign_paused) return Hold{Limit::campaign_paused, Scope::campaign, std::nullopt};
    if (at.tenant_suspended) return Hold{Limit::suspended, Scope::tenant, std::nullopt};
    if (at.sender_unverified) return Hold{Limit::unverified, Scope::domain, std::nullopt};
    if (at.not_before && *at.not_before > at.now) return Hold{Limit::not_before, Scope::message, at.not_before};
    if (at.window_opens && *at.window_opens > at.now)
        return Hold{Limit::sending_window, Scope::campaign, at.window_opens};
    if (!at.has_source) return Hold{Limit::no_source, Scope::pool, std::nullopt};
    if (at.pause && at.pause->until > at.now)
        return Hold{Limit::paused, scope_of(at.pause->scope), at.pause->until, at.pause->rule};
    if (at.lane_backoff_until && *at.lane_backoff_until > at.now)
        return Hold{Limit::lane_backoff, Scope::lane, at.lane_backoff_until};
    if (at.warmup)
        return Hold{.limit = limit_of(at.warmup->bound),
                    .scope = Scope::source_at_provider,
                    .until = at.warmup->until,
                    .used = at.warmup->used,
                    .bound = at.warmup->most};
    if (at.lane_rate_until && *at.lane_rate_until > at.now)
        return Hold{Limit::lane_rate, Scope::lane, at.lane_rate_until};
    if (at.site_in_hand >= at.site_window) return Hold{Limit::site_window, Scope::site, std::nullopt};
    return std::nullopt;
}

} // namespace penguin::policy
