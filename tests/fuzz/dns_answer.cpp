// DNS answers from anybody: no octet may lead outside the packet, loop for ever, or give more records than the bound.
#include "engine/dns/answer_parser.h"
#include "engine/dns/route_rules.h"
#include "tests/fuzz/check.h"
#include <algorithm>

using penguin::fuzz::check;

namespace {

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

// The route that the answer makes: bounded, best preference first, each host once, and of one site whatever their order.
void check_route(const penguin::dns::Answer<penguin::dns::MxRecord>& mx)
{
    static const auto domain = penguin::DomainName::parse("a.example").value();
    const auto plan = penguin::dns::plan_route(domain, mx);
    if (!plan) return;
    auto hosts = plan->hosts;
    check(!hosts.empty() && hosts.size() <= penguin::dns::kHostsMax && plan->ttl >= std::chrono::seconds{0});
    check(std::ranges::is_sorted(hosts, {}, &penguin::dns::PlannedHost::preference));
    std::ranges::reverse(hosts);
    check(penguin::dns::site_of(hosts) == plan->site && plan->site.value().size() <= penguin::dns::kSiteTextMax);
    std::ranges::sort(hosts, {}, &penguin::dns::PlannedHost::name);
    check(std::ranges::adjacent_find(hosts, {}, &penguin::dns::PlannedHost::name) == hosts.end());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const penguin::dns::Packet packet{data, size};
    const auto mx = penguin::dns::parse_mx(packet, "a.example");
    check_parsed(mx);
    if (mx && !mx->follow) check_route(mx->answer);
    check_parsed(penguin::dns::parse_a(packet, "a.example"));
    check_parsed(penguin::dns::parse_aaaa(packet, "a.example"));
    check_parsed(penguin::dns::parse_txt(packet, "a.example"));
    return 0;
}
