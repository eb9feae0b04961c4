// engine/mail/named_address.h
// One mailbox as people and header fields write it: `Ann <ann@example.com>`, `"Doe, Ann" <ann@example.com>`,
// `=?utf-8?q?Zo=C3=AB?= <zoe@example.com>`, `ann@example.com`, `<ann@example.com>`.
//
//   in      one mailbox; comments in parentheses are skipped, encoded words are decoded
//   out     display name in UTF-8 without quotes and control octets, and the address
//   limits  kNamedAddressMax octets
//   errors  bad_address (no mailbox, more than one, a group, text after it), too_long
//   source  RFC 5322 3.4, RFC 2047 5
#pragma once

#include <string>
#include <string_view>

#include "engine/mail/email_address.h"

namespace penguin {

inline constexpr std::size_t kNamedAddressMax = 2048; // octets

struct NamedAddress {
    std::string name; // display name, may hold template variables; may be empty
    EmailAddress address;
    friend bool operator==(const NamedAddress&, const NamedAddress&) = default;
};

Result<NamedAddress> parse_named_address(std::string_view text);

} // namespace penguin
