#include "engine/delivery/source_choice.h"

#include <map>

#include <gtest/gtest.h>

namespace penguin::delivery {
namespace {

SourceSettings source(std::uint8_t n, const char* address, const char* pool = "default")
{
    std::array<std::uint8_t, 16> id{};
    id[15] = n;
    return {SourceId{Uuid::from_bytes(id)}, boost::asio::ip::make_address(address), *DomainName::parse("out.example"),
            PoolName{pool}};
}

dns::Route route(const char* site, std::vector<const char*> addresses)
{
    dns::Route made{.domain = *DomainName::parse("to.example"), .site = SiteName{site}, .hosts = {}, .expires = {}};
    dns::RouteHost host{.name = *DomainName::parse("mx.to.example"), .preference = 10, .addresses = {}};
    for (const char* address : addresses) host.addresses.push_back(boost::asio::ip::make_address(address));
    made.hosts.push_back(std::move(host));
    return made;
}

Uuid sender(std::uint8_t n)
{
    std::array<std::uint8_t, 16> id{};
    id[0] = n;
    return Uuid::from_bytes(id);
}

const PoolName kDefault{"default"};

TEST(SourceChoice, OneSenderKeepsItsSourceAtASite)
{
    const std::vector<SourceSettings> sources{source(1, "192.0.2.1"), source(2, "192.0.2.2"), source(3, "192.0.2.3")};
    const dns::Route to = route("mx", {"198.51.100.1"});
    for (std::uint8_t n = 0; n < 50; ++n) {
        const auto first = choose_source(sources, kDefault, to, sender(n));
        const auto again = choose_source(sources, kDefault, to, sender(n));
        EXPECT_EQ(first->id, again->id);
    }
}

TEST(SourceChoice, SendersAreSpreadOverTheSources)
{
    const std::vector<SourceSettings> sources{source(1, "192.0.2.1"), source(2, "192.0.2.2"), source(3, "192.0.2.3")};
    std::map<SourceId, int> used;
    for (std::uint8_t n = 0; n < 240; ++n)
        ++used[choose_source(sources, kDefault, route("mx", {"198.51.100.1"}), sender(n))->id];
    ASSERT_EQ(used.size(), 3U);
    for (const auto& [id, count] : used) EXPECT_GT(count, 40);
}

TEST(SourceChoice, ALostSourceMovesOnlyItsOwnSenders)
{
    const std::vector<SourceSettings> three{source(1, "192.0.2.1"), source(2, "192.0.2.2"), source(3, "192.0.2.3")};
    const std::vector<SourceSettings> two{three[0], three[1]};
    const dns::Route to = route("mx", {"198.51.100.1"});
    for (std::uint8_t n = 0; n < 100; ++n) {
        const auto before = choose_source(three, kDefault, to, sender(n));
        if (before->id == three[2].id) continue;
        EXPECT_EQ(before->id, choose_source(two, kDefault, to, sender(n))->id);
    }
}

TEST(SourceChoice, OnlySourcesOfThePoolAndOfAFamilyThatTheRouteHas)
{
    const std::vector<SourceSettings> sources{source(1, "192.0.2.1", "other"), source(2, "2001:db8::2"),
                                              source(3, "192.0.2.3")};
    EXPECT_EQ(choose_source(sources, kDefault, route("mx", {"198.51.100.1"}), sender(1))->id, sources[2].id);
    EXPECT_EQ(choose_source(sources, kDefault, route("mx", {"2001:db8::1"}), sender(1))->id, sources[1].id);
    EXPECT_FALSE(choose_source(sources, PoolName{"none"}, route("mx", {"198.51.100.1"}), sender(1)).has_value());
    EXPECT_FALSE(choose_source({}, kDefault, route("mx", {"198.51.100.1"}), sender(1)).has_value());
}

TEST(Suppressions, CoverOneTenantOrAll)
{
    const TenantId a{sender(1)};
    const TenantId b{sender(2)};
    Suppressions suppressions;
    suppressions.add(a, *EmailAddress::parse("Ann@Example.com"));
    suppressions.add_global(*EmailAddress::parse("eve@example.com"));
    EXPECT_TRUE(suppressions.covers(a, *EmailAddress::parse("ann@example.com")));
    EXPECT_FALSE(suppressions.covers(b, *EmailAddress::parse("ann@example.com")));
    EXPECT_TRUE(suppressions.covers(b, *EmailAddress::parse("EVE@example.com")));
    EXPECT_FALSE(suppressions.covers(b, *EmailAddress::parse("eve2@example.com")));
}

} // namespace
} // namespace penguin::delivery
