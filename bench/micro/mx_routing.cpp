#include "bench/micro/octets.h"
#include "engine/dns/route_rules.h"

namespace penguin::bench::micro {

namespace {

using Addresses = dns::Answer<asio::ip::address>;

dns::Answer<dns::MxRecord> hosts(std::int64_t count)
{
    dns::Answer<dns::MxRecord> mx;
    mx.ttl = std::chrono::seconds{3'600};
    for (std::int64_t i = 0; i < count; ++i)
        mx.records.push_back(
            {static_cast<std::uint16_t>(10 * i), "alt" + std::to_string(i) + ".mx-in.provider.example"});
    return mx;
}

std::vector<dns::HostAddresses> addresses(std::size_t count)
{
    Addresses v4;
    v4.ttl = std::chrono::seconds{300};
    Addresses v6 = v4;
    std::vector<dns::HostAddresses> all;
    for (std::size_t i = 0; i < count; ++i) {
        v4.records = {asio::ip::make_address("8.8.4." + std::to_string(i))};
        v6.records = {asio::ip::make_address("2600::" + std::to_string(i + 1))};
        all.push_back({v4, v6});
    }
    return all;
}

void plan(benchmark::State& state)
{
    const DomainName domain = DomainName::parse("customer.example").value();
    const auto mx = hosts(state.range(0));
    for (auto step : state) benchmark::DoNotOptimize(dns::plan_route(domain, mx));
}

void build(benchmark::State& state)
{
    const DomainName domain = DomainName::parse("customer.example").value();
    const dns::RoutePlan planned = dns::plan_route(domain, hosts(state.range(0))).value();
    const auto answers = addresses(planned.hosts.size());
    const dns::RouteTimes times{.now = std::chrono::steady_clock::now(),
                                .ttl_min = std::chrono::seconds{60},
                                .ttl_max = std::chrono::seconds{3'600},
                                .failure_ttl = std::chrono::seconds{60}};
    const dns::TargetRule rule;
    for (auto step : state) benchmark::DoNotOptimize(dns::build_route(domain, planned, answers, rule, times));
}

BENCHMARK(plan)->Name("mx_routing/plan")->Arg(1)->Arg(5);
BENCHMARK(build)->Name("mx_routing/build")->Arg(1)->Arg(5);

} // namespace

} // namespace penguin::bench::micro
