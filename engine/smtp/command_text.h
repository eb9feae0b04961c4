// engine/smtp/command_text.h
// The small pieces that SMTP command lines are made of (RFC 5321 4.1.2). Each take_... moves `text` past what it took.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace penguin::smtp {

bool equal_folded(std::string_view text, std::string_view upper_case);

// "FROM:" or "SIZE=" in either case.
bool take_prefix(std::string_view& text, std::string_view upper_case);

// Up to the next space, which goes too.
std::string_view take_word(std::string_view& text);

// "<...>", gives what is inside. A quoted local part may hold '>'.
std::optional<std::string_view> take_path(std::string_view& text);

// Decimal digits and nothing else.
std::optional<std::uint64_t> number_in(std::string_view text);

bool has_control(std::string_view line);

} // namespace penguin::smtp
