// control/audit/chain.h
// The hash chain of the audit log, as control.audit_append makes it, and whether a sequence of records is whole. Does no I/O.
//
//   canonical  seq, time in microseconds since 1970, action, actor, tenant, resource, peer, request_id, detail; each as
//              "<octets>:<text>,", no tenant as the empty text
//   hash       SHA-256 of the hash before (kNoHash before the first record) and the canonical text
//   whole      every record from 1 on, each once, in order, none changed. That the end was not cut off, or that the chain was not
//              made anew from some record on, shows only a head that was kept elsewhere.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "control/db/audit_entry.h"

namespace penguin::control::audit {

using Hash = std::array<std::uint8_t, 32>;
inline constexpr Hash kNoHash{};

struct AuditRecord {
    std::int64_t seq = 0;
    db::AuditEntry entry;
    Hash hash{};
    friend bool operator==(const AuditRecord&, const AuditRecord&) = default;
};

std::string canonical_text(std::int64_t seq, const db::AuditEntry& entry);
Hash hash_after(const Hash& before, std::int64_t seq, const db::AuditEntry& entry);

// The last record that somebody saw. As text: "12:00ff..." (64 hex digits).
struct Head {
    std::int64_t seq = 0;
    Hash hash{};
    std::string text() const;
    static Result<Head> parse(std::string_view text); // malformed
    friend bool operator==(const Head&, const Head&) = default;
};
std::string hex_of(const Hash& hash);
Result<Hash> parse_hash(std::string_view hex); // malformed

struct ChainFault {
    std::int64_t seq = 0; // of the first record that is not as it was written
    std::string what;
    friend bool operator==(const ChainFault&, const ChainFault&) = default;
};

// Takes records in the order in which they are kept. After a fault it stays with that one.
class ChainCheck {
public:
    explicit ChainCheck(std::optional<Head> expected = {}) : expected_{expected} {}
    std::optional<ChainFault> take(const AuditRecord& record);
    // After the last one.
    std::optional<ChainFault> end();
    const Head& head() const noexcept { return head_; }

private:
    std::optional<ChainFault> fault(std::int64_t seq, std::string what);
    std::optional<Head> expected_;
    Head head_;
    std::optional<ChainFault> fault_;
};

} // namespace penguin::control::audit
