#include "engine/delivery/warmups.h"

#include <algorithm>

#include "engine/policy/warmup/plan.h"

namespace penguin::delivery {

namespace {

constexpr Duration kAskPause = std::chrono::seconds{1}; // until Redis has said what it counted

template <class Lanes>
auto lane_of(Lanes& lanes, std::string_view provider)
{
    const auto own = lanes.find(provider);
    return own == lanes.end() ? lanes.find(policy::kOtherProviders) : own;
}

} // namespace

void Warmups::apply(const Settings& settings, const PoolName& pool)
{
    std::map<SourceId, Source> before = std::exchange(sources_, {});
    for (const SourceSettings& source : settings.sources) {
        const auto plan = settings.warmups.find(source.id);
        if (source.pool != pool || plan == settings.warmups.end()) continue;
        Source& known = before[source.id];
        std::erase_if(known.lanes, [&](const auto& lane) { return !plan->second.contains(lane.first); });
        known.address = source.address.to_string();
        for (const auto& [share, rule] : plan->second) known.lanes[share].apply(rule);
        sources_.emplace(source.id, std::move(known));
    }
}

Warmups::Source* Warmups::find(const SourceId& source)
{
    const auto found = sources_.find(source);
    return found == sources_.end() ? nullptr : &found->second;
}

std::vector<SourceId> Warmups::unasked() const
{
    std::vector<SourceId> out;
    for (const auto& [id, source] : sources_)
        if (!source.asked) out.push_back(id);
    return out;
}

std::string Warmups::address_of(const SourceId& source) const
{
    const auto found = sources_.find(source);
    return found == sources_.end() ? "" : found->second.address;
}

void Warmups::counted(const SourceId& source, policy::Day day, const queue::WarmupCounts& counts, WallTime now)
{
    Source* const known = find(source);
    if (known == nullptr) return;
    for (const auto& [share, count] : counts)
        if (const auto lane = known->lanes.find(share); lane != known->lanes.end())
            lane->second.counted(day, count, now);
}

void Warmups::asked(const SourceId& source)
{
    if (Source* const known = find(source)) known->asked = true;
}

std::optional<policy::WarmupHold> Warmups::hold(const SourceId& source, std::string_view provider, WallTime now)
{
    Source* const known = find(source);
    if (known == nullptr) return std::nullopt;
    if (!known->asked) return policy::WarmupHold{policy::WarmupBound::pace, 0, 0, now + kAskPause};
    const auto lane = lane_of(known->lanes, provider);
    return lane == known->lanes.end() ? std::nullopt : lane->second.hold(now);
}

WallTime Warmups::next_in_line(const SourceId& source, std::string_view provider, WallTime now)
{
    Source* const known = find(source);
    if (known == nullptr || !known->asked) return now + kAskPause;
    const auto lane = lane_of(known->lanes, provider);
    return lane == known->lanes.end() ? now : lane->second.next_in_line(now);
}

std::string Warmups::take(const SourceId& source, std::string_view provider, WallTime now)
{
    Source* const known = find(source);
    if (known == nullptr) return "";
    const auto lane = lane_of(known->lanes, provider);
    if (lane == known->lanes.end()) return "";
    lane->second.take(now);
    return lane->first;
}

void Warmups::done(const SourceId& source, std::string_view share, bool heard, WallTime now)
{
    Source* const known = find(source);
    if (known == nullptr) return;
    if (const auto lane = known->lanes.find(share); lane != known->lanes.end()) lane->second.done(heard, now);
}

std::vector<Warmups::Level> Warmups::levels(WallTime now)
{
    std::vector<Level> out;
    for (auto& [id, source] : sources_)
        for (auto& [share, lane] : source.lanes)
            out.push_back({source.address, share, lane.used(now), lane.rule().cap.value_or(0)});
    return out;
}

} // namespace penguin::delivery
