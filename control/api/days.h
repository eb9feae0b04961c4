// control/api/days.h
// Days and whole numbers in bodies and queries. Issues: wrong_type, bad_format, out_of_range.
#pragma once

#include "control/api/answers.h"
#include "engine/base/day.h"

namespace penguin::control::api {

std::optional<std::chrono::sys_days> read_day(ObjectReader& body, std::string_view field);
std::optional<std::int64_t> read_whole(ObjectReader& body, std::string_view field, std::int64_t min, std::int64_t max);
json::value day_or_null(const std::optional<std::chrono::sys_days>& day);

} // namespace penguin::control::api
