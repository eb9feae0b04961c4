// Who gets what, in which order, from the ready lists.
#include <thread>

#include "tests/engine/queue/queue_fixture.h"

namespace penguin::test {

namespace {

using queue::Claimed;
using queue::EventKind;
using queue::Priority;

using ClaimTest = QueueTest;

std::map<TenantId, std::size_t> count_by_tenant(const std::vector<Claimed>& all)
{
    std::map<TenantId, std::size_t> out;
    for (const Claimed& one : all) ++out[one.entry.tenant];
    return out;
}

TEST_F(ClaimTest, WhatIsQueuedComesBackWholeAndOnce)
{
    Node node{io, server().url(), "n1", "i1"};
    queue::Entry entry = entry_of(1, 1, 7, Priority::high);
    entry.campaign = CampaignId{Uuid::v7(wall_now())};
    entry.mailbox = MailboxId{Uuid::v7(wall_now())};
    entry.expires = from_unix_ms(1'900'000'000'000);
    EXPECT_EQ(node.enqueue({entry}).queued, 1U);
    const std::vector<Claimed> got = node.claim(10);
    ASSERT_EQ(got.size(), 1U);
    EXPECT_EQ(got[0].entry.to_json(), entry.to_json());
    EXPECT_FALSE(got[0].token.empty());
    EXPECT_TRUE(node.claim(10).empty());
}

TEST_F(ClaimTest, AMessageWhoseBitIsSetIsNotQueuedAgain)
{
    Node node{io, server().url(), "n1", "i1"};
    EXPECT_EQ(node.enqueue(batch_entries(1, 1, 5)).queued, 5U);
    const queue::EnqueueReport again = node.enqueue(batch_entries(1, 1, 8));
    EXPECT_EQ(again.queued, 3U);
    EXPECT_EQ(again.skipped, 5U);
    EXPECT_EQ(node.claim(100, 100).size(), 8U);
}

TEST_F(ClaimTest, EntriesOfTwoTenantsInOneEnqueueAreRefused)
{
    Node node{io, server().url(), "n1", "i1"};
    const std::vector<queue::Entry> mixed{entry_of(1, 1, 0), entry_of(2, 1, 1)};
    const auto result = node.try_(node.queue().enqueue(mixed));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::bad_value);
}

TEST_F(ClaimTest, TokensAreUniqueAcrossCallsAndNodes)
{
    Node one{io, server().url(), "n1", "i1"};
    Node two{io, server().url(), "n2", "i2"};
    one.enqueue(batch_entries(1, 1, 100));
    std::set<std::string> tokens;
    for (int round = 0; round < 5; ++round) {
        for (const Claimed& got : one.claim(10)) tokens.insert(got.token);
        for (const Claimed& got : two.claim(10)) tokens.insert(got.token);
    }
    EXPECT_EQ(tokens.size(), 100U);
}

TEST_F(ClaimTest, TenantsAreServedByWeight)
{
    Node node{io, server().url(), "n1", "i1"};
    for (unsigned tenant = 1; tenant <= 3; ++tenant) node.enqueue(batch_entries(tenant, tenant, 1000));
    node.must(node.queue().set_weight(tenant_of(3), 3));
    for (const std::size_t size : {100U, 1U}) { // in large calls and in single ones
        std::map<TenantId, std::size_t> counts;
        for (std::size_t got = 0; got < 500; got += size)
            for (const auto& [tenant, count] : count_by_tenant(node.claim(size))) counts[tenant] += count;
        EXPECT_NEAR(static_cast<double>(counts[tenant_of(1)]), 100, 31);
        EXPECT_NEAR(static_cast<double>(counts[tenant_of(2)]), 100, 31);
        EXPECT_NEAR(static_cast<double>(counts[tenant_of(3)]), 300, 31);
    }
}

// Who waits keeps what a claim's end cut off its turn: only so are shares exact.
TEST_F(ClaimTest, SharesAreExactOverManyClaims)
{
    Node node{io, server().url(), "n1", "i1"};
    const std::map<unsigned, double> weights{{1, 0.5}, {2, 1}, {3, 2}, {4, 8}};
    for (const auto& [tenant, weight] : weights) {
        node.enqueue(batch_entries(tenant, tenant, 4'000));
        node.must(node.queue().set_weight(tenant_of(tenant), weight));
    }
    std::map<TenantId, std::size_t> counts;
    constexpr int kClaims = 100;
    constexpr int kSize = 37;
    for (int i = 0; i < kClaims; ++i)
        for (const auto& [tenant, count] : count_by_tenant(node.claim(kSize))) counts[tenant] += count;
    for (const auto& [tenant, weight] : weights)
        EXPECT_NEAR(static_cast<double>(counts[tenant_of(tenant)]), kClaims * kSize * weight / 11.5,
                    10 * weight + kSize)
            << tenant;
}

TEST_F(ClaimTest, ANewcomerGetsItsShareAtOnceAndNoMore)
{
    Node node{io, server().url(), "n1", "i1"};
    node.enqueue(batch_entries(1, 1, 2000));
    node.enqueue(batch_entries(2, 2, 2000));
    for (int i = 0; i < 10; ++i) node.claim(100); // both are far ahead in virtual time now
    node.enqueue(batch_entries(3, 3, 2000));
    std::map<TenantId, std::size_t> counts;
    for (int i = 0; i < 6; ++i)
        for (const auto& [tenant, count] : count_by_tenant(node.claim(100))) counts[tenant] += count;
    for (unsigned tenant = 1; tenant <= 3; ++tenant)
        EXPECT_NEAR(static_cast<double>(counts[tenant_of(tenant)]), 200, 21) << tenant;
}

TEST_F(ClaimTest, WhoRefillsInSmallLotsGetsNoMoreThanItsShare)
{
    Node node{io, server().url(), "n1", "i1"};
    for (unsigned tenant = 1; tenant <= 9; ++tenant) node.enqueue(batch_entries(tenant, tenant, 500));
    std::size_t trickle = 0;
    for (unsigned round = 0; round < 20; ++round) {
        std::vector<queue::Entry> lot;
        for (unsigned i = 0; i < 10; ++i) lot.push_back(entry_of(10, 100 + round, i));
        node.enqueue(lot);
        const auto counts = count_by_tenant(node.claim(50));
        if (const auto found = counts.find(tenant_of(10)); found != counts.end()) trickle += found->second;
    }
    EXPECT_NEAR(static_cast<double>(trickle), 100, 20); // a tenth of 1,000
}

TEST_F(ClaimTest, HighGoesFirstAndTheOthersKeepAShare)
{
    Node node{io, server().url(), "n1", "i1"};
    node.enqueue(batch_entries(1, 1, 900, Priority::high));
    node.enqueue(batch_entries(1, 2, 900, Priority::normal));
    node.enqueue(batch_entries(1, 3, 900, Priority::low));
    const auto count_of = [](const std::vector<Claimed>& all, Priority prio) {
        return std::ranges::count_if(all, [prio](const Claimed& one) { return one.entry.prio == prio; });
    };
    const std::vector<Claimed> large = node.claim(100);
    EXPECT_EQ(count_of(large, Priority::high), 70);
    EXPECT_EQ(count_of(large, Priority::normal), 20);
    EXPECT_EQ(count_of(large, Priority::low), 10);
    std::vector<Claimed> singles;
    for (int i = 0; i < 100; ++i)
        for (Claimed& one : node.claim(1)) singles.push_back(std::move(one));
    EXPECT_EQ(count_of(singles, Priority::high), 70);
    EXPECT_EQ(count_of(singles, Priority::normal), 20);
    EXPECT_EQ(count_of(singles, Priority::low), 10);
}

TEST_F(ClaimTest, AShareThatNobodyUsesGoesToTheOthers)
{
    Node node{io, server().url(), "n1", "i1"};
    node.enqueue(batch_entries(1, 1, 300, Priority::low));
    EXPECT_EQ(node.claim(100).size(), 100U);
}

TEST_F(ClaimTest, WhatIsNotDueYetWaits)
{
    Node node{io, server().url(), "n1", "i1"};
    queue::Entry later = entry_of(1, 1, 0);
    later.not_before = wall_now() + 1h;
    queue::Entry past = entry_of(1, 1, 1);
    past.not_before = wall_now() - 1h;
    EXPECT_EQ(node.enqueue({later, past}).queued, 2U);
    EXPECT_EQ(node.summary().due, 1U);
    const std::vector<Claimed> got = node.claim(10);
    ASSERT_EQ(got.size(), 1U);
    EXPECT_EQ(got[0].entry.id.index, 1U);
}

TEST_F(ClaimTest, WhatIsDueComesInFrontOfWhatWaits)
{
    Node node{io, server().url(), "n1", "i1"};
    queue::Entry soon = entry_of(1, 1, 0);
    soon.not_before = wall_now() + 500ms;
    node.enqueue({soon});
    node.enqueue(batch_entries(1, 2, 100));
    while (wall_now() <= *soon.not_before + 1ms) std::this_thread::yield();
    const std::vector<Claimed> got = node.claim(1);
    ASSERT_EQ(got.size(), 1U);
    EXPECT_EQ(got[0].entry.id, soon.id);
    EXPECT_EQ(server().cli("EXISTS '" + key + "wait' '" + key + "due'"), "0");
}

TEST_F(ClaimTest, TenThousandEntriesPassThroughEveryStep)
{
    Node node{io, server().url(), "n1", "i1"};
    EXPECT_EQ(node.enqueue(batch_entries(1, 1, 10'000)).queued, 10'000U);
    std::vector<Claimed> all;
    while (true) {
        std::vector<Claimed> some = node.claim(5000, 1000);
        if (some.empty()) break;
        std::ranges::move(some, std::back_inserter(all));
    }
    ASSERT_EQ(all.size(), 10'000U);
    EXPECT_EQ(node.hand().size(), 10'000U);
    EXPECT_EQ(node.park(tokens_of(all), "gmail"), 10'000U);
    EXPECT_EQ(node.summary().parked, 10'000U);
    std::vector<Claimed> again;
    while (true) {
        std::vector<Claimed> some = node.claim(1000, 1000);
        if (some.empty()) break;
        std::ranges::move(some, std::back_inserter(again));
    }
    ASSERT_EQ(again.size(), 10'000U);
    EXPECT_EQ(node.release(tokens_of(again)), 10'000U);
    again.clear();
    while (true) {
        std::vector<Claimed> some = node.claim(1000, 1000);
        if (some.empty()) break;
        std::ranges::move(some, std::back_inserter(again));
    }
    const queue::SettleReport report = node.settle(outcomes_of(again, EventKind::delivered));
    EXPECT_EQ(report.settled, 10'000U);
    EXPECT_EQ(report.late, 0U);
}

TEST_F(ClaimTest, OrderWithinATenantIsKeptThroughRelease)
{
    Node node{io, server().url(), "n1", "i1"};
    node.enqueue(batch_entries(1, 1, 1200));
    std::vector<Claimed> got = node.claim(700, 1000);
    std::vector<Claimed> more = node.claim(300, 1000);
    std::ranges::move(more, std::back_inserter(got));
    node.release(tokens_of(got));
    std::vector<Claimed> again = node.claim(1000, 1000);
    ASSERT_EQ(again.size(), 1000U);
    for (unsigned i = 0; i < 1000; ++i) ASSERT_EQ(again[i].entry.id.index, i);
}

} // namespace

} // namespace penguin::test
