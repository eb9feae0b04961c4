// engine/mail/header_encoding.h
// Writes header fields whose values are anybody's text: "Name: value" CRLF, folded, encoded, impossible to break out
// of.
//
//   in      values in UTF-8; control octets become spaces, what is not UTF-8 becomes U+FFFD
//   out     appended; 7-bit (but for addresses that are UTF-8 themselves), lines of at most 78 octets where there is a
//   space
//           to fold at and never over kFieldLineMax
//   source  RFC 5322 2.2.3, RFC 2047 (encoded words, at most 75 octets each)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/mail/named_address.h"

namespace penguin {

inline constexpr std::size_t kFieldLineMax = 998; // octets, RFC 5322 2.1.1
inline constexpr std::size_t kFieldNameMax = 76;  // octets, ours

bool is_ascii(std::string_view text);
// 1*ftext (RFC 5322 3.6.8), at most kFieldNameMax octets.
bool is_field_name(std::string_view name);
bool same_name(std::string_view a, std::string_view b); // ASCII case does not count

// Fields whose value is a list of mailboxes: encoded words may not stand inside their addresses.
bool is_address_field(std::string_view name);

// One line of UTF-8: what a header value can hold.
std::string one_line(std::string_view value);

void append_unstructured(std::string_view name, std::string_view value, std::string& out);
void append_mailbox(std::string_view name, const NamedAddress& mailbox, std::string& out);
// A list of mailboxes as text, names in UTF-8. One that cannot be read as a list is written as unstructured text.
void append_mailboxes(std::string_view name, std::string_view list, std::string& out);

// Encoded words of a field's value become UTF-8.
std::string decoded_text(std::string_view value);

} // namespace penguin
