// control/domains/dns_records.h
// Which records a tenant must publish, so that mail of its domain passes SPF, DKIM and DMARC and its bounces come back.
// Pure. Why these, and which of them `verified` needs: README.md in this folder.
//
//   in      DomainSetup: what we know of the domain, its keys, our addresses
//   out     DnsRecord: name, type, value in one piece (JSON, comparing) and in the form of a zone file (TXT cut into
//           strings of 255 octets, RFC 1035 3.3.14; many DNS panels want the one, zone files the other)
//   limits  kDkimKeysMax keys, kSendingAddressesMax addresses
//   errors  bad_value: the setup cannot be published; the detail says what and why
//   source  RFC 7208 (SPF), RFC 6376 and 8463 (DKIM), RFC 7489 (DMARC), RFC 5321 5.1 (MX)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "engine/base/result.h"
#include "engine/mail/domain_name.h"
#include "engine/mail/email_address.h"

namespace penguin::control {

inline constexpr std::size_t kDkimKeysMax = 16;          // selectors of a domain, all algorithms together
inline constexpr std::size_t kSendingAddressesMax = 256; // addresses; SPF with more belongs behind an include
inline constexpr std::size_t kTxtStringMax = 255;        // octets in one string of a TXT record

enum class DkimAlgorithm : std::uint8_t { rsa, ed25519 };

struct DkimRecord {
    std::string selector; // "pm1": one or more labels
    DkimAlgorithm algorithm = DkimAlgorithm::rsa;
    std::string public_key_base64; // rsa: SubjectPublicKeyInfo DER; ed25519: the 32 octets (RFC 8463 4)
};

struct DomainSetup {
    DomainName domain;      // the From domain
    DomainName bounce_host; // return paths live here: the domain or a name below it
    DomainName bounce_mx;   // our host that takes mail for bounce_host
    std::vector<DkimRecord> dkim;
    std::vector<boost::asio::ip::address> sending_addresses; // of the pools that send for this tenant
    std::optional<DomainName> spf_include;                   // "spf.example.net": instead of naming each address
    std::optional<EmailAddress> dmarc_reports;               // rua=
};

enum class RecordType : std::uint8_t { txt, mx };
// What a record is for. The first three are of the domain, the last two of its bounce host.
enum class RecordPurpose : std::uint8_t { spf, dkim, dmarc, return_path_mx, return_path_spf };

struct DnsRecord {
    RecordPurpose purpose{};
    RecordType type{};
    DomainName name;
    std::string value;        // "v=spf1 ip4:192.0.2.1 ~all"; "10 bounces.example.net"
    std::string presentation; // "\"v=spf1 ip4:192.0.2.1 ~all\""; "10 bounces.example.net."
    bool required = true;     // without it the domain is not verified
};

std::string_view name_of(RecordType type);         // "TXT", "MX"
std::string_view name_of(RecordPurpose purpose);   // "spf", "dkim", "dmarc", "return_path_mx", "return_path_spf"
std::string_view name_of(DkimAlgorithm algorithm); // "rsa", "ed25519": the k= tag

// In the order of RecordPurpose, keys in the order given. When bounce_host is the domain itself, one SPF record does
// for both.
Result<std::vector<DnsRecord>> records_to_publish(const DomainSetup& setup);

// "value" -> "\"first 255 octets\" \"next ...\"", with " and \ escaped as a zone file wants it.
std::string txt_presentation(std::string_view value);

} // namespace penguin::control
