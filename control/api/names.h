// control/api/names.h
// Fields whose text names a pool or a node (forms in engine/base/uuid.h). Issues: required, wrong_type, bad_format.
#pragma once

#include "control/api/answers.h"

namespace penguin::control::api {

std::string_view read_pool_name(ObjectReader& body, std::string_view field); // [a-z0-9-]{1,32}
std::string_view read_node_name(ObjectReader& body, std::string_view field); // [a-zA-Z0-9.-]{1,64}

} // namespace penguin::control::api
