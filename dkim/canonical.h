// dkim/canonical.h
// The relaxed canonicalisations of DKIM and the look at a message that they need. Pure; no OpenSSL.
//
//   in       a whole message, CRLF line ends
//   out      its header fields as slices of the message; canonical text, appended
//   limits   kHeaderFieldsMax fields
//   errors   malformed (no header field, a line that is none, a bare CR or LF in the header), too_long
//   source   RFC 6376 3.4.2 (header), 3.4.4 (body), 2.8 (folding white space)
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace penguin::dkim {

inline constexpr std::size_t kHeaderFieldsMax = 1000;

struct HeaderField {
    std::string name;      // lower case, no white space at its end
    std::string_view text; // the whole field with its name and its last CRLF
};

struct MessageView {
    std::vector<HeaderField> fields; // in the order of the message
    std::string_view body;           // after the empty line
};

Result<MessageView> view_message(std::string_view message);

// "Subject:  a\r\n\tb \r\n" -> "subject:a b\r\n".
void relaxed_field(std::string_view field, std::string& out);

// Calls `sink` with pieces of the canonical body, in order; never with nothing. An empty body gives no call.
void relaxed_body(std::string_view body, const std::function<void(std::string_view)>& sink);

// The value of a tag ("d", "s", "bh") of a tag=value list, white space taken out; empty when it is not there.
std::string tag_value(std::string_view list, std::string_view tag);

} // namespace penguin::dkim
