// engine/dns/answer_parser.h
// Turns the bytes of a DNS answer into records with their TTL. Pure; believes nothing: every offset is checked.
//
//   in      a whole message, and the question that it must answer
//   out     Parsed<Record>: an Answer, or the name where a CNAME chain left this message (`follow`): ask there next
//   ttl     found: the smallest of the records and the CNAMEs on the way; else the smaller of the SOA's TTL and its
//           minimum (RFC 2308 5), 0 without SOA. A TTL with the top bit set is 0 (RFC 2181 8)
//   names   lower case, no final dot; an octet that is not printable, a dot inside a label and a backslash as \DDD
//   limits  kCnamesMax CNAMEs, kRecordsMax records of an answer (more are left out)
//   errors  unavailable (SERVFAIL, REFUSED, FORMERR ...: whatever is neither NOERROR nor NXDOMAIN), malformed
//   (truncated,
//           not our question, loops, impossible lengths)
//   source  RFC 1035 4.1, RFC 2308, RFC 3596 (AAAA)
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "engine/dns/resolver.h"

namespace penguin::dns {

inline constexpr std::size_t kCnamesMax = 8;    // RFC 5321 gives no number; ours, over all messages of a look-up
inline constexpr std::size_t kRecordsMax = 256; // records of one answer

using Packet = std::span<const std::uint8_t>;

template <class Record>
struct Parsed {
    Answer<Record> answer;
    std::optional<std::string> follow; // set: `answer` holds only the TTL and the AD bit of the chain so far
    std::size_t cnames = 0;            // followed inside this message
};

// `name` is what was asked, in the form of DomainName::text().
Result<Parsed<MxRecord>> parse_mx(Packet packet, std::string_view name);
Result<Parsed<asio::ip::address>> parse_a(Packet packet, std::string_view name);
Result<Parsed<asio::ip::address>> parse_aaaa(Packet packet, std::string_view name);
Result<Parsed<std::string>> parse_txt(Packet packet, std::string_view name);

} // namespace penguin::dns
