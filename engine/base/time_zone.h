// engine/base/time_zone.h
// A time zone of the IANA database, as the system has it (package tzdata). A value: cheap to copy, compares by name.
//
//   errors   bad_value (no such zone)
//   faults   a database that changes while we run is seen after a restart
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "engine/base/clock.h"
#include "engine/base/result.h"

namespace penguin {

inline constexpr std::size_t kZoneNameMax = 64; // octets; the longest that there is has 32

class TimeZone {
public:
    static Result<TimeZone> find(std::string_view name);

    const std::string& name() const;
    // What clocks there show; to the second.
    std::chrono::local_seconds local(WallTime at) const;
    // The first moment at which they show it; when they leave it out, that at which they jump over it.
    WallTime first(std::chrono::local_seconds shown) const;
    // The last one: another when clocks went back over it.
    WallTime last(std::chrono::local_seconds shown) const;
    // When they go forward or back next; far away where they never do.
    WallTime next_change(WallTime at) const;

    friend bool operator==(const TimeZone&, const TimeZone&) = default;

private:
    explicit TimeZone(const void* zone) : zone_{zone} {}
    const void* zone_; // the library's; lives as long as the process
};

} // namespace penguin
