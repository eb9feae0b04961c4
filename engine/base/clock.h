// engine/base/clock.h
// The two times. Policy takes them as values; only coroutines and main read a clock.
//
//   WallTime     since the Unix epoch, UTC, microseconds: what is stored, sent and shown
//   SteadyTime   for deadlines and rates inside one process: never goes back
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace penguin {

using Duration = std::chrono::microseconds;
using WallTime = std::chrono::sys_time<std::chrono::microseconds>;
using SteadyTime = std::chrono::steady_clock::time_point;

WallTime wall_now();

// CLOCK_BOOTTIME: goes on while the machine is suspended, so that a lease that ran out in a suspend is seen to have.
std::chrono::nanoseconds boot_now();

inline std::int64_t to_unix_ms(WallTime time)
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}
inline WallTime from_unix_ms(std::int64_t ms) { return WallTime{std::chrono::milliseconds{ms}}; }

// "2026-11-24T04:29:07.123Z" (RFC 3339, milliseconds, UTC).
std::string to_rfc3339(WallTime time);
// Takes any offset and 0 to 9 digits of a fraction; years 1 to 9999, in UTC. Errors: malformed.
Result<WallTime> parse_rfc3339(std::string_view text);
// "Tue, 24 Nov 2026 04:29:07 +0000" (RFC 5322 3.3).
std::string to_rfc5322(WallTime time);

} // namespace penguin
