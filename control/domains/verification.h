// control/domains/verification.h
// Looks up what a domain has really published and says of each record whether it does its work.
//
//   in      a DomainSetup, and a Resolver without a cache of ours: a person who has just repaired a record wants to see
//   it out     one RecordCheck for each record of records_to_publish(), in that order judged  by meaning, not by text:
//   an SPF record may hold more, DKIM tags may stand in any order, any valid DMARC
//           policy will do, also one of a parent domain (README.md)
//   limits  all look-ups together kVerificationDeadline; kFoundMax texts a record, each cut at kFoundTextMax octets
//   errors  bad_value as records_to_publish(). A DNS that does not answer is status `error` of its record, not a
//   failure
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "control/domains/dns_records.h"
#include "engine/dns/resolver.h"

namespace penguin::control {

inline constexpr std::chrono::seconds kVerificationDeadline{20};
inline constexpr std::size_t kFoundMax = 8;        // texts shown of one record
inline constexpr std::size_t kFoundTextMax = 1024; // octets of each

enum class RecordStatus : std::uint8_t {
    ok,      // does its work; `detail` may still hold a remark
    missing, // nothing of its kind is published
    wrong,   // published, but does not do what we need; `detail` says what to change
    error,   // DNS gave no answer: says nothing about the record, try again later
};
std::string_view name_of(RecordStatus status); // "ok", "missing", "wrong", "error"

struct RecordCheck {
    DnsRecord record;               // what we ask for; record.value is "expected"
    std::vector<std::string> found; // what is published there of this kind
    RecordStatus status = RecordStatus::missing;
    std::string detail; // for people; empty when there is nothing to say
};

enum class Standing : std::uint8_t {
    verified,   // every required record is ok
    unverified, // at least one required record is missing or wrong
    unknown,    // none is missing or wrong, but DNS did not answer for one: keep what was known before
};
std::string_view name_of(Standing standing);

struct Verification {
    std::vector<RecordCheck> checks;
    Standing standing() const;
    bool verified() const { return standing() == Standing::verified; }
};

// `resolver` must live until the result.
awaitable<Result<Verification>> verify(dns::Resolver& resolver, DomainSetup setup);

} // namespace penguin::control
