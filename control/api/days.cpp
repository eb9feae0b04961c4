#include "control/api/days.h"

#include <cmath>

#include <fmt/format.h>

namespace penguin::control::api {

std::optional<std::chrono::sys_days> read_day(ObjectReader& body, std::string_view field)
{
    const auto given = body.optional_text(field);
    if (!given) return std::nullopt;
    const Result<std::chrono::sys_days> day = parse_day(*given);
    if (day) return *day;
    body.issue(field, "bad_format", "must be a day, such as 2026-11-24");
    return std::nullopt;
}

std::optional<std::int64_t> read_whole(ObjectReader& body, std::string_view field, std::int64_t min, std::int64_t max)
{
    const auto given = body.number(field, static_cast<double>(min), static_cast<double>(max));
    if (!given) return std::nullopt;
    if (*given == std::floor(*given)) return static_cast<std::int64_t>(*given);
    body.issue(field, "out_of_range", fmt::format("must be a whole number from {} to {}", min, max));
    return std::nullopt;
}

json::value day_or_null(const std::optional<std::chrono::sys_days>& day)
{
    return day ? json::value(json::string(day_text(*day))) : json::value(nullptr);
}

} // namespace penguin::control::api
