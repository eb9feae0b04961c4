#include "engine/base/time_zone.h"

#include <exception>

#include <date/tz.h>

namespace penguin {

namespace {

const date::time_zone& of(const void* zone) { return *static_cast<const date::time_zone*>(zone); }

} // namespace

Result<TimeZone> TimeZone::find(std::string_view name)
{
    if (name.empty() || name.size() > kZoneNameMax) return fail(Errc::bad_value, "no time zone of the IANA database");
    try {
        return TimeZone{date::locate_zone(std::string{name})};
    } catch (const std::exception&) { // the library's word for "no such zone", and for a system without a database
        return fail(Errc::bad_value, "no time zone of the IANA database: Europe/Berlin, America/New_York, UTC ...");
    }
}

const std::string& TimeZone::name() const { return of(zone_).name(); }

std::chrono::local_seconds TimeZone::local(WallTime at) const
{
    const auto shown = of(zone_).to_local(std::chrono::floor<std::chrono::seconds>(at));
    return std::chrono::local_seconds{shown.time_since_epoch()};
}

WallTime TimeZone::first(std::chrono::local_seconds shown) const
{
    return of(zone_).to_sys(date::local_seconds{shown.time_since_epoch()}, date::choose::earliest);
}

WallTime TimeZone::last(std::chrono::local_seconds shown) const
{
    return of(zone_).to_sys(date::local_seconds{shown.time_since_epoch()}, date::choose::latest);
}

WallTime TimeZone::next_change(WallTime at) const
{
    constexpr WallTime kFarAway{
        std::chrono::hours{24 * 365 * 1000}}; // the library's "never" is beyond what microseconds can count
    const auto end = of(zone_).get_info(std::chrono::floor<std::chrono::seconds>(at)).end;
    return end.time_since_epoch() < kFarAway.time_since_epoch() ? WallTime{end} : kFarAway;
}

} // namespace penguin
