#include "engine/dns/answer_parser.h"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "engine/dns/wire.h"

namespace penguin::dns {

namespace {

constexpr std::uint16_t kClassIn = 1;
constexpr std::uint16_t kTypeCname = 5;
constexpr std::uint16_t kTypeSoa = 6;
constexpr std::uint16_t kFlagResponse = 0x8000;
constexpr std::uint16_t kFlagTruncated = 0x0200;
constexpr std::uint16_t kFlagAuthentic = 0x0020;
constexpr std::uint16_t kRcodeMask = 0x000F;
constexpr std::uint16_t kRcodeNoError = 0;
constexpr std::uint16_t kRcodeNoName = 3;

struct RawRecord {
    std::string owner;
    std::uint16_t type = 0;
    std::uint16_t klass = 0;
    std::chrono::seconds ttl{0};
    std::size_t data_at = 0;
    std::size_t data_size = 0;
};

struct Sections {
    std::uint16_t flags = 0;
    std::vector<RawRecord> answers;
    std::optional<std::chrono::seconds> negative_ttl; // an SOA is there
};

std::chrono::seconds ttl_of(std::uint32_t wire) { return std::chrono::seconds{wire > 0x7FFFFFFFU ? 0 : wire}; }

RawRecord read_record(WireReader& in)
{
    RawRecord record;
    record.owner = in.name();
    record.type = in.u16();
    record.klass = in.u16();
    record.ttl = ttl_of(in.u32());
    record.data_size = in.u16();
    record.data_at = in.at();
    in.skip(record.data_size);
    return record;
}

// The smaller of the SOA's own TTL and its last field.
std::optional<std::chrono::seconds> soa_ttl(Packet packet, const RawRecord& record)
{
    WireReader in{packet.first(record.data_at + record.data_size), record.data_at};
    in.name();
    in.name();
    in.skip(16); // serial, refresh, retry, expire
    const auto minimum = ttl_of(in.u32());
    if (!in.ok()) return std::nullopt;
    return std::min(record.ttl, minimum);
}

Result<Sections> read_sections(Packet packet, std::string_view name, std::uint16_t type)
{
    WireReader in{packet};
    Sections sections;
    in.skip(2); // the id was compared by who received the packet
    sections.flags = in.u16();
    const std::uint16_t questions = in.u16();
    const std::uint16_t answers = in.u16();
    const std::uint16_t authorities = in.u16();
    in.skip(2);
    if (!in.ok() || (sections.flags & kFlagResponse) == 0) return fail(Errc::malformed, "not a DNS answer");
    const std::uint16_t rcode = sections.flags & kRcodeMask;
    if (rcode != kRcodeNoError && rcode != kRcodeNoName)
        return fail(Errc::unavailable, "the name server answered with code " + std::to_string(rcode));
    if ((sections.flags & kFlagTruncated) != 0) return fail(Errc::malformed, "truncated DNS answer");
    const std::string asked = in.name();
    const bool ours = asked == name && in.u16() == type && in.u16() == kClassIn;
    if (questions != 1 || !in.ok() || !ours) return fail(Errc::malformed, "DNS answer to another question");
    for (std::size_t i = 0; i < answers; ++i) {
        RawRecord record = read_record(in);
        if (!in.ok()) return fail(Errc::malformed, "DNS answer ends in a record");
        if (record.klass == kClassIn && sections.answers.size() < kRecordsMax + kCnamesMax)
            sections.answers.push_back(std::move(record));
    }
    for (std::size_t i = 0; i < authorities; ++i) {
        const RawRecord record = read_record(in);
        if (!in.ok()) return fail(Errc::malformed, "DNS answer ends in a record");
        if (record.klass == kClassIn && record.type == kTypeSoa) sections.negative_ttl = soa_ttl(packet, record);
    }
    return sections;
}

struct Chain {
    std::string end; // the canonical name, as far as this message knows
    std::size_t cnames = 0;
    std::chrono::seconds ttl = std::chrono::seconds::max();
};

Result<Chain> follow_cnames(Packet packet, const Sections& sections, std::string_view name)
{
    std::map<std::string_view, const RawRecord*> cname_of;
    for (const RawRecord& record : sections.answers)
        if (record.type == kTypeCname) cname_of.emplace(record.owner, &record);
    Chain chain{.end = std::string{name}};
    while (true) {
        const auto next = cname_of.find(chain.end);
        if (next == cname_of.end()) return chain;
        if (++chain.cnames > kCnamesMax) return fail(Errc::malformed, "more than 8 CNAMEs, or a loop of them");
        const RawRecord& record = *next->second;
        WireReader in{packet.first(record.data_at + record.data_size), record.data_at};
        chain.end = in.name();
        chain.ttl = std::min(chain.ttl, record.ttl);
        if (!in.ok() || chain.end.empty()) return fail(Errc::malformed, "CNAME without a name");
    }
}

// Decode: bool(WireReader& data, std::size_t end, Record& out), false when the record makes no sense.
template <class Record, class Decode>
Result<Parsed<Record>> parse(Packet packet, std::string_view name, std::uint16_t type, Decode decode)
{
    const Result<Sections> sections = read_sections(packet, name, type);
    if (!sections) return std::unexpected{sections.error()};
    const Result<Chain> chain = follow_cnames(packet, *sections, name);
    if (!chain) return std::unexpected{chain.error()};

    using Kind = typename Answer<Record>::Kind;
    Parsed<Record> parsed;
    parsed.cnames = chain->cnames;
    parsed.answer.authentic = (sections->flags & kFlagAuthentic) != 0;
    parsed.answer.ttl = chain->ttl;
    for (const RawRecord& raw : sections->answers) {
        if (raw.type != type || raw.owner != chain->end || parsed.answer.records.size() == kRecordsMax) continue;
        const std::size_t end = raw.data_at + raw.data_size;
        WireReader data{packet.first(end), raw.data_at};
        Record record;
        if (!decode(data, end, record) || !data.ok()) return fail(Errc::malformed, "DNS record that makes no sense");
        parsed.answer.records.push_back(std::move(record));
        parsed.answer.ttl = std::min(parsed.answer.ttl, raw.ttl);
    }
    if (!parsed.answer.records.empty()) return parsed;

    const bool no_name = (sections->flags & kRcodeMask) == kRcodeNoName;
    if (!no_name && chain->cnames > 0 && !sections->negative_ttl) { // the server does not know what is behind the alias
        parsed.follow = chain->end;
        return parsed;
    }
    parsed.answer.kind = no_name ? Kind::no_name : Kind::no_data;
    const auto negative = sections->negative_ttl.value_or(std::chrono::seconds{0});
    parsed.answer.ttl = std::min(chain->ttl, negative);
    return parsed;
}

bool decode_mx(WireReader& data, std::size_t end, MxRecord& out)
{
    out.preference = data.u16();
    out.exchange = data.name();
    return data.at() == end;
}

template <class Address>
bool decode_address(WireReader& data, std::size_t end, asio::ip::address& out)
{
    typename Address::bytes_type octets{};
    const auto bytes = data.bytes(octets.size());
    if (bytes.size() != octets.size()) return false;
    std::ranges::copy(bytes, octets.begin());
    out = Address{octets};
    return data.at() == end;
}

bool decode_txt(WireReader& data, std::size_t end, std::string& out)
{
    if (data.at() == end) return false; // one string at least (RFC 1035 3.3.14)
    while (data.ok() && data.at() < end) {
        const auto text = data.bytes(data.u8());
        out.append(text.begin(), text.end());
    }
    return data.ok();
}

} // namespace

Result<Parsed<MxRecord>> parse_mx(Packet packet, std::string_view name)
{
    return parse<MxRecord>(packet, name, 15, decode_mx);
}

Result<Parsed<asio::ip::address>> parse_a(Packet packet, std::string_view name)
{
    return parse<asio::ip::address>(packet, name, 1, decode_address<asio::ip::address_v4>);
}

Result<Parsed<asio::ip::address>> parse_aaaa(Packet packet, std::string_view name)
{
    return parse<asio::ip::address>(packet, name, 28, decode_address<asio::ip::address_v6>);
}

Result<Parsed<std::string>> parse_txt(Packet packet, std::string_view name)
{
    return parse<std::string>(packet, name, 16, decode_txt);
}

} // namespace penguin::dns
