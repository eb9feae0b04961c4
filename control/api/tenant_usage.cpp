#include "control/api/tenant_usage.h"

#include "control/api/answers.h"
#include "engine/policy/holds.h"

namespace penguin::control::api {

namespace {

json::object hold_of(policy::Limit limit, json::value used, json::value bound, const std::optional<WallTime>& until)
{
    return {{"limit", policy::name_of(limit)},
            {"scope", policy::name_of(policy::Scope::tenant)},
            {"used", std::move(used)},
            {"bound", std::move(bound)},
            {"until", time_or_null(until)}};
}

// In the order in which they matter: what holds longest first.
json::array holds_of(const queue::TenantStanding& at)
{
    json::array holds;
    const std::optional<std::int64_t>& quota = at.limits.monthly_quota;
    if (quota && !at.used)
        holds.emplace_back(hold_of(policy::Limit::tenant_uncounted, nullptr, *quota, std::nullopt));
    else if (quota && *at.used >= *quota)
        holds.emplace_back(hold_of(policy::Limit::tenant_quota, *at.used, *quota, at.month_ends));
    if (at.rate_until)
        holds.emplace_back(
            hold_of(policy::Limit::tenant_rate, nullptr, json::string{at.limits.rate->text()}, at.rate_until));
    return holds;
}

} // namespace

json::value usage_of(const queue::TenantStanding& standing)
{
    if (!standing.limits.any()) return nullptr;
    json::object usage{{"month", standing.month}};
    usage["used"] = standing.used ? json::value(*standing.used) : json::value(nullptr);
    usage["bound"] = standing.limits.monthly_quota ? json::value(*standing.limits.monthly_quota) : json::value(nullptr);
    usage["until"] = time_or_null(standing.month_ends);
    usage["holds"] = holds_of(standing);
    return usage;
}

} // namespace penguin::control::api
