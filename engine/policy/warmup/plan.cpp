#include "engine/policy/warmup/plan.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "engine/policy/shipped_rules.h"

namespace penguin::policy {

std::string_view name_of(WarmupSignal signal)
{
    switch (signal) {
    case WarmupSignal::hard_bounces: return "hard_bounces";
    case WarmupSignal::blocks: return "blocks";
    case WarmupSignal::deferrals: return "deferrals";
    case WarmupSignal::complaints: return "complaints";
    }
    return "unknown";
}

std::string_view WarmupPlan::share_of(std::string_view provider) const
{
    const auto found = shares.find(provider);
    return found == shares.end() ? kOtherProviders : std::string_view{found->first};
}

std::optional<std::uint64_t> WarmupPlan::cap(std::string_view share, std::size_t stage) const
{
    if (stage >= caps.size()) return ends ? std::nullopt : cap(share, caps.size() - 1);
    const auto found = shares.find(share);
    const double part = found == shares.end() ? 0 : found->second;
    return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::round(static_cast<double>(caps[stage]) * part)));
}

std::span<const WarmupPlan> shipped_warmup_plans()
{
    static const std::vector<WarmupPlan> plans = [] {
        auto parsed = parse_warmup_plans(kShippedWarmupPlans.text, kShippedWarmupPlans.name);
        if (!parsed) throw std::logic_error{text_of(parsed.error().front())}; // a test reads them
        return std::move(*parsed);
    }();
    return plans;
}

const WarmupPlan* shipped_warmup_plan(std::string_view name)
{
    const std::span<const WarmupPlan> plans = shipped_warmup_plans();
    const auto found = std::ranges::find(plans, name, &WarmupPlan::name);
    return found == plans.end() ? nullptr : &*found;
}

} // namespace penguin::policy
