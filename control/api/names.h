// control/api/names.h
// Fields whose text names a pool, a node (forms in engine/base/uuid.h) or a time zone. Issues: required, wrong_type, bad_format,
// bad_value.
#pragma once

#include "control/api/answers.h"
#include "engine/base/time_zone.h"

namespace penguin::control::api {

std::string_view read_pool_name(ObjectReader& body, std::string_view field); // [a-z0-9-]{1,32}
std::string_view read_node_name(ObjectReader& body, std::string_view field); // [a-zA-Z0-9.-]{1,64}
// Nothing: it is not there, or wrong.
std::optional<TimeZone> read_time_zone(ObjectReader& body, std::string_view field);

} // namespace penguin::control::api
