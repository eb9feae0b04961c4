#include "engine/dns/dns_cache.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "bench/micro/octets.h"

namespace penguin::bench::micro {

namespace {

// Knows every name.
class Everything : public dns::Resolver {
public:
    awaitable<Result<dns::Answer<dns::MxRecord>>> mx(DomainName name) override
    {
        dns::Answer<dns::MxRecord> answer;
        answer.ttl = kTtl;
        answer.records = {{10, "mx1." + name.text()}, {20, "mx2." + name.text()}};
        co_return answer;
    }
    awaitable<Result<dns::Answer<asio::ip::address>>> a(DomainName) override
    {
        dns::Answer<asio::ip::address> answer;
        answer.ttl = kTtl;
        answer.records = {asio::ip::make_address("192.0.2.1")};
        co_return answer;
    }
    awaitable<Result<dns::Answer<asio::ip::address>>> aaaa(DomainName) override
    {
        co_return dns::Answer<asio::ip::address>{.kind = dns::Answer<asio::ip::address>::Kind::no_data};
    }
    awaitable<Result<dns::Answer<std::string>>> txt(DomainName) override { co_return dns::Answer<std::string>{}; }

private:
    static constexpr std::chrono::seconds kTtl{3'600};
};

std::vector<DomainName> names(std::int64_t count)
{
    std::vector<DomainName> all;
    all.reserve(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i)
        all.push_back(DomainName::parse("customer-" + std::to_string(i) + ".example").value());
    return all;
}

// One coroutine asks in turn, as the dispatcher does.
void ask_mx(benchmark::State& state, std::size_t entries_max, bool warm)
{
    Everything behind;
    Registry metrics;
    dns::CachingResolver::Options options;
    options.entries_max = entries_max;
    dns::CachingResolver cache{behind, options, metrics};
    const std::vector<DomainName> domains = names(state.range(0));
    asio::io_context io;
    const auto work = [&]() -> awaitable<void> {
        if (warm)
            for (const DomainName& domain : domains) benchmark::DoNotOptimize(co_await cache.mx(domain));
        std::size_t next = 0;
        while (state.KeepRunning()) {
            auto answer = co_await cache.mx(domains[next]);
            benchmark::DoNotOptimize(answer);
            next = next + 1 == domains.size() ? 0 : next + 1;
        }
    };
    asio::co_spawn(io, work(), asio::detached);
    io.run();
}

constexpr std::size_t kRoomy = 65'536;
constexpr std::size_t kTight = 8;

BENCHMARK_CAPTURE(ask_mx, hit, kRoomy, true)->Name("dns_cache/hit")->Arg(1'000)->Arg(50'000);
BENCHMARK_CAPTURE(ask_mx, miss, kTight, false)->Name("dns_cache/miss_answered_at_once")->Arg(1'000);

} // namespace

} // namespace penguin::bench::micro
