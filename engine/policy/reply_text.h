// engine/policy/reply_text.h
// A reply in the one form that rules are matched against, so that what differs from one message to the next does not.
//
//   in      a reply of any octets; at most kReplyTextMax of it are looked at
//   out     lower case (ASCII), lines joined by one space, white space folded, without reply codes and without the enhanced codes
//           that lines begin with; these are beside it, whatever class they have: some providers put a 5.x.x behind a 421
//   placeholders
//           {address}  anything with an "@": the words of a recipient's address are never the words of a provider
//           {ip}       IPv4 and IPv6, except 127.x.x.x: that is what a block list answered
//           {id}       12 or more hexadecimal digits, also with hyphens: queue ids, UUIDs, what URLs end in
//           {number}   6 or more digits that stand alone
//   cost    linear in the text
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/smtp/reply.h"

namespace penguin::policy {

inline constexpr std::size_t kReplyTextMax = 4'096; // octets
inline constexpr std::size_t kEnhancedMax = 8;      // different codes of one reply

struct NormalReply {
    int code = 0;
    std::vector<smtp::EnhancedCode> enhanced; // of its lines, in order, each once
    std::string text;
    friend bool operator==(const NormalReply&, const NormalReply&) = default;
};

NormalReply normalised(const smtp::Reply& reply);
// "421 4.7.28 text": for people.
std::string text_of(const NormalReply& reply);

// The placeholders alone: for a text that is lower case and folded already.
std::string with_placeholders(std::string_view text);

} // namespace penguin::policy
