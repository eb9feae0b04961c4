#include "engine/policy/fair_queue.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include <gtest/gtest.h>

namespace penguin::policy {
namespace {

struct Letter {
    char tenant = 'a';
    std::size_t priority = 1;
    int number = 0;
};

using Queue = FairQueue<char, Letter>;

void push(Queue& queue, char tenant, int count, double weight = 1, std::size_t priority = 1)
{
    for (int i = 0; i < count; ++i) queue.push(tenant, weight, priority, {tenant, priority, i});
}

std::string tenants_of(Queue& queue, std::size_t count)
{
    std::string order;
    for (std::size_t i = 0; i < count; ++i) order += queue.pop().tenant;
    return order;
}

TEST(FairQueue, OneTenantsMessagesKeepTheirOrder)
{
    Queue queue;
    push(queue, 'a', 100);
    EXPECT_EQ(queue.size(), 100U);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(queue.pop().number, i);
    EXPECT_TRUE(queue.empty());
}

TEST(FairQueue, WhoComesLaterDoesNotWaitForWhatIsThere)
{
    Queue queue;
    push(queue, 'a', 1'000);
    push(queue, 'b', 3);
    EXPECT_EQ(tenants_of(queue, 8), "abababaa");
}

TEST(FairQueue, WeightsAreShares)
{
    Queue queue;
    push(queue, 'a', 100, 1);
    push(queue, 'b', 100, 3);
    push(queue, 'c', 100, 2);
    const std::string order = tenants_of(queue, 60);
    EXPECT_EQ(std::ranges::count(order, 'a'), 10);
    EXPECT_EQ(std::ranges::count(order, 'b'), 30);
    EXPECT_EQ(std::ranges::count(order, 'c'), 20);
    EXPECT_EQ(order.find("bbb"), std::string::npos) << "a turn gives one: " << order;
}

// Weights from the smallest to the largest that a tenant may have; each is always waiting.
TEST(FairQueue, SharesHoldForAllWeights)
{
    const std::map<char, double> weights{{'a', 0.01}, {'b', 1}, {'c', 7.5}, {'d', 1'000}};
    Queue queue;
    for (const auto& [tenant, weight] : weights) push(queue, tenant, 2, weight);
    std::map<char, double> served;
    constexpr int kServed = 200'000;
    for (int i = 0; i < kServed; ++i) {
        const Letter letter = queue.pop();
        ++served[letter.tenant];
        queue.push(letter.tenant, weights.at(letter.tenant), 1, letter);
    }
    constexpr double kSum = 0.01 + 1 + 7.5 + 1'000;
    for (const auto& [tenant, weight] : weights) EXPECT_NEAR(served[tenant], kServed * weight / kSum, 3) << tenant;
}

TEST(FairQueue, AWeightThatChangesCountsFromTheNextMessageOn)
{
    Queue queue;
    push(queue, 'a', 100);
    push(queue, 'b', 100);
    EXPECT_EQ(tenants_of(queue, 4), "abab");
    push(queue, 'b', 1, 3);
    EXPECT_EQ(std::ranges::count(tenants_of(queue, 40), 'b'), 30);
    push(queue, 'b', 1, 1);
    EXPECT_EQ(std::ranges::count(tenants_of(queue, 40), 'b'), 20);
}

TEST(FairQueue, WhoWasAwayHasSavedNothing)
{
    Queue queue;
    push(queue, 'a', 100);
    push(queue, 'b', 1);
    tenants_of(queue, 50);
    push(queue, 'b', 10);
    EXPECT_EQ(tenants_of(queue, 6), "ababab");
}

TEST(FairQueue, CreditOfWhenAHeavyTenantWasThereIsNoBurstLater)
{
    Queue queue;
    push(queue, 'h', 2, 1'000);
    push(queue, 'a', 50, 999);
    push(queue, 'b', 50, 1);
    EXPECT_EQ(tenants_of(queue, 2), "hh"); // a had a turn meanwhile, and nearly the price
    queue.push('a', 1, 1, {'a'});
    queue.push('b', 3, 1, {'b'});
    const std::string order = tenants_of(queue, 40);
    EXPECT_NEAR(static_cast<double>(std::ranges::count(order, 'b')), 30, 2) << order;
}

TEST(FairQueue, HighGoesFirstAndAShareIsKeptForEachPriority)
{
    Queue queue;
    for (std::size_t priority = 0; priority < 3; ++priority) push(queue, 'a', 1'000, 1, priority);
    std::array<int, 3> served{};
    int in_a_row = 0;
    for (int i = 0; i < 1'000; ++i) {
        const std::size_t priority = queue.pop().priority;
        ++served[priority];
        in_a_row = priority == 0 ? 0 : in_a_row + 1;
        EXPECT_LE(in_a_row, 1);
    }
    EXPECT_EQ(served, (std::array{700, 200, 100}));
}

TEST(FairQueue, WhatAPriorityHasNoUseForGoesToTheHighestThatWaits)
{
    Queue queue;
    push(queue, 'a', 100, 1, 1);
    push(queue, 'b', 100, 1, 2);
    const std::string order = tenants_of(queue, 100);
    EXPECT_EQ(std::ranges::count(order, 'a'), 90);
    EXPECT_EQ(std::ranges::count(order, 'b'), 10);
}

TEST(FairQueue, TenantsShareEachPriority)
{
    Queue queue;
    push(queue, 'a', 100, 1, 0);
    push(queue, 'b', 100, 1, 0);
    push(queue, 'c', 100, 1, 1);
    const std::string order = tenants_of(queue, 100);
    EXPECT_EQ(std::ranges::count(order, 'a'), 40);
    EXPECT_EQ(std::ranges::count(order, 'b'), 40);
    EXPECT_EQ(std::ranges::count(order, 'c'), 20);
}

TEST(FairQueue, WhatIsPutBackIsNextAndWasNotPaidFor)
{
    Queue queue;
    push(queue, 'a', 10);
    push(queue, 'b', 10);
    const Letter taken = queue.pop();
    queue.put_back(taken.tenant, 1, taken.priority, taken);
    EXPECT_EQ(queue.size(), 20U);
    EXPECT_EQ(queue.pop().number, 0);
    EXPECT_EQ(tenants_of(queue, 4), "baba");

    Queue alone; // it was its tenant's last one
    push(alone, 'a', 1);
    const Letter last = alone.pop();
    push(alone, 'b', 2);
    alone.put_back(last.tenant, 1, last.priority, last);
    EXPECT_EQ(tenants_of(alone, 3), "abb");
}

TEST(FairQueue, TakesAllOut)
{
    Queue queue;
    push(queue, 'a', 5, 1, 0);
    push(queue, 'b', 5, 2, 2);
    EXPECT_EQ(queue.take_all().size(), 10U);
    EXPECT_TRUE(queue.empty());
    EXPECT_TRUE(queue.take_all().empty());
}

} // namespace
} // namespace penguin::policy
