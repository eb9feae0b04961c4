// The whole of engine/dns against a real name server.
#include <algorithm>

#include <gtest/gtest.h>

#include "engine/dns/cares_resolver.h"
#include "engine/dns/dns_cache.h"
#include "engine/dns/gather.h"
#include "engine/dns/mx_routes.h"
#include "tests/support/dns_server.h"
#include "tests/support/run.h"

namespace penguin::dns {
namespace {

using namespace std::chrono_literals;
using tests::DnsServer;
using tests::run;

DomainName domain(std::string_view text) { return DomainName::parse(text).value(); }

std::string many_hosts()
{
    std::string text;
    for (int i = 0; i < 2000; ++i)
        text += "m" + std::to_string(i) + " IN A 127.1." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1) +
                "\n";
    for (int i = 0; i < 60; ++i) text += "big IN TXT \"" + std::string(200, static_cast<char>('a' + i % 26)) + "\"\n";
    return text;
}

DnsServer& server()
{
    static DnsServer started{{{"example", R"(
order      IN MX 30 mx3.hosts
order      IN MX 10 mx1.hosts
order 120  IN MX 20 mx2.hosts
equal      IN MX 10 mx1.hosts
equal      IN MX 10 mx2.hosts
equal2     IN MX 10 mx2.hosts
equal2     IN MX 10 mx1.hosts
implicit   IN A 127.0.0.40
implicit   IN AAAA ::1
null       IN MX 0 .
aliased    IN CNAME order
viaalias   IN MX 10 alias.hosts
textonly   IN TXT "no mail here"
away       IN MX 10 mx.elsewhere.
bare       IN MX 10 nowhere.hosts
public     IN MX 10 public.hosts
mixed      IN MX 10 public.hosts
mixed      IN MX 20 mx1.hosts
strings    IN TXT "one" " and two"
loop1      IN CNAME loop2
loop2      IN CNAME loop1
alias.hosts IN CNAME mx1.hosts
mx1.hosts  IN A 127.0.0.11
mx1.hosts  IN AAAA ::1
mx2.hosts  IN A 127.0.0.12
mx3.hosts  IN A 127.0.0.13
public.hosts IN A 192.168.7.7
)" + many_hosts()}}};
    return started;
}

struct NsdTest : testing::Test {
    asio::io_context io;
    Registry metrics;
    std::unique_ptr<CaresResolver> resolver = open();
    CachingResolver cache{*resolver, {}, metrics};
    MxRoutes routes{cache, loopback_allowed(), {}};

    std::unique_ptr<CaresResolver> open()
    {
        CaresResolver::Options options;
        options.servers = {server().server()};
        return CaresResolver::open(io.get_executor(), options, metrics).value();
    }
    static TargetRule loopback_allowed()
    {
        TargetRule rule;
        rule.allow("127.0.0.0/8").value();
        rule.allow("::1").value();
        return rule;
    }
    Result<Route> route(std::string_view name) { return *run(io, routes.find(domain(name))); }
    std::vector<std::string> hosts(std::string_view name)
    {
        const Result<Route> found = route(name);
        if (!found) return {std::string{name_of(found.error().code)}};
        std::vector<std::string> out;
        for (const RouteHost& host : found->hosts) {
            out.push_back(host.name.text());
            for (const auto& address : host.addresses) out.back() += " " + address.to_string();
        }
        return out;
    }
};
using Texts = std::vector<std::string>;

TEST_F(NsdTest, MxHostsComeInOrderOfPreference)
{
    EXPECT_EQ(hosts("order.example"), (Texts{"mx1.hosts.example 127.0.0.11 ::1", "mx2.hosts.example 127.0.0.12",
                                             "mx3.hosts.example 127.0.0.13"}));
    EXPECT_EQ(run(io, resolver->mx(domain("order.example")))->ttl, 120s);
}

TEST_F(NsdTest, EqualPreferencesAreOneSiteInAnyOrder)
{
    Texts equal = hosts("equal.example");
    std::ranges::sort(equal);
    EXPECT_EQ(equal, (Texts{"mx1.hosts.example 127.0.0.11 ::1", "mx2.hosts.example 127.0.0.12"}));
    EXPECT_EQ(route("equal.example")->site, route("equal2.example")->site);
    EXPECT_EQ(route("equal.example")->site.value(), "mx1.hosts.example,mx2.hosts.example");
}

TEST_F(NsdTest, ImplicitMxNullMxAndAliases)
{
    EXPECT_EQ(hosts("implicit.example"), (Texts{"implicit.example 127.0.0.40 ::1"}));
    EXPECT_EQ(route("null.example").error().code, Errc::refused);
    EXPECT_EQ(hosts("aliased.example"), hosts("order.example"));
    EXPECT_EQ(hosts("viaalias.example"), (Texts{"alias.hosts.example 127.0.0.11 ::1"}));
}

TEST_F(NsdTest, DomainsThatCannotGetMail)
{
    EXPECT_EQ(route("missing.example").error().code, Errc::not_found);
    EXPECT_EQ(route("textonly.example").error().code, Errc::not_found);
    EXPECT_EQ(route("bare.example").error().code, Errc::not_found);
    EXPECT_EQ(route("public.example").error().code, Errc::refused);
    EXPECT_EQ(route("loop1.example").error().code, Errc::malformed);
    EXPECT_EQ(route("not-our-zone.test").error().code, Errc::unavailable); // REFUSED
    EXPECT_EQ(route("away.example").error().code, Errc::unavailable);      // its host is REFUSED
    EXPECT_EQ(hosts("mixed.example"), (Texts{"mx1.hosts.example 127.0.0.11 ::1"}));
}

TEST_F(NsdTest, NegativeAnswersHaveTheTtlOfTheSoa)
{
    const auto no_name = run(io, resolver->a(domain("missing.example")));
    ASSERT_TRUE(no_name) << no_name.error().detail;
    EXPECT_EQ(no_name->kind, Answer<asio::ip::address>::Kind::no_name);
    EXPECT_EQ(no_name->ttl, 30s);
    const auto no_data = run(io, resolver->mx(domain("mx1.hosts.example")));
    ASSERT_TRUE(no_data) << no_data.error().detail;
    EXPECT_EQ(no_data->kind, Answer<MxRecord>::Kind::no_data);
    EXPECT_EQ(no_data->ttl, 30s);
}

TEST_F(NsdTest, TextsAreJoinedAndBigAnswersComeByTcp)
{
    EXPECT_EQ(run(io, resolver->txt(domain("strings.example")))->records, (Texts{"one and two"}));
    const auto big = run(io, resolver->txt(domain("big.example")));
    ASSERT_TRUE(big) << big.error().detail;
    EXPECT_EQ(big->records.size(), 26U); // equal ones are one record
}

awaitable<> ask_one(CaresResolver& resolver, std::shared_ptr<std::size_t> found, int number)
{
    const auto name = DomainName::parse("m" + std::to_string(number) + ".example").value();
    const auto answer = co_await resolver.a(name);
    if (answer && answer->records.size() == 1) ++*found;
}
awaitable<std::size_t> ask_many(CaresResolver& resolver, int count)
{
    const auto found = std::make_shared<std::size_t>(0);
    std::vector<std::function<awaitable<>()>> jobs;
    for (int i = 0; i < count; ++i) jobs.emplace_back([&resolver, found, i] { return ask_one(resolver, found, i); });
    co_await gather(std::move(jobs), std::chrono::steady_clock::now() + 40s);
    co_return *found;
}

TEST_F(NsdTest, TwoThousandNamesAtOnce)
{
    EXPECT_EQ(run(io, ask_many(*resolver, 2000)), 2000U);
    EXPECT_EQ(resolver->in_flight(), 0U);
}

TEST(DnsServer, RefusesAZoneWithAnError)
{
    EXPECT_THROW(DnsServer({{"bad.example", "a IN A not-an-address"}}), std::runtime_error);
}

} // namespace
} // namespace penguin::dns
