// engine/policy/warmup/plan.h
// Warm-up plans: how much a new address may send, stage by stage, and when it may go on. Data: plans.toml is put into the program;
// README.md of this folder has the format.
//
//   caps     messages a day of the whole address, one a stage; a provider has its share of it
//   shares   by provider of the rule book; what no share names is together "other"
//   limits   of a day's signals at a provider: over `hold` it stays, over `back` it goes a stage back
//   limits   the k...Max below; problems as those of rule files (rule_file.h)
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/policy/rule_file.h"

namespace penguin::policy {

inline constexpr std::size_t kWarmupStagesMax = 400;        // of a plan
inline constexpr std::uint64_t kWarmupCapMax = 100'000'000; // messages a day
inline constexpr std::size_t kWarmupPlansMax = 100;
inline constexpr std::string_view kOtherProviders = "other";

enum class WarmupSignal : std::uint8_t { hard_bounces, blocks, deferrals, complaints };
inline constexpr std::array kWarmupSignals{WarmupSignal::hard_bounces, WarmupSignal::blocks, WarmupSignal::deferrals,
                                           WarmupSignal::complaints};
std::string_view name_of(WarmupSignal signal);

// Shares of what was sent. Fewer events than `least` say nothing, so that one bounce of ten messages stops nobody.
struct WarmupLimit {
    double hold = 1;
    double back = 1;
    std::uint64_t least = 3;
    friend bool operator==(const WarmupLimit&, const WarmupLimit&) = default;
};

struct WarmupPlan {
    std::string name;
    std::string origin;
    std::vector<std::uint64_t> caps;                         // messages a day, by stage
    bool ends = false;                                       // after a good last stage there is no cap any more
    std::map<std::string, double, std::less<>> shares;       // of the caps; they add up to 1
    double used_enough = 0.8;                                // of a day's cap
    double hour_times = 2;                                   // an hour may carry so many times its even part of the day
    std::chrono::days idle_most{30};                         // without mail: from the start
    std::array<WarmupLimit, kWarmupSignals.size()> limits{}; // by WarmupSignal
    bool verified = true;                                    // false: not held against a source of the publisher's own
    std::string note;

    const WarmupLimit& limit(WarmupSignal signal) const { return limits[static_cast<std::size_t>(signal)]; }
    // The provider's own share, or "other".
    std::string_view share_of(std::string_view provider) const;
    // Messages a day; nothing: no cap any more. Each share is at least one message.
    std::optional<std::uint64_t> cap(std::string_view share, std::size_t stage) const;
    // One behind the last for a plan that ends.
    std::size_t last_stage() const { return ends ? caps.size() : caps.size() - 1; }
    friend bool operator==(const WarmupPlan&, const WarmupPlan&) = default;
};

std::expected<std::vector<WarmupPlan>, RuleProblems> parse_warmup_plans(std::string_view text, std::string_view file);

// Those that come with the program.
std::span<const WarmupPlan> shipped_warmup_plans();
const WarmupPlan* shipped_warmup_plan(std::string_view name);

} // namespace penguin::policy
