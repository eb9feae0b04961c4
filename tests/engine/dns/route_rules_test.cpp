#include "engine/dns/route_rules.h"

#include <gtest/gtest.h>

namespace penguin::dns {
namespace {

using namespace std::chrono_literals;
using Mx = Answer<MxRecord>;
using Addresses = Answer<asio::ip::address>;

DomainName domain(std::string_view text) { return DomainName::parse(text).value(); }

Mx found(std::vector<MxRecord> records) { return {Mx::Kind::found, std::move(records), 300s, false}; }

Addresses addresses(const std::vector<std::string>& texts, std::chrono::seconds ttl = 300s)
{
    Addresses answer;
    answer.kind = texts.empty() ? Addresses::Kind::no_data : Addresses::Kind::found;
    answer.ttl = ttl;
    for (const std::string& text : texts) answer.records.push_back(asio::ip::make_address(text));
    return answer;
}

std::vector<std::string> names(const std::vector<PlannedHost>& hosts)
{
    std::vector<std::string> out;
    for (const PlannedHost& host : hosts) out.push_back(host.name.text());
    return out;
}

TEST(PlanRoute, BestPreferenceFirstEqualOnesAsDnsGaveThem)
{
    const auto plan = plan_route(domain("a.example"),
                                 found({{20, "d.example"}, {10, "c.example"}, {10, "b.example"}, {5, "z.example"}}));
    ASSERT_TRUE(plan);
    EXPECT_EQ(names(plan->hosts), (std::vector<std::string>{"z.example", "c.example", "b.example", "d.example"}));
    EXPECT_EQ(plan->site.value(), "b.example,c.example,d.example,z.example");
    EXPECT_EQ(plan->ttl, 300s);
}

TEST(PlanRoute, WithoutMxTheDomainItselfTakesTheMail) // RFC 5321 5.1
{
    const auto plan = plan_route(domain("a.example"), Mx{Mx::Kind::no_data, {}, 60s, false});
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->hosts, (std::vector<PlannedHost>{{domain("a.example"), 0}}));
    EXPECT_EQ(plan->site.value(), "a.example");
}

TEST(PlanRoute, SaysWhyThereIsNone)
{
    const auto code = [](const Mx& mx) { return plan_route(domain("a.example"), mx).error().code; };
    EXPECT_EQ(code(Mx{Mx::Kind::no_name, {}, 60s, false}), Errc::not_found);
    EXPECT_EQ(code(found({{0, ""}})), Errc::refused); // RFC 7505
    EXPECT_EQ(code(found({{10, "192.0.2.1"}})), Errc::not_found);
    EXPECT_EQ(code(found({{10, "bad\\000name.example"}, {10, ""}})), Errc::not_found);
}

TEST(PlanRoute, LeavesBadNamesOutAndCountsTwinsOnce)
{
    const auto plan = plan_route(domain("a.example"), found({{5, "192.0.2.1"},
                                                             {30, "mx.example"},
                                                             {6, "b ad.example"},
                                                             {7, ""},
                                                             {20, "mx2.example"},
                                                             {10, "mx.example"},
                                                             {40, "under_score.example"}}));
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->hosts,
              (std::vector<PlannedHost>{{domain("mx.example"), 10},
                                        {domain("mx2.example"), 20},
                                        {DomainName::parse_record_name("under_score.example").value(), 40}}));
}

TEST(PlanRoute, TooManyHostsGiveTheSameSiteHoweverTheyAreShuffled)
{
    std::vector<MxRecord> records;
    for (int i = 0; i < 40; ++i) records.push_back({10, "mx" + std::to_string(i) + ".example"});
    records.push_back({1, "best.example"});
    const auto first = plan_route(domain("a.example"), found(records));
    std::ranges::reverse(records);
    const auto second = plan_route(domain("a.example"), found(records));
    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->hosts.size(), kHostsMax);
    EXPECT_EQ(first->hosts.front().name.text(), "best.example");
    EXPECT_EQ(second->hosts.front().name.text(), "best.example");
    EXPECT_EQ(first->site, second->site);
}

SiteName site(const std::vector<std::string>& hosts)
{
    std::vector<PlannedHost> planned;
    for (const std::string& host : hosts) planned.push_back({domain(host), 10});
    return site_of(planned);
}

TEST(SiteOf, IsShortReadableAndTheSameForTheSameHosts)
{
    EXPECT_EQ(site({"mx.example"}).value(), "mx.example");
    EXPECT_EQ(site({"b.example", "a.example"}), site({"a.example", "b.example"}));
    const std::string gmail = site({"gmail-smtp-in.l.google.com", "alt1.gmail-smtp-in.l.google.com",
                                    "alt2.gmail-smtp-in.l.google.com", "alt3.gmail-smtp-in.l.google.com"})
                                  .value();
    EXPECT_TRUE(gmail.starts_with("gmail-smtp-in.l.google.com~")) << gmail;
    EXPECT_LE(gmail.size(), kSiteTextMax);
    EXPECT_NE(gmail, site({"gmail-smtp-in.l.google.com", "alt1.gmail-smtp-in.l.google.com",
                           "alt2.gmail-smtp-in.l.google.com", "alt4.gmail-smtp-in.l.google.com"})
                         .value());
    const std::string strangers = site({std::string(50, 'a') + ".example", std::string(50, 'b') + ".test"}).value();
    EXPECT_LE(strangers.size(), kSiteTextMax);
    const std::string long_name = std::string(60, 'a') + "." + std::string(60, 'b') + ".example";
    const std::string alone = site({long_name}).value();
    EXPECT_TRUE(alone.starts_with("example~")) << alone;
    EXPECT_LE(alone.size(), kSiteTextMax);
}

TEST(SiteOf, StaysTheSameBetweenReleases) // it is part of stored keys
{
    EXPECT_EQ(site({std::string(40, 'a') + ".example", std::string(40, 'b') + ".example"}).value(),
              "example~50d460ec6e0f2c79");
}

struct BuildCase {
    RoutePlan plan;
    TargetRule rule;
    RouteTimes times{SteadyTime{} + 1000s, 60s, 3600s, 30s};
    BuildCase()
        : plan{.hosts = {{domain("mx1.example"), 10}, {domain("mx2.example"), 20}},
               .site = SiteName{"site"},
               .ttl = 500s}
    {
    }
    Result<Route> build(const std::vector<HostAddresses>& answers) const
    {
        return build_route(domain("a.example"), plan, answers, rule, times);
    }
};

const Result<Addresses> kFailed = fail(Errc::unavailable, "SERVFAIL");

TEST(BuildRoute, PutsIpv4FirstAndKeepsTheSmallestTtl)
{
    const BuildCase test;
    const auto route =
        test.build({{addresses({"9.9.9.9", "8.8.8.8", "9.9.9.9"}, 400s), addresses({"2606:4700::1"}, 200s)},
                    {addresses({"1.1.1.1"}), addresses({})}});
    ASSERT_TRUE(route);
    ASSERT_EQ(route->hosts.size(), 2U);
    EXPECT_EQ(route->hosts[0].addresses, addresses({"9.9.9.9", "8.8.8.8", "2606:4700::1"}).records);
    EXPECT_EQ(route->hosts[1].preference, 20);
    EXPECT_EQ(route->expires, test.times.now + 200s);
    EXPECT_EQ(route->site.value(), "site");
}

TEST(BuildRoute, KeepsTtlsBetweenItsBounds)
{
    const BuildCase test;
    EXPECT_EQ(test.build({{addresses({"9.9.9.9"}, 1s), addresses({})}, {addresses({}), addresses({})}})->expires,
              test.times.now + 60s);
    BuildCase longer;
    longer.plan.ttl = 999999s;
    EXPECT_EQ(longer.build({{addresses({"9.9.9.9"}, 99999s), addresses({})}, {addresses({}), addresses({})}})->expires,
              longer.times.now + 3600s);
}

TEST(BuildRoute, BoundsTheAddressesOfAHost)
{
    std::vector<std::string> many;
    for (int i = 1; i < 60; ++i) many.push_back("9.9.9." + std::to_string(i));
    const auto route = BuildCase{}.build({{addresses(many), addresses({})}, {addresses({}), addresses({})}});
    EXPECT_EQ(route->hosts.at(0).addresses.size(), kAddressesMax);
}

TEST(BuildRoute, AHostThatCannotBeLookedUpDoesNotStopTheOthers)
{
    const BuildCase test;
    const auto route = test.build({{kFailed, kFailed}, {addresses({"9.9.9.9"}), addresses({})}});
    ASSERT_TRUE(route);
    ASSERT_EQ(route->hosts.size(), 1U);
    EXPECT_EQ(route->hosts[0].name.text(), "mx2.example");
    EXPECT_EQ(route->expires, test.times.now + 30s);
}

TEST(BuildRoute, SaysWhyNoHostIsLeft)
{
    const BuildCase test;
    const HostAddresses none{addresses({}), addresses({})};
    EXPECT_EQ(test.build({none, none}).error().code, Errc::not_found);
    EXPECT_EQ(test.build({none, {kFailed, addresses({})}}).error().code, Errc::unavailable);
    const HostAddresses inside{addresses({"10.0.0.1", "127.0.0.1"}), addresses({"::1"})};
    EXPECT_EQ(test.build({inside, none}).error().code, Errc::refused);
    // The one that failed might have had a good address.
    EXPECT_EQ(test.build({inside, {kFailed, kFailed}}).error().code, Errc::unavailable);
}

struct TargetCase {
    const char* address;
    bool permitted;
};
constexpr TargetCase kTargets[] = {
    {"9.9.9.9", true},
    {"0.0.0.0", false},
    {"10.1.2.3", false},
    {"11.0.0.1", true},
    {"100.64.0.1", false},
    {"100.127.255.255", false},
    {"100.128.0.1", true},
    {"127.0.0.1", false},
    {"127.255.255.254", false},
    {"169.254.169.254", false},
    {"172.15.255.255", true},
    {"172.16.0.1", false},
    {"172.31.255.255", false},
    {"172.32.0.1", true},
    {"192.0.0.8", false},
    {"192.0.2.1", false},
    {"192.88.99.1", false},
    {"192.168.1.1", false},
    {"198.17.0.1", true},
    {"198.18.0.1", false},
    {"198.19.255.255", false},
    {"198.51.100.1", false},
    {"203.0.113.1", false},
    {"224.0.0.1", false},
    {"239.255.255.255", false},
    {"240.0.0.1", false},
    {"255.255.255.255", false},
    {"::", false},
    {"::1", false},
    {"::ffff:127.0.0.1", false},
    {"::ffff:9.9.9.9", true},
    {"64:ff9b::a00:1", false},
    {"100::1", false},
    {"2001::1", false},
    {"2001:1ff::1", false},
    {"2001:200::1", true},
    {"2001:db8::1", false},
    {"2002:a00:1::1", false},
    {"2606:4700::1", true},
    {"3fff:0:1::1", false},
    {"3fff:1000::1", true},
    {"fc00::1", false},
    {"fd12::1", false},
    {"fe80::1", false},
    {"fec0::1", false},
    {"ff02::1", false},
    {"5f00::1", false},
    {"2a00:1450::1", true},
};
TEST(TargetRule, PermitsOnlyWhatIsPublic)
{
    const TargetRule rule;
    for (const TargetCase& row : kTargets)
        EXPECT_EQ(rule.permits(asio::ip::make_address(row.address)), row.permitted) << row.address;
}

TEST(TargetRule, OurOwnAddressesAreForbiddenUnlessAllowed)
{
    TargetRule rule;
    const auto own = asio::ip::make_address("9.9.9.9");
    rule.forbid_own(own);
    EXPECT_FALSE(rule.permits(own));
    EXPECT_FALSE(rule.permits(asio::ip::make_address("::ffff:9.9.9.9")));
    EXPECT_TRUE(rule.permits(asio::ip::make_address("9.9.9.10")));
    ASSERT_TRUE(rule.allow("9.9.9.9"));
    EXPECT_TRUE(rule.permits(own));
}

TEST(TargetRule, AllowsNetworksForTests)
{
    TargetRule rule;
    ASSERT_TRUE(rule.allow("127.0.0.0/8"));
    ASSERT_TRUE(rule.allow("::1/128"));
    ASSERT_TRUE(rule.allow("10.0.0.7/16"));
    for (const char* address : {"127.0.0.1", "127.200.1.1", "::1", "10.0.3.4", "::ffff:127.0.0.1"})
        EXPECT_TRUE(rule.permits(asio::ip::make_address(address))) << address;
    for (const char* address : {"10.1.0.1", "::2", "192.168.0.1"})
        EXPECT_FALSE(rule.permits(asio::ip::make_address(address))) << address;
    for (const char* text : {"", "x", "127.0.0.0/33", "127.0.0/8", "::/129", "127.0.0.0/", "1.2.3.4/-1", "/8"})
        EXPECT_EQ(rule.allow(text).error().code, Errc::bad_value) << text;
}

} // namespace
} // namespace penguin::dns
