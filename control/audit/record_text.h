// control/audit/record_text.h
// A record of the audit log as a row, and as JSON: one line of an export, one element of GET /v1/audit. `detail` is the text that was
// hashed, and `time` has all six digits, so whoever has the JSON can check the hash.
//
//   limits  kRecordLineMax octets a line
//   errors  malformed: not such an object, a field missing, one too many, or not in the form that we write
#pragma once

#include <boost/json/object.hpp>

#include "control/audit/chain.h"

namespace penguin::control::audit {

inline constexpr std::size_t kRecordLineMax = 32 * 1024; // octets: every field at its bound, each octet escaped

// What record_of reads.
inline constexpr const char* kRecordColumns =
    "seq, time, action, actor, tenant_id, resource, peer, request_id, detail, hash";
AuditRecord record_of(const db::Row& row);

boost::json::object shape_of(const AuditRecord& record);
std::string line_of(const AuditRecord& record); // without its line end
Result<AuditRecord> parse_record(std::string_view line);

} // namespace penguin::control::audit
