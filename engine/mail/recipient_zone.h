// engine/mail/recipient_zone.h
// The time zone of a recipient: their variable `time_zone`, which POST /v1/batches sets from the field of that name.
#pragma once

#include <optional>
#include <string_view>

#include "engine/base/time_zone.h"

namespace penguin {

inline constexpr std::string_view kZoneVariable = "time_zone";

// `vars`: JSON object text, "" for none. Nothing when there is no such variable, or it names no zone.
std::optional<TimeZone> recipient_zone(std::string_view vars);

} // namespace penguin
