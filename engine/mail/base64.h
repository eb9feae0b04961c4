// engine/mail/base64.h
// Base64 with padding and the standard alphabet (RFC 4648 4), as JSON, DNS records and MIME bodies carry it.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace penguin {

std::string to_base64(std::string_view bytes);
// White space between the digits is skipped when `white_space` says so. Errors: malformed.
enum class WhiteSpace : std::uint8_t { refused, skipped };
Result<std::string> from_base64(std::string_view text, WhiteSpace white_space = WhiteSpace::refused);

} // namespace penguin
