// engine/mail/transfer_encoding.h
// Makes any text safe for a mail body: 7-bit, CRLF, lines of at most 76 octets (RFC 2045 6.7, 6.8).
//
//   in   text with CRLF, LF or CR as line ends: each becomes CRLF
//   out  appended; ends without a line end unless the text had one
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace penguin {

enum class Transfer : std::uint8_t { quoted_printable, base64 };

// base64 where quoted-printable would be longer.
Transfer transfer_for(std::string_view text);

void append_quoted_printable(std::string_view text, std::string& out);
// `text` with its line ends made CRLF, then in lines of 76 digits.
void append_base64_text(std::string_view text, std::string& out);

// CRLF, LF and CR all become CRLF.
std::string with_crlf(std::string_view text);

} // namespace penguin
