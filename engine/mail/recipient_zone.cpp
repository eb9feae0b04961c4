#include "engine/mail/recipient_zone.h"

#include <boost/json.hpp>

namespace penguin {

std::optional<TimeZone> recipient_zone(std::string_view vars)
{
    if (!vars.contains(kZoneVariable)) return std::nullopt; // nearly all: nothing is parsed for them
    boost::system::error_code code;
    const boost::json::value value = boost::json::parse(vars, code);
    const boost::json::object* const object = code ? nullptr : value.if_object();
    const boost::json::value* const named = object != nullptr ? object->if_contains(kZoneVariable) : nullptr;
    if (named == nullptr || !named->is_string()) return std::nullopt;
    const Result<TimeZone> zone = TimeZone::find(named->get_string());
    if (!zone) return std::nullopt;
    return *zone;
}

} // namespace penguin
