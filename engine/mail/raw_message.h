// engine/mail/raw_message.h
// A message that came whole: cut into its header fields and its body, made safe to send, and made a plan when it has
// variables. raw_from_client (content.h) is implemented here.
//
//   limits  kRawHeaderMax octets of header, kRawFieldsMax fields
//   errors  malformed, bad_value, too_long: detail names the field or the line
//   source  RFC 5322 2, 3.6; RFC 2045-2047
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/mail/content.h"
#include "engine/mail/message_plan.h"

namespace penguin {

inline constexpr std::size_t kRawHeaderMax = 262'144; // octets
inline constexpr std::size_t kRawFieldsMax = 1000;

struct RawField {
    std::string_view name;
    std::string_view text;     // the whole field, with its last CRLF
    std::string value() const; // unfolded, on one line
};

struct RawParts {
    std::vector<RawField> fields;
    std::string_view body; // after the empty line
};

// Of a message whose line ends are CRLF. The slices point into it.
Result<RawParts> cut_raw(std::string_view message);

// Of the one From field. Errors: bad_value.
Result<NamedAddress> from_field(const std::vector<RawField>& fields);

// Signed by somebody: its octets must stay as they are.
bool is_signed(const RawParts& parts);

Result<MessagePlan> plan_of(const RawContent& content);

} // namespace penguin
