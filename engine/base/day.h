// engine/base/day.h
// Days of UTC as text: "2026-03-10" (RFC 3339 full-date).
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace penguin {

std::string day_text(std::chrono::sys_days day);
// Years 1 to 9999. Errors: malformed.
Result<std::chrono::sys_days> parse_day(std::string_view text);

} // namespace penguin
