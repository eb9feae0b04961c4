// Entries of paused campaigns, and cancelling a campaign.
#include "tests/engine/queue/queue_fixture.h"

namespace penguin::test {

namespace {

using queue::Claimed;
using queue::Event;
using queue::EventKind;
using queue::Priority;

class CampaignTest : public QueueTest {
protected:
    static std::vector<queue::Entry> entries(unsigned tenant, unsigned batch, unsigned count,
                                             const CampaignKey& campaign, Priority prio = Priority::normal)
    {
        std::vector<queue::Entry> all = batch_entries(tenant, batch, count, prio);
        for (queue::Entry& entry : all) entry.campaign = campaign.id;
        return all;
    }
    // Claims what is there and puts it aside with its campaign.
    static std::size_t pause(Node& node, const CampaignKey& campaign)
    {
        return node.park(tokens_of(node.claim(1000, 1000)), queue::place_of(campaign));
    }
};

TEST_F(CampaignTest, WhatIsPausedIsNotClaimedUntilItIsReopened)
{
    Node node{io, server().url(), "n1", "i1"};
    const CampaignKey campaign = campaign_of(1, 1);
    node.enqueue(entries(1, 1, 1500, campaign));
    EXPECT_EQ(pause(node, campaign), 1000U);
    EXPECT_EQ(pause(node, campaign), 500U);
    EXPECT_EQ(node.summary().paused, 1500U);
    EXPECT_EQ(node.summary().parked, 0U);
    EXPECT_TRUE(node.claim(100).empty());
    EXPECT_EQ(node.must(node.queue().paused()), std::vector{campaign});
    EXPECT_FALSE(node.must(node.queue().reopen(campaign))) << "1,000 a call";
    EXPECT_TRUE(node.must(node.queue().reopen(campaign)));
    EXPECT_TRUE(node.must(node.queue().reopen(campaign))) << "may be repeated";
    EXPECT_TRUE(node.must(node.queue().paused()).empty());
    std::vector<Claimed> got = node.claim(1000, 1000);
    for (unsigned i = 0; i < got.size(); ++i)
        ASSERT_EQ(got[i].entry.id, (MessageId{batch_of(1), i})) << "in their order";
    EXPECT_EQ(got.size() + node.claim(1000, 1000).size(), 1500U);
    EXPECT_EQ(server().cli("--scan --pattern '" + key + "parked*'"), "");
    EXPECT_EQ(server().cli("EXISTS '" + key + "paused'"), "0");
}

TEST_F(CampaignTest, WhatIsPausedCostsAClaimNothing)
{
    Node node{io, server().url(), "n1", "i1"};
    for (unsigned number = 1; number <= 200; ++number) { // more than the places that a claim looks at
        node.enqueue(entries(1, number, 1, campaign_of(1, number)));
        pause(node, campaign_of(1, number));
    }
    node.enqueue(batch_entries(2, 250, 5));
    node.park(tokens_of(node.claim(10)), "gmail");
    EXPECT_EQ(node.claim(10).size(), 5U);
    const std::string before = server().cli("INFO persistence | grep -a rdb_changes_since_last_save");
    EXPECT_TRUE(node.claim(10).empty());
    EXPECT_EQ(server().cli("INFO persistence | grep -a rdb_changes_since_last_save"), before);
}

TEST_F(CampaignTest, PrioritiesComeBackToTheirLists)
{
    Node node{io, server().url(), "n1", "i1"};
    const CampaignKey campaign = campaign_of(1, 1);
    node.enqueue(entries(1, 1, 2, campaign, Priority::low));
    node.enqueue(entries(1, 2, 2, campaign, Priority::high));
    EXPECT_EQ(pause(node, campaign), 4U);
    EXPECT_TRUE(node.must(node.queue().reopen(campaign)));
    const auto length = [&](const char* prio) {
        return server().cli("LLEN '" + key + "ready:" + tenant_of(1).value().text() + ":" + prio + "'");
    };
    EXPECT_EQ(length("0"), "2");
    EXPECT_EQ(length("1"), "0");
    EXPECT_EQ(length("2"), "2");
}

TEST_F(CampaignTest, AnotherTenantsCampaignOfTheSameIdIsAnotherOne)
{
    Node node{io, server().url(), "n1", "i1"};
    for (unsigned tenant = 1; tenant <= 2; ++tenant) {
        node.enqueue(entries(tenant, tenant, 3, campaign_of(tenant, 1)));
        pause(node, campaign_of(tenant, 1));
    }
    EXPECT_EQ(node.must(node.queue().cancel(campaign_of(2, 1))), 3U);
    EXPECT_TRUE(node.must(node.queue().reopen(campaign_of(1, 1))));
    EXPECT_EQ(node.claim(10).size(), 3U);
}

TEST_F(CampaignTest, CancelTakesOutAllThatIsNotInAHand)
{
    Node node{io, server().url(), "n1", "i1"};
    const CampaignKey campaign = campaign_of(1, 1);
    std::size_t wanted = 0;
    const auto queued = [&](unsigned batch, unsigned count) {
        wanted += count;
        return entries(1, batch, count, campaign);
    };
    node.enqueue(queued(1, 2000));
    pause(node, campaign);                                // 1,000 of them
    node.park(tokens_of(node.claim(100, 100)), "gmail");  // 100
    const std::vector<Claimed> held = node.claim(10, 10); // in the hand
    node.enqueue(queued(2, 100));
    std::vector<queue::Entry> later = queued(3, 600); // due
    for (queue::Entry& entry : later) entry.not_before = wall_now() + 1h;
    node.enqueue(later);
    std::vector<queue::Entry> others = entries(1, 4, 5, campaign_of(1, 2));
    others[0].not_before = wall_now() + 1h;
    others[1].vars = R"({"name":")" + campaign.id.value().text() + R"("})"; // speaks of it
    node.enqueue(others);
    node.enqueue(entries(2, 5, 5, {tenant_of(2), campaign.id}));
    node.enqueue(batch_entries(1, 6, 5));

    EXPECT_EQ(node.must(node.queue().cancel(campaign)), wanted - held.size());
    EXPECT_EQ(node.must(node.queue().cancel(campaign)), 0U);
    const std::vector<Event> events = node.events();
    ASSERT_EQ(events.size(), wanted - held.size());
    std::set<MessageId> messages;
    for (const Event& event : events) {
        EXPECT_EQ(event.kind, EventKind::cancelled);
        EXPECT_EQ(event.campaign, campaign.id);
        EXPECT_EQ(event.tenant, tenant_of(1));
        messages.insert(event.message);
    }
    EXPECT_EQ(messages.size(), events.size()) << "each once";
    EXPECT_EQ(node.hand().size(), held.size());
    EXPECT_EQ(node.summary().due, 1U);
    EXPECT_EQ(node.claim(100, 100).size(), 14U) << "what others queued is still there";
}

TEST_F(CampaignTest, ABatchIsCancelledWhereItsCampaignIsPaused)
{
    Node node{io, server().url(), "n1", "i1"};
    const CampaignKey campaign = campaign_of(1, 1);
    node.enqueue(entries(1, 1, 3, campaign));
    node.enqueue(entries(1, 2, 3, campaign));
    pause(node, campaign);
    const std::vector<MessageId> all{{batch_of(1), 0}, {batch_of(1), 1}, {batch_of(1), 2}};
    EXPECT_EQ(node.must(node.queue().cancel(tenant_of(1), batch_of(1), all)), 3U);
    EXPECT_EQ(node.summary().paused, 3U);
    EXPECT_EQ(node.must(node.queue().cancel(tenant_of(1), batch_of(1), {})), 0U);
}

TEST_F(CampaignTest, CancelDueLooksNowhereElse)
{
    Node node{io, server().url(), "n1", "i1"};
    std::vector<queue::Entry> all = batch_entries(1, 1, 2);
    all[1].not_before = wall_now() + 1h;
    node.enqueue(all);
    const std::vector<MessageId> both{{batch_of(1), 0}, {batch_of(1), 1}};
    EXPECT_EQ(node.must(node.queue().cancel_due(tenant_of(1), batch_of(1), both)), 1U);
    EXPECT_EQ(node.must(node.queue().cancel_due(tenant_of(2), batch_of(1), both)), 0U);
    EXPECT_EQ(node.claim(10).size(), 1U);
}

} // namespace

} // namespace penguin::test
