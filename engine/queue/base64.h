// engine/queue/base64.h
// Base64 of RFC 4648 4, strict: padding required, no line ends, unused bits zero.
// errors: malformed
#pragma once

#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace penguin::queue {

std::string base64(std::string_view octets);
Result<std::string> parse_base64(std::string_view text);

} // namespace penguin::queue
