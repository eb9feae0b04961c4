// engine/base/utf8.h
// Whether octets are well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing over U+10FFFF).
#pragma once

#include <string_view>

namespace penguin {

bool is_utf8(std::string_view text);
// UTF-8 without NUL: what PostgreSQL's text takes.
bool is_clean_text(std::string_view text);

} // namespace penguin
