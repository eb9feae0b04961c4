// control/api/openapi_text.h
// control/openapi.yaml, as it was when the program was built.
#pragma once

#include <string_view>

namespace penguin::control::api {

std::string_view openapi_text();

} // namespace penguin::control::api
