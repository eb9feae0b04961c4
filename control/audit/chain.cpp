#include "control/audit/chain.h"

#include <charconv>

#include <fmt/format.h>
#include <openssl/evp.h>

namespace penguin::control::audit {

namespace {

void append_field(std::string& out, std::string_view field)
{
    out += fmt::format("{}:", field.size());
    out += field;
    out += ',';
}

int digit_of(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

} // namespace

std::string canonical_text(std::int64_t seq, const db::AuditEntry& entry)
{
    std::string out;
    append_field(out, std::to_string(seq));
    append_field(out, std::to_string(entry.time.time_since_epoch().count()));
    append_field(out, entry.action);
    append_field(out, entry.actor);
    append_field(out, entry.tenant ? entry.tenant->value().text() : std::string{});
    append_field(out, entry.resource);
    append_field(out, entry.peer);
    append_field(out, entry.request_id);
    append_field(out, entry.detail);
    return out;
}

Hash hash_after(const Hash& before, std::int64_t seq, const db::AuditEntry& entry)
{
    std::string said{before.begin(), before.end()};
    said += canonical_text(seq, entry);
    Hash hash{};
    EVP_Digest(said.data(), said.size(), hash.data(), nullptr, EVP_sha256(), nullptr);
    return hash;
}

std::string hex_of(const Hash& hash)
{
    std::string out;
    for (const std::uint8_t octet : hash) out += fmt::format("{:02x}", octet);
    return out;
}

Result<Hash> parse_hash(std::string_view hex)
{
    Hash hash{};
    if (hex.size() != 2 * hash.size()) return fail(Errc::malformed, "a hash is 64 hex digits");
    for (std::size_t i = 0; i < hash.size(); ++i) {
        const int high = digit_of(hex[2 * i]);
        const int low = digit_of(hex[2 * i + 1]);
        if (high < 0 || low < 0) return fail(Errc::malformed, "a hash is 64 hex digits");
        hash[i] = static_cast<std::uint8_t>(16 * high + low);
    }
    return hash;
}

std::string Head::text() const { return fmt::format("{}:{}", seq, hex_of(hash)); }

Result<Head> Head::parse(std::string_view text)
{
    Head head;
    const std::size_t colon = text.find(':');
    const std::string digits{text.substr(0, colon)};
    const char* const end = digits.data() + digits.size();
    const auto [stop, code] = std::from_chars(digits.data(), end, head.seq);
    if (colon == std::string_view::npos || code != std::errc{} || stop != end || head.seq < 0)
        return fail(Errc::malformed, "a head is SEQ:HASH");
    const Result<Hash> hash = parse_hash(text.substr(colon + 1));
    if (!hash) return std::unexpected{hash.error()};
    head.hash = *hash;
    return head;
}

std::optional<ChainFault> ChainCheck::fault(std::int64_t seq, std::string what)
{
    fault_ = ChainFault{seq, std::move(what)};
    return fault_;
}

std::optional<ChainFault> ChainCheck::take(const AuditRecord& record)
{
    if (fault_) return fault_;
    const std::int64_t wanted = head_.seq + 1;
    if (record.seq > wanted)
        return fault(wanted, fmt::format("missing or out of order: {} is in its place", record.seq));
    if (record.seq < wanted) return fault(record.seq, fmt::format("comes again, or out of order, after {}", head_.seq));
    if (hash_after(head_.hash, record.seq, record.entry) != record.hash)
        return fault(record.seq, "changed: its hash does not follow from the record and the hash before");
    head_ = Head{record.seq, record.hash};
    if (expected_ && expected_->seq == record.seq && expected_->hash != record.hash)
        return fault(record.seq, "made anew: its hash is not the one of the head that was kept");
    return std::nullopt;
}

std::optional<ChainFault> ChainCheck::end()
{
    if (fault_ || !expected_ || expected_->seq <= head_.seq) return fault_;
    return fault(head_.seq + 1, fmt::format("missing: the head that was kept is {}", expected_->seq));
}

} // namespace penguin::control::audit
