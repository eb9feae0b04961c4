// engine/queue/tenant_limits.h
// What a tenant may send in all of a pool, as a person sets it, and what Redis says that is left. The claim keeps to it
// (scripts/tenant_limits.lua; engine/queue/README.md says how, and the worst overshoot).
//
//   rate    "<messages>/second", "/minute" or "/hour": 1 to kRateMessagesMax; "unlimited"
//   quota   messages of a month (UTC) that end as delivered or bounced
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/clock.h"
#include "engine/base/result.h"

namespace penguin::queue {

inline constexpr std::uint32_t kRateMessagesMax = 1'000'000;
inline constexpr std::int64_t kMonthlyQuotaMax = 1'000'000'000'000; // messages
inline constexpr std::string_view kUnlimited = "unlimited";

struct TenantRate {
    std::uint32_t messages = 1;
    std::chrono::seconds per{1}; // a second, a minute or an hour

    // Nothing: unlimited. Errors: bad_value.
    static Result<std::optional<TenantRate>> parse(std::string_view text);
    std::string text() const;
    friend bool operator==(const TenantRate&, const TenantRate&) = default;
};
std::string text_of(const std::optional<TenantRate>& rate);

struct TenantLimits { // nothing: unlimited
    std::optional<TenantRate> rate;
    std::optional<std::int64_t> monthly_quota;

    bool any() const { return rate || monthly_quota; }
    friend bool operator==(const TenantLimits&, const TenantLimits&) = default;
};

// As the hash `limits` has them: "<messages> <seconds> <quota>", 0 0 and -1 for what is unlimited.
std::string stored_text(const TenantLimits& limits);
// Errors: malformed.
Result<TenantLimits> stored_limits(std::string_view text);

// How a tenant stands in a pool just now.
struct TenantStanding {
    TenantLimits limits; // those that are in force in Redis
    std::string month;   // "2026-11"
    std::optional<std::int64_t>
        used; // messages of the month, those in hands with them; nothing: not counted yet, or no quota
    std::int64_t rate_left = 0;         // messages that the rate permits at once
    std::optional<WallTime> rate_until; // it permits none: when it permits one
    std::optional<WallTime> month_ends; // there is a quota
};

} // namespace penguin::queue
