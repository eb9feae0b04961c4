// MxRoutes, CachingResolver and what they are made of, on a ZoneTable.
#include "engine/dns/mx_routes.h"

#include <gtest/gtest.h>

#include <boost/asio/detached.hpp>

#include "engine/dns/dns_cache.h"
#include "engine/dns/expiring_lru.h"
#include "engine/dns/gather.h"
#include "engine/dns/single_flight.h"
#include "tests/support/run.h"
#include "tests/support/zone_table.h"

namespace penguin::dns {
namespace {

using namespace std::chrono_literals;
using tests::run;
using tests::ZoneTable;

DomainName domain(std::string_view text) { return DomainName::parse(text).value(); }
using FoundRoute = std::shared_ptr<const Result<Route>>;

struct MxRoutesTest : testing::Test {
    asio::io_context io;
    ZoneTable dns;
    SteadyTime now = std::chrono::steady_clock::now();

    MxRoutes::Options options()
    {
        MxRoutes::Options options;
        options.now = [this] { return now; };
        return options;
    }
    // Starts a look-up whose result appears in the returned place.
    std::shared_ptr<FoundRoute> start(MxRoutes& routes, std::string_view name)
    {
        auto place = std::make_shared<FoundRoute>();
        asio::co_spawn(io, routes.find(domain(name)),
                       [place](std::exception_ptr, FoundRoute found) { *place = std::move(found); });
        return place;
    }
    // Runs what is ready, without waiting for anything.
    void settle()
    {
        io.restart();
        while (io.poll() > 0) {
        }
    }
};

TEST_F(MxRoutesTest, FindsTheRouteOfADomainAndKeepsIt)
{
    dns.add_mx("a.example", 20, "mx2.example");
    dns.add_mx("a.example", 10, "mx1.example");
    dns.add_a("mx1.example", "9.9.9.9");
    dns.add_aaaa("mx1.example", "2606:4700::1");
    dns.add_a("mx2.example", "1.1.1.1");
    MxRoutes routes{dns, {}, options()};
    EXPECT_EQ(routes.cached(domain("a.example"), now), nullptr);
    const FoundRoute found = run(io, routes.find(domain("a.example")));
    ASSERT_TRUE(*found) << found->error().detail;
    const Route& route = **found;
    EXPECT_EQ(route.site.value(), "mx1.example,mx2.example");
    ASSERT_EQ(route.hosts.size(), 2U);
    EXPECT_EQ(route.hosts[0].name.text(), "mx1.example");
    EXPECT_EQ(route.hosts[0].addresses.size(), 2U);
    EXPECT_EQ(route.expires, now + 300s);
    const std::size_t asked = dns.asked_in_all();
    EXPECT_EQ(run(io, routes.find(domain("a.example"))), found);
    EXPECT_EQ(routes.cached(domain("a.example"), now), found);
    EXPECT_EQ(dns.asked_in_all(), asked);
    EXPECT_EQ(routes.cached(domain("a.example"), now + 300s), nullptr);
    now += 361s;
    EXPECT_NE(run(io, routes.find(domain("a.example"))), found);
}

struct StaleRouteTest : MxRoutesTest {
    MxRoutes routes{dns, {}, options()};
    const DomainName name = domain("a.example");
    FoundRoute old;

    StaleRouteTest()
    {
        dns.add_mx("a.example", 10, "mx.example");
        dns.add_a("mx.example", "9.9.9.9");
        old = run(io, routes.find(name));
    }
    FoundRoute find()
    {
        FoundRoute found = run(io, routes.find(name));
        settle(); // a look-up that goes on beside
        return found;
    }
};

TEST_F(StaleRouteTest, IsGivenAtOnceAndLookedUpBeside)
{
    now += 300s;
    dns.hold("a.example");
    for (int i = 0; i < 3; ++i) EXPECT_EQ(find(), old);
    EXPECT_EQ(dns.asked("MX a.example"), 2U);
    dns.release("a.example");
    settle();
    const FoundRoute fresh = routes.cached(name, now);
    ASSERT_NE(fresh, nullptr);
    EXPECT_NE(fresh, old);
    EXPECT_TRUE(*fresh);
}

TEST_F(StaleRouteTest, StandsInForEachFailureThatIsNotFinal)
{
    now += 300s;
    for (const Errc code : {Errc::timeout, Errc::unavailable, Errc::malformed, Errc::full}) {
        dns.fail("a.example", code);
        now += 120s;
        EXPECT_EQ(find(), old) << static_cast<int>(code);
        EXPECT_EQ(routes.cached(name, now + 29s), old);
        EXPECT_EQ(routes.cached(name, now + 30s), nullptr);
    }
    EXPECT_EQ(dns.asked("MX a.example"), 5U);
    dns.succeed("a.example");
    now += 120s;
    EXPECT_NE(find(), old);
}

TEST_F(StaleRouteTest, ADeadResolverStopsABusyDomainAtNoTime)
{
    dns.fail("a.example", Errc::timeout);
    for (int i = 0; i < 60; ++i) {
        now += 10s;
        EXPECT_EQ(find(), old) << i;
    }
}

TEST_F(StaleRouteTest, EndsAfterADay)
{
    dns.fail("a.example", Errc::timeout);
    now += 300s + 86'399s;
    EXPECT_EQ(find(), old);
    now += 1s;
    const FoundRoute found = find();
    ASSERT_FALSE(*found);
    EXPECT_EQ(found->error().code, Errc::timeout);
}

TEST_F(StaleRouteTest, EndsWithAFinalAnswer)
{
    dns.remove("a.example");
    now += 361s;
    EXPECT_EQ(find()->error().code, Errc::not_found);
    dns.fail("a.example", Errc::timeout); // must not bring the old one back
    now += 60s;
    EXPECT_EQ(find()->error().code, Errc::timeout);
}

// Rebinding: the name's owner shows a public address first, and then one of ours.
TEST_F(StaleRouteTest, AHostThatTurnsPrivateBetweenLookUpsLeadsNowhere)
{
    dns.remove("mx.example");
    dns.add_a("mx.example", "127.0.0.1");
    dns.add_aaaa("mx.example", "::ffff:10.0.0.1");
    EXPECT_EQ(find(), old);
    EXPECT_EQ((*old)->hosts.at(0).addresses, std::vector{asio::ip::make_address("9.9.9.9")}) << "as it was checked";
    EXPECT_EQ(dns.asked("A mx.example"), 1U) << "nobody asks again to connect";
    now += 361s;
    const FoundRoute turned = find();
    ASSERT_FALSE(*turned);
    EXPECT_EQ(turned->error().code, Errc::refused);
    dns.remove("mx.example"); // half of it: only what is public is left
    dns.add_a("mx.example", "9.9.9.9");
    dns.add_a("mx.example", "127.0.0.1");
    now += 61s;
    const FoundRoute half = find();
    ASSERT_TRUE(*half);
    EXPECT_EQ((*half)->hosts.at(0).addresses, std::vector{asio::ip::make_address("9.9.9.9")});
}

TEST_F(StaleRouteTest, ADomainThatTakesNoMailAnyMoreEndsIt)
{
    dns.remove("a.example");
    dns.add_null_mx("a.example");
    now += 300s;
    EXPECT_EQ(find(), old);
    EXPECT_EQ(find()->error().code, Errc::refused);
}

struct FailureCase {
    const char* name;
    Errc code;
};
TEST_F(MxRoutesTest, TellsEachKindOfFailureAndKeepsItForAMinute)
{
    dns.add_null_mx("null.example");
    dns.add_mx("inside.example", 10, "localhost");
    dns.add_a("localhost", "127.0.0.1");
    dns.add_mx("nothing.example", 10, "missing.example");
    dns.add_txt("empty.example", "no MX and no address");
    dns.fail("broken.example", Errc::unavailable);
    dns.fail("late.example", Errc::timeout);
    dns.fail("garbage.example", Errc::malformed);
    dns.add_mx("half.example", 10, "broken.example");
    constexpr FailureCase kFailures[] = {
        {"null.example", Errc::refused},    {"inside.example", Errc::refused},    {"nothing.example", Errc::not_found},
        {"empty.example", Errc::not_found}, {"gone.example", Errc::not_found},    {"broken.example", Errc::unavailable},
        {"late.example", Errc::timeout},    {"garbage.example", Errc::malformed}, {"half.example", Errc::unavailable},
    };
    MxRoutes routes{dns, {}, options()};
    for (const FailureCase& row : kFailures) {
        const FoundRoute found = run(io, routes.find(domain(row.name)));
        ASSERT_FALSE(*found) << row.name;
        EXPECT_EQ(found->error().code, row.code) << row.name << ": " << found->error().detail;
        EXPECT_EQ(routes.cached(domain(row.name), now + 59s), found) << row.name;
        EXPECT_EQ(routes.cached(domain(row.name), now + 60s), nullptr) << row.name;
    }
}

TEST_F(MxRoutesTest, WhatSaysNothingAboutTheDomainIsNotKept)
{
    dns.fail("a.example", Errc::full);
    MxRoutes routes{dns, {}, options()};
    EXPECT_EQ(run(io, routes.find(domain("a.example")))->error().code, Errc::full);
    EXPECT_EQ(routes.cached(domain("a.example"), now), nullptr);
}

TEST_F(MxRoutesTest, ManyCallersShareOneLookUp)
{
    dns.add_a("a.example", "9.9.9.9");
    dns.hold("a.example");
    MxRoutes routes{dns, {}, options()};
    std::vector<std::shared_ptr<FoundRoute>> places;
    for (int i = 0; i < 50; ++i) places.push_back(start(routes, "a.example"));
    settle();
    EXPECT_EQ(dns.asked("MX a.example"), 1U);
    dns.release("a.example");
    settle();
    for (const auto& place : places) EXPECT_EQ(*place, *places.front());
    ASSERT_NE(*places.front(), nullptr);
    EXPECT_TRUE(**places.front());
}

TEST_F(MxRoutesTest, ASlowDomainDelaysNoOther)
{
    dns.add_a("fast.example", "9.9.9.9");
    dns.add_mx("slow.example", 10, "mx.slow.example");
    dns.hold("slow.example");
    MxRoutes routes{dns, {}, options()};
    const auto slow = start(routes, "slow.example");
    const auto fast = start(routes, "fast.example");
    settle();
    ASSERT_NE(*fast, nullptr);
    EXPECT_TRUE(**fast);
    EXPECT_EQ(*slow, nullptr);
}

TEST_F(MxRoutesTest, AsksForAllAddressesAtOnce)
{
    for (const char* host : {"mx1.example", "mx2.example", "mx3.example"}) {
        dns.add_mx("a.example", 10, host);
        dns.hold(host);
    }
    MxRoutes routes{dns, {}, options()};
    const auto place = start(routes, "a.example");
    settle();
    for (const char* question : {"A mx1.example", "AAAA mx1.example", "A mx2.example", "A mx3.example"})
        EXPECT_EQ(dns.asked(question), 1U) << question;
    EXPECT_EQ(*place, nullptr);
}

TEST_F(MxRoutesTest, ADeadlineEndsTheLookUpWithWhatIsThere)
{
    dns.add_mx("a.example", 10, "good.example");
    dns.add_mx("a.example", 20, "slow.example");
    dns.add_a("good.example", "9.9.9.9");
    dns.hold("slow.example");
    MxRoutes::Options quick = options();
    quick.deadline = 1s;
    MxRoutes routes{dns, {}, quick};
    const FoundRoute partly = run(io, routes.find(domain("a.example")));
    ASSERT_TRUE(*partly) << partly->error().detail;
    EXPECT_EQ((*partly)->hosts.size(), 1U);
    EXPECT_EQ((*partly)->site.value(), "good.example,slow.example");
    EXPECT_EQ((*partly)->expires, now + 60s);
    const FoundRoute none = run(io, routes.find(domain("slow.example")));
    EXPECT_EQ(none->error().code, Errc::timeout);
}

TEST_F(MxRoutesTest, ACallerThatGoesAwayDoesNotDisturbTheOthers)
{
    dns.add_a("a.example", "9.9.9.9");
    dns.hold("a.example");
    MxRoutes routes{dns, {}, options()};
    asio::cancellation_signal leave;
    auto left = std::make_shared<FoundRoute>();
    asio::co_spawn(io, routes.find(domain("a.example")),
                   asio::bind_cancellation_slot(
                       leave.slot(), [left](std::exception_ptr, FoundRoute found) { *left = std::move(found); }));
    settle();
    const auto stays = start(routes, "a.example");
    settle();
    leave.emit(asio::cancellation_type::terminal);
    settle();
    ASSERT_NE(*left, nullptr);
    EXPECT_EQ((*left)->error().code, Errc::cancelled);
    EXPECT_EQ(*stays, nullptr);
    dns.release("a.example");
    settle();
    ASSERT_NE(*stays, nullptr);
    EXPECT_TRUE(**stays);
}

TEST_F(MxRoutesTest, WhoStillWaitsWhenItDiesIsTold)
{
    dns.hold("a.example");
    auto routes = std::make_unique<MxRoutes>(dns, TargetRule{}, options());
    const auto place = start(*routes, "a.example");
    settle();
    routes.reset();
    settle();
    ASSERT_NE(*place, nullptr);
    EXPECT_EQ((*place)->error().code, Errc::cancelled);
}

TEST_F(MxRoutesTest, IsBounded)
{
    for (int i = 0; i < 20; ++i) dns.add_a("d" + std::to_string(i) + ".example", "9.9.9.9");
    MxRoutes::Options small = options();
    small.entries_max = 3;
    small.flights_max = 5;
    MxRoutes routes{dns, {}, small};
    std::size_t kept = 0;
    for (int i = 0; i < 20; ++i) run(io, routes.find(domain("d" + std::to_string(i) + ".example")));
    for (int i = 0; i < 20; ++i) kept += routes.cached(domain("d" + std::to_string(i) + ".example"), now) ? 1U : 0U;
    EXPECT_EQ(kept, 3U);

    std::vector<std::shared_ptr<FoundRoute>> places;
    for (int i = 0; i < 6; ++i) {
        dns.hold("h" + std::to_string(i) + ".example");
        places.push_back(start(routes, "h" + std::to_string(i) + ".example"));
        settle();
    }
    EXPECT_EQ(*places[4], nullptr);
    ASSERT_NE(*places[5], nullptr);
    EXPECT_EQ((*places[5])->error().code, Errc::full);
}

struct CacheTest : MxRoutesTest {
    Registry metrics;
    CachingResolver::Options cache_options()
    {
        CachingResolver::Options options;
        options.now = [this] { return now; };
        return options;
    }
};

TEST_F(CacheTest, KeepsAnswersForTheirTtlWhichCountsDown)
{
    dns.add_mx("a.example", 10, "mx.example");
    dns.add_a("a.example", "9.9.9.9");
    dns.add_aaaa("a.example", "2606:4700::1");
    dns.add_txt("a.example", "text");
    CachingResolver cache{dns, cache_options(), metrics};
    EXPECT_EQ(run(io, cache.mx(domain("a.example")))->ttl, 300s);
    now += 100s;
    const auto again = run(io, cache.mx(domain("a.example")));
    EXPECT_EQ(again->ttl, 200s);
    EXPECT_EQ(again->records, (std::vector<MxRecord>{{10, "mx.example"}}));
    EXPECT_EQ(dns.asked("MX a.example"), 1U);
    now += 200s;
    EXPECT_EQ(run(io, cache.mx(domain("a.example")))->ttl, 300s);
    EXPECT_EQ(dns.asked("MX a.example"), 2U);
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(run(io, cache.a(domain("a.example")))->records.at(0).to_string(), "9.9.9.9");
        EXPECT_EQ(run(io, cache.aaaa(domain("a.example")))->records.at(0).to_string(), "2606:4700::1");
        EXPECT_EQ(run(io, cache.txt(domain("a.example")))->records.at(0), "text");
    }
    EXPECT_EQ(dns.asked_in_all(), 5U);
}

TEST_F(CacheTest, KeepsNegativeAnswersAndFailuresNotLong)
{
    dns.negative_ttl = 86400s;
    dns.fail("broken.example", Errc::timeout);
    dns.fail("busy.example", Errc::full);
    CachingResolver cache{dns, cache_options(), metrics};
    EXPECT_EQ(run(io, cache.a(domain("none.example")))->ttl, 900s);
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(run(io, cache.a(domain("none.example")))->kind, Answer<asio::ip::address>::Kind::no_name);
        EXPECT_EQ(run(io, cache.a(domain("broken.example"))).error().code, Errc::timeout);
        EXPECT_EQ(run(io, cache.a(domain("busy.example"))).error().code, Errc::full);
    }
    EXPECT_EQ(dns.asked("A none.example"), 1U);
    EXPECT_EQ(dns.asked("A broken.example"), 1U);
    EXPECT_EQ(dns.asked("A busy.example"), 2U); // says nothing about the name
    dns.succeed("broken.example");
    dns.add_a("broken.example", "9.9.9.9");
    now += 5s;
    EXPECT_TRUE(run(io, cache.a(domain("broken.example"))));
}

TEST_F(CacheTest, ATtlOfZeroIsNotKept)
{
    dns.ttl = 0s;
    dns.add_a("a.example", "9.9.9.9");
    CachingResolver cache{dns, cache_options(), metrics};
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(run(io, cache.a(domain("a.example"))));
    EXPECT_EQ(dns.asked("A a.example"), 3U);
    EXPECT_EQ(cache.entries(), 0U);
}

TEST_F(CacheTest, IsBoundedAndForgetsWhatWasUsedLongestAgo)
{
    CachingResolver::Options small = cache_options();
    small.entries_max = 2;
    CachingResolver cache{dns, small, metrics};
    for (const char* name : {"a.example", "b.example", "a.example", "c.example", "a.example"})
        EXPECT_TRUE(run(io, cache.a(domain(name))));
    EXPECT_EQ(dns.asked("A a.example"), 1U);
    EXPECT_EQ(cache.entries(), 2U);
    EXPECT_TRUE(run(io, cache.a(domain("b.example"))));
    EXPECT_EQ(dns.asked("A b.example"), 2U);
}

TEST_F(CacheTest, DyingTellsWhoWaits)
{
    dns.hold("a.example");
    auto cache = std::make_unique<CachingResolver>(dns, cache_options(), metrics);
    std::optional<Errc> code;
    asio::co_spawn(io, cache->a(domain("a.example")),
                   [&](std::exception_ptr, Result<Answer<asio::ip::address>> answer) { code = answer.error().code; });
    settle();
    cache.reset();
    settle();
    EXPECT_EQ(code, Errc::cancelled);
}

TEST(ExpiringLru, ReplacesExpiresAndEvicts)
{
    const SteadyTime now{};
    ExpiringLru<int, int> map{2};
    map.put(1, 10, now + 10s);
    map.put(2, 20, now + 20s);
    map.put(1, 11, now + 5s);
    ASSERT_NE(map.get(1, now), nullptr);
    EXPECT_EQ(*map.get(1, now), 11);
    map.put(3, 30, now + 30s); // 2 was used longest ago
    EXPECT_EQ(map.get(2, now), nullptr);
    EXPECT_EQ(map.get(1, now + 5s), nullptr);
    EXPECT_EQ(map.size(), 1U);
    EXPECT_EQ(*map.get(3, now + 29s), 30);
}

awaitable<Result<int>> throws_bad_alloc()
{
    throw std::bad_alloc{};
    co_return 1;
}

TEST(SingleFlight, WorkThatRunsOutOfMemoryFailsItsCallersOnly)
{
    asio::io_context io;
    SingleFlight<int, int> flights{10};
    EXPECT_EQ(run(io, flights.run(1, throws_bad_alloc)).error().code, Errc::local_fault);
    EXPECT_EQ(flights.flights(), 0U);
    flights.stop();
    EXPECT_EQ(run(io, flights.run(1, throws_bad_alloc)).error().code, Errc::cancelled);
}

awaitable<> throws_at_once()
{
    throw std::bad_alloc{};
    co_return;
}
awaitable<Result<int>> gather_nothing_and_throwers()
{
    const SteadyTime deadline = std::chrono::steady_clock::now() + 30s;
    co_await gather({}, deadline);
    std::vector<std::function<awaitable<>()>> jobs(3, throws_at_once);
    co_await gather(std::move(jobs), deadline);
    co_return 7;
}
TEST(Gather, EndsWithoutJobsAndWhenJobsThrow)
{
    asio::io_context io;
    const SteadyTime start = std::chrono::steady_clock::now();
    EXPECT_EQ(run(io, gather_nothing_and_throwers()), 7);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 30s); // did not wait for the deadline
}

} // namespace
} // namespace penguin::dns
