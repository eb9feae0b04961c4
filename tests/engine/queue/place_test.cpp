// Parked entries, entries that a node does not want, cancelling.
#include "tests/engine/queue/queue_fixture.h"

namespace penguin::test {

namespace {

using queue::Claimed;
using queue::Event;
using queue::EventKind;
using queue::Priority;

using PlaceTest = QueueTest;

TEST_F(PlaceTest, AParkedEntryComesBackWhenItsPlaceHasRoom)
{
    Node node{io, server().url(), "n1", "i1"};
    node.enqueue(batch_entries(1, 1, 3));
    EXPECT_EQ(node.park(tokens_of(node.claim(10)), "gmail"), 3U);
    EXPECT_TRUE(node.hand().empty());
    EXPECT_EQ(node.summary().parked, 3U);
    EXPECT_TRUE(node.claim(10, 10, {"gmail"}).empty());
    const std::vector<Claimed> got = node.claim(10, 10, {"yahoo"});
    EXPECT_EQ(got.size(), 3U);
    EXPECT_EQ(server().cli("--scan --pattern '" + key + "parked*'"), "");
}

TEST_F(PlaceTest, ParkedEntriesKeepOrderPriorityAndTenant)
{
    Node node{io, server().url(), "n1", "i1"};
    node.enqueue(batch_entries(1, 1, 3));
    node.park(tokens_of(node.claim(10)), "gmail");
    node.enqueue(batch_entries(1, 2, 2, Priority::high));
    node.park(tokens_of(node.claim(10, 10, {"gmail"})), "gmail");
    const std::vector<Claimed> got = node.claim(10, 10);
    ASSERT_EQ(got.size(), 5U);
    EXPECT_EQ(got[0].entry.id, (MessageId{batch_of(2), 0}));
    EXPECT_EQ(got[0].entry.prio, Priority::high);
    EXPECT_EQ(got[1].entry.id, (MessageId{batch_of(2), 1}));
    EXPECT_EQ(got[2].entry.id, (MessageId{batch_of(1), 0}));
    EXPECT_EQ(got[4].entry.id, (MessageId{batch_of(1), 2}));
}

TEST_F(PlaceTest, OneCallParksAtSeveralPlaces)
{
    Node node{io, server().url(), "n1", "i1"};
    node.enqueue(batch_entries(1, 1, 2));
    node.enqueue(batch_entries(2, 2, 2));
    const std::vector<Claimed> got = node.claim(10);
    ASSERT_EQ(got.size(), 4U);
    std::vector<queue::Parking> parkings;
    for (std::size_t i = 0; i < 4; ++i) parkings.push_back({got[i].token, i % 2 == 0 ? "gmail" : "yahoo"});
    parkings.push_back(parkings[0]);
    parkings.push_back({"0-0", "gmail"});
    EXPECT_EQ(*node.try_(node.queue().park(parkings)), 4U);
    EXPECT_TRUE(node.hand().empty());
    const std::vector<Claimed> first = node.claim(10, 10, {"yahoo"});
    ASSERT_EQ(first.size(), 2U);
    for (const Claimed& one : first) EXPECT_EQ(one.entry.id.index, 0U);
    EXPECT_EQ(node.claim(10, 10, {"gmail"}).size(), 2U);
}

TEST_F(PlaceTest, AClaimTakesNoMoreFromAPlaceThanItsRoomOrElseTheUsualTwice)
{
    Node node{io, server().url(), "n1", "i1"};
    node.enqueue(batch_entries(1, 1, 60));
    const std::vector<queue::Token> all = tokens_of(node.claim(60, 60));
    ASSERT_EQ(all.size(), 60U);
    std::vector<queue::Parking> parkings;
    for (std::size_t i = 0; i < 60; ++i) parkings.push_back({all[i], i < 20 ? "fast" : i < 40 ? "slow" : "full"});
    ASSERT_EQ(*node.try_(node.queue().park(parkings)), 60U);
    const queue::ClaimRequest request{.max = 100, .per_place = 2, .room = {{"fast", 15}, {"full", 0}}};
    std::map<std::string, std::size_t> got;
    for (const Claimed& one : *node.try_(node.queue().claim(request)))
        ++got[one.entry.id.index < 20 ? "fast" : one.entry.id.index < 40 ? "slow" : "full"];
    EXPECT_EQ(got, (std::map<std::string, std::size_t>{{"fast", 15}, {"slow", 4}}));
}

TEST_F(PlaceTest, AClaimTakesNoMoreFromReadyListsThanAsked)
{
    Node node{io, server().url(), "n1", "i1"};
    node.enqueue(batch_entries(1, 1, 20));
    node.park(tokens_of(node.claim(20, 20)), "gmail");
    node.enqueue(batch_entries(1, 2, 20));
    const auto claim = [&node](std::size_t ready_max) {
        const queue::ClaimRequest request{.max = 10, .ready_max = ready_max};
        return node.try_(node.queue().claim(request)).value();
    };
    const auto fresh = [](const Claimed& one) { return one.entry.id.batch == batch_of(2); };
    const std::vector<Claimed> none = claim(0);
    EXPECT_EQ(none.size(), 10U);
    EXPECT_EQ(std::ranges::count_if(none, fresh), 0);
    const std::vector<Claimed> two = claim(2);
    EXPECT_EQ(two.size(), 10U);
    EXPECT_EQ(std::ranges::count_if(two, fresh), 2);
}

TEST_F(PlaceTest, AFullPlaceDoesNotDelayWhatGoesElsewhere)
{
    Node node{io, server().url(), "n1", "i1"};
    node.enqueue(batch_entries(1, 1, 1000));
    for (int i = 0; i < 5; ++i) node.park(tokens_of(node.claim(200, 200, {"gmail"})), "gmail");
    node.enqueue(batch_entries(1, 2, 10));
    const std::vector<Claimed> got = node.claim(10, 10, {"gmail"});
    ASSERT_EQ(got.size(), 10U);
    for (const Claimed& one : got) EXPECT_EQ(one.entry.id.batch, batch_of(2));
    // With room again the old ones get half of a claim, what is new the other half.
    node.enqueue(batch_entries(1, 3, 100));
    const std::vector<Claimed> mixed = node.claim(100, 100);
    EXPECT_EQ(std::ranges::count_if(mixed, [](const Claimed& one) { return one.entry.id.batch == batch_of(1); }), 50);
}

TEST_F(PlaceTest, TenantsShareAPlaceByWeight)
{
    Node node{io, server().url(), "n1", "i1"};
    for (unsigned tenant = 1; tenant <= 2; ++tenant) {
        node.enqueue(batch_entries(tenant, tenant, 500));
        node.park(tokens_of(node.claim(500, 500, {"gmail"})), "gmail");
    }
    node.must(node.queue().set_weight(tenant_of(2), 3));
    std::size_t second = 0;
    for (int i = 0; i < 10; ++i)
        for (const Claimed& one : node.claim(40, 10)) second += one.entry.tenant == tenant_of(2) ? 1 : 0;
    EXPECT_NEAR(static_cast<double>(second), 300, 31);
}

// In small claims, as a slow site makes them, and with turns that a claim's end cuts.
TEST_F(PlaceTest, SharesOfAPlaceAreExactOverManySmallClaims)
{
    Node node{io, server().url(), "n1", "i1"};
    const std::map<unsigned, double> weights{{1, 1}, {2, 3}, {3, 0.5}};
    for (const auto& [tenant, weight] : weights) {
        node.enqueue(batch_entries(tenant, tenant, 3'000));
        for (int i = 0; i < 3; ++i) node.park(tokens_of(node.claim(1'000, 1'000, {"gmail"})), "gmail");
        node.must(node.queue().set_weight(tenant_of(tenant), weight));
    }
    std::map<TenantId, double> got;
    constexpr int kClaims = 200;
    constexpr int kRoom = 17;
    for (int i = 0; i < kClaims; ++i)
        for (const Claimed& one : *node.try_(node.queue().claim({.max = 100, .room = {{"gmail", kRoom}}})))
            ++got[one.entry.tenant];
    for (const auto& [tenant, weight] : weights)
        EXPECT_NEAR(got[tenant_of(tenant)], kClaims * kRoom * weight / 4.5, 10 * weight + kRoom) << tenant;
}

TEST_F(PlaceTest, HighIsTakenFirstAndTheOthersKeepAShareOfAPlace)
{
    Node node{io, server().url(), "n1", "i1"};
    for (unsigned prio = 0; prio < 3; ++prio) {
        node.enqueue(batch_entries(1, 1 + prio, 500, static_cast<Priority>(prio)));
        node.park(tokens_of(node.claim(500, 500, {"high:gmail", "gmail"})), "gmail");
    }
    ASSERT_EQ(node.summary().parked, 1'500U);
    std::map<Priority, int> got;
    const std::vector<Claimed> large = node.claim(100);
    for (const Claimed& one : large) ++got[one.entry.prio];
    EXPECT_EQ(got, (std::map<Priority, int>{{Priority::high, 70}, {Priority::normal, 20}, {Priority::low, 10}}));
    EXPECT_EQ(large.front().entry.prio, Priority::high);
}

// A tenant's own messages of high priority, however many, do not keep its others from going.
TEST_F(PlaceTest, WhatIsLessUrgentGetsThroughAStreamOfHigh)
{
    Node node{io, server().url(), "n1", "i1"};
    node.enqueue(batch_entries(1, 1, 10));
    node.park(tokens_of(node.claim(10)), "gmail");
    std::size_t normal = 0;
    unsigned claims = 0;
    for (; normal < 10 && claims < 20; ++claims) {
        node.enqueue(batch_entries(1, 100 + claims, 30, Priority::high));
        const std::set<std::string> full{"gmail", "high:gmail"};
        node.park(tokens_of(node.claim(30, 30, full)), "gmail");
        for (const Claimed& one : node.claim(20)) normal += one.entry.prio == Priority::normal ? 1U : 0U;
    }
    EXPECT_EQ(normal, 10U);
    EXPECT_LE(claims, 10U);
}

TEST_F(PlaceTest, APlaceThatIsFullOfNormalMailHasRoomForHigh)
{
    Node node{io, server().url(), "n1", "i1"};
    node.enqueue(batch_entries(1, 1, 20));
    node.enqueue(batch_entries(2, 2, 20, Priority::high));
    node.park(tokens_of(node.claim(40, 40)), "gmail");
    const std::vector<Claimed> got = node.claim(40, 40, {"gmail"});
    EXPECT_EQ(got.size(), 20U);
    for (const Claimed& one : got) EXPECT_EQ(one.entry.prio, Priority::high);
    const std::vector<Claimed> rest = node.claim(40, 40, {"high:gmail"});
    EXPECT_EQ(rest.size(), 20U);
    EXPECT_EQ(server().cli("--scan --pattern '" + key + "parked*'"), "");
}

// The version before parked all priorities at the place itself, high in front. It finds places by the index, and reads
// priority and entry from the values.
TEST_F(PlaceTest, WhatTheVersionBeforeParkedIsFoundAndItFindsOurs)
{
    Node node{io, server().url(), "n1", "i1"};
    const std::string tenant = tenant_of(1).value().text();
    const auto text = [](unsigned index, Priority prio) { return entry_of(1, 1, index, prio).to_json(); };
    server().cli("RPUSH '" + key + "parked:gmail:" + tenant + "' '0" + text(0, Priority::high) + "' '1" +
                 text(1, Priority::normal) + "'");
    server().cli("ZADD '" + key + "parked:gmail' 0 " + tenant);
    server().cli("ZADD '" + key + "parked' 0 gmail");
    const std::vector<Claimed> got = node.claim(10);
    ASSERT_EQ(got.size(), 2U);
    EXPECT_EQ(got[0].entry.prio, Priority::high);
    EXPECT_EQ(got[1].entry.prio, Priority::normal);

    node.park(tokens_of(got), "gmail");
    EXPECT_EQ(server().cli("ZRANGE '" + key + "parked' 0 -1"), "gmail\nhigh:gmail");
    EXPECT_EQ(server().cli("ZRANGE '" + key + "parked:high:gmail' 0 -1"), tenant);
    EXPECT_EQ(server().cli("LRANGE '" + key + "parked:high:gmail:" + tenant + "' 0 -1"), "0" + text(0, Priority::high));
}

// Else one whose place is always first, and never runs dry, would have all that claims take from places.
TEST_F(PlaceTest, AQuickPlaceDoesNotStarveTheNext)
{
    Node node{io, server().url(), "n1", "i1"};
    node.enqueue(batch_entries(1, 1, 1'000));
    node.park(tokens_of(node.claim(1'000, 1'000)), "a.example");
    node.enqueue(batch_entries(2, 2, 10));
    node.park(tokens_of(node.claim(10, 10, {"a.example"})), "b.example");
    node.enqueue(batch_entries(3, 3, 1'000)); // so that a claim's second look has nothing to give
    std::size_t second = 0;
    for (int i = 0; i < 3; ++i)
        for (const Claimed& one : node.claim(100, 100)) second += one.entry.tenant == tenant_of(2) ? 1U : 0U;
    EXPECT_EQ(second, 10U);
}

TEST_F(PlaceTest, OfManyPlacesEachIsLookedAtInTurn)
{
    Node node{io, server().url(), "n1", "i1"};
    node.enqueue(batch_entries(1, 1, 400));
    std::set<std::string> full;
    const std::vector<Claimed> all = node.claim(400, 400);
    for (std::size_t i = 0; i < all.size(); ++i) {
        const std::string place = "mx" + std::to_string(i) + ".example";
        node.park({all[i].token}, place);
        if (i != 399) full.insert(place);
    }
    std::size_t got = 0;
    for (int call = 0; call < 8; ++call) got += node.claim(10, 10, full).size();
    EXPECT_EQ(got, 1U) << "the one with room is found within a few calls";
}

TEST_F(PlaceTest, APlaceWithAColonIsRefused)
{
    Node node{io, server().url(), "n1", "i1"};
    node.enqueue(batch_entries(1, 1, 2));
    const std::vector<queue::Token> tokens = tokens_of(node.claim(10));
    for (const std::string place : {"node:n1", ""}) {
        const std::vector<queue::Parking> parkings{{tokens[0], "gmail"}, {tokens[1], place}};
        EXPECT_EQ(node.try_(node.queue().park(parkings)).error().code, Errc::bad_value);
    }
    EXPECT_EQ(node.hand().size(), 2U);
}

TEST_F(PlaceTest, WhatANodeDoesNotWantAnotherGets)
{
    Node picky{io, server().url(), "n1", "i1"};
    Node other{io, server().url(), "n2", "i2"};
    picky.enqueue(batch_entries(1, 1, 5));
    const WallTime until = wall_now() + 1h;
    EXPECT_EQ(picky.release(tokens_of(picky.claim(10)), until), 5U);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(picky.claim(10).empty());
    const std::vector<Claimed> got = other.claim(10);
    ASSERT_EQ(got.size(), 5U);
    EXPECT_EQ(to_unix_ms(got[0].entry.avoid.at("n1")), to_unix_ms(until));
}

TEST_F(PlaceTest, ALoneNodeSleepsOnWhatItDoesNotWant)
{
    Node node{io, server().url(), "n1", "i1"};
    node.enqueue(batch_entries(1, 1, 5));
    const WallTime until = wall_now() + 1h;
    node.release(tokens_of(node.claim(10)), until);
    EXPECT_TRUE(node.claim(10).empty());
    EXPECT_EQ(node.summary().due, 5U);
    const std::string id = batch_of(1).value().text() + ".0";
    EXPECT_EQ(server().cli("ZSCORE '" + key + "due' " + id), std::to_string(to_unix_ms(until)));
}

TEST_F(PlaceTest, WhenNobodyWantsItItSleepsUntilTheFirstDoes)
{
    Node one{io, server().url(), "n1", "i1"};
    Node two{io, server().url(), "n2", "i2"};
    one.enqueue(batch_entries(1, 1, 1));
    const WallTime sooner = wall_now() + 1h;
    one.release(tokens_of(one.claim(10)), sooner);
    two.release(tokens_of(two.claim(10)), sooner + 1h);
    EXPECT_TRUE(one.claim(10).empty());
    EXPECT_TRUE(two.claim(10).empty());
    const std::string id = batch_of(1).value().text() + ".0";
    EXPECT_EQ(server().cli("ZSCORE '" + key + "due' " + id), std::to_string(to_unix_ms(sooner)));
}

TEST_F(PlaceTest, AnAvoidThatEndedIsOver)
{
    Node one{io, server().url(), "n1", "i1"};
    Node two{io, server().url(), "n2", "i2"};
    one.enqueue(batch_entries(1, 1, 1));
    one.release(tokens_of(one.claim(10)), wall_now() + 300ms);
    std::vector<Claimed> got;
    for (const auto end = std::chrono::steady_clock::now() + 10s;
         got.empty() && std::chrono::steady_clock::now() < end;)
        got = one.claim(10); // n2 never asks: what lies aside for it is ours again then
    EXPECT_EQ(got.size(), 1U);
}

TEST_F(PlaceTest, WhatLiesAsideForANodeThatDiesIsTakenOver)
{
    Node picky{io, server().url(), "n1", "i1"};
    Node dead{io, server().url(), "n2", "i2"};
    picky.enqueue(batch_entries(1, 1, 3));
    picky.release(tokens_of(picky.claim(10)), wall_now() + 1h);
    server().cli("HSET '" + key + "nodes' n2 '1 i2 1 up'");
    picky.must(picky.queue().heartbeat("up"));
    EXPECT_TRUE(picky.claim(10).empty()); // still not wanted: now it sleeps
    EXPECT_EQ(picky.summary().due, 3U);
}

TEST_F(PlaceTest, CancelTakesOutWhatIsNotInAHand)
{
    Node node{io, server().url(), "n1", "i1"};
    std::vector<queue::Entry> entries = batch_entries(1, 1, 8);
    entries[7].not_before = wall_now() + 1h; // due
    entries[5].prio = Priority::low;
    node.enqueue(entries);
    node.enqueue(batch_entries(1, 2, 3)); // another batch of the tenant
    node.enqueue(batch_entries(2, 3, 3)); // another tenant
    std::vector<Claimed> taken;
    for (Claimed& one : node.claim(14, 14))
        if (one.entry.id == MessageId{batch_of(1), 0} || one.entry.id == MessageId{batch_of(1), 1})
            taken.push_back(std::move(one));
        else
            node.release({one.token});
    ASSERT_EQ(taken.size(), 2U);
    node.park({taken[1].token}, "gmail"); // 1 is parked, 0 stays in the hand
    std::vector<MessageId> all;
    for (unsigned i = 0; i < 8; ++i) all.push_back({batch_of(1), i});

    EXPECT_EQ(node.must(node.queue().cancel(tenant_of(2), batch_of(1), all)), 0U) << "not that tenant's";
    EXPECT_EQ(node.must(node.queue().cancel(tenant_of(1), batch_of(1), all)), 7U);
    EXPECT_EQ(node.must(node.queue().cancel(tenant_of(1), batch_of(1), all)), 0U);
    const std::vector<Event> events = node.events();
    ASSERT_EQ(events.size(), 7U);
    std::set<std::uint32_t> indices;
    for (const Event& event : events) {
        indices.insert(event.message.index);
        EXPECT_EQ(event.kind, EventKind::cancelled);
        EXPECT_EQ(event.message.batch, batch_of(1));
        EXPECT_EQ(event.recipient, "r" + std::to_string(event.message.index) + "@b.example");
        EXPECT_GT(event.latency_ms, 0);
    }
    EXPECT_EQ(indices, (std::set<std::uint32_t>{1, 2, 3, 4, 5, 6, 7}));
    EXPECT_EQ(node.hand().size(), 1U);
    EXPECT_EQ(node.summary().due, 0U);
    EXPECT_EQ(node.claim(100).size(), 6U) << "what others queued is still there";
}

TEST_F(PlaceTest, CancelFindsAllInALongList)
{
    Node node{io, server().url(), "n1", "i1"};
    for (unsigned batch = 1; batch <= 5; ++batch) node.enqueue(batch_entries(1, batch, 1000));
    std::vector<MessageId> every_third;
    for (unsigned i = 0; i < 1000; i += 3) every_third.push_back({batch_of(3), i});
    EXPECT_EQ(node.must(node.queue().cancel(tenant_of(1), batch_of(3), every_third)), every_third.size());
    EXPECT_EQ(node.summary().ready, 5000 - every_third.size());
}

} // namespace

} // namespace penguin::test
