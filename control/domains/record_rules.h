// control/domains/record_rules.h
// Judges the texts of published records by what they mean. Pure; the texts come from strangers' zones and may be anything.
//
//   out     a Judgement: ok, missing or wrong, and a sentence for the person who has to repair the record
//   limits  kTxtsJudgedMax records of a name are read; in SPF kSpfTermsMax terms, in a tag list kTagsMax tags: more is `wrong`
//   source  RFC 7208 4.5 to 5.6 and 12 (SPF), RFC 6376 3.2 and 3.6.1, RFC 8463 (DKIM), RFC 7489 6.3 and 6.6.3 (DMARC)
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/domains/verification.h"

namespace penguin::control {

inline constexpr std::size_t kTxtsJudgedMax = 64; // records of one name
inline constexpr std::size_t kSpfTermsMax = 300;  // mechanisms and modifiers of one record
inline constexpr std::size_t kSpfLookupsMax = 10; // RFC 7208 4.6.4, as far as one record shows them
inline constexpr std::size_t kTagsMax = 64;       // name=value pairs of a tag list

struct Judgement {
    RecordStatus status = RecordStatus::missing;
    std::string detail;
    std::vector<std::string> found; // the records of this kind among `texts`
};

// Whether a receiver that checks this SPF would pass every address of `setup`. Evaluates ip4, ip6 and all in their order; an
// include or redirect counts when it names setup.spf_include; other mechanisms are taken not to match (we do not look them up).
Judgement judge_spf(std::span<const std::string> texts, const DomainSetup& setup);

// One record with this very key, usable for mail.
Judgement judge_dkim(std::span<const std::string> texts, const DkimRecord& key);

// One valid policy record, whatever the policy.
Judgement judge_dmarc(std::span<const std::string> texts);

// Whether bounces reach `host`: it is best, or shares that with none but itself.
Judgement judge_mx(std::span<const dns::MxRecord> records, const DomainName& host);

// "v=DKIM1; k=rsa; p=AB CD": names and values in order, white space around both removed. Nothing: not a tag list
// (RFC 6376 3.2), a tag twice, or too many.
struct Tag {
    std::string name;
    std::string value;
    friend bool operator==(const Tag&, const Tag&) = default;
};
std::optional<std::vector<Tag>> parse_tags(std::string_view text);

} // namespace penguin::control
