// DNS answers from anybody: no octet may lead outside the packet, loop for ever, or give more records than the bound.
#include <cstdlib>

#include "engine/dns/answer_parser.h"

namespace {

void check(bool holds)
{
    if (!holds) std::abort();
}

template <class Record>
void check_parsed(const penguin::Result<penguin::dns::Parsed<Record>>& parsed)
{
    if (!parsed) return;
    check(parsed->cnames <= penguin::dns::kCnamesMax);
    check(parsed->answer.records.size() <= penguin::dns::kRecordsMax);
    check(parsed->answer.ttl >= std::chrono::seconds{0});
    const bool found = parsed->answer.kind == penguin::dns::Answer<Record>::Kind::found;
    check(parsed->follow.has_value() || found == !parsed->answer.records.empty());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const penguin::dns::Packet packet{data, size};
    check_parsed(penguin::dns::parse_mx(packet, "a.example"));
    check_parsed(penguin::dns::parse_a(packet, "a.example"));
    check_parsed(penguin::dns::parse_aaaa(packet, "a.example"));
    check_parsed(penguin::dns::parse_txt(packet, "a.example"));
    return 0;
}
