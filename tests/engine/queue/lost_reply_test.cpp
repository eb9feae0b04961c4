// Each script runs, its reply is lost, the caller repeats: nothing is doubled, nothing is stranded.
#include <list>

#include "engine/queue/scripts.h"
#include "tests/engine/queue/cutting_relay.h"
#include "tests/engine/queue/queue_fixture.h"

namespace penguin::test {

namespace {

using queue::Claimed;
using queue::EventKind;
namespace scripts = queue::scripts;

class LostReplyTest : public QueueTest {
protected:
    void SetUp() override
    {
        QueueTest::SetUp();
        relay.emplace(io, server().folder(), server().socket());
        node.emplace(io, relay->url(), "n1", "i1");
    }

    // Loses the reply of the next call of `script`: `call` must fail as unavailable, with a new connection after it.
    template <class T>
    void lose(const queue::Script& script, awaitable<Result<T>> call)
    {
        const std::uint64_t before = node->redis().generation();
        relay->lose_reply_of(std::string{script.sha1});
        const Result<T> result = node->try_(std::move(call));
        ASSERT_FALSE(relay->armed()) << "the script was not called";
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().code, Errc::unavailable);
        node->must(node->redis().connected_within(5s));
        EXPECT_GT(node->redis().generation(), before) << "the owner can tell that a reply may be lost";
        EXPECT_FALSE(node->queue().joined());
        if (&script != &scripts::start) node->must(node->queue().start(false));
    }

    std::optional<CuttingRelay> relay;
    std::optional<Node> node;
};

TEST_F(LostReplyTest, Enqueue)
{
    const std::vector<queue::Entry> entries = batch_entries(1, 1, 5);
    lose(scripts::enqueue, node->queue().enqueue(entries));
    const queue::EnqueueReport again = node->enqueue(entries);
    EXPECT_EQ(again.queued, 0U);
    EXPECT_EQ(again.skipped, 5U);
    EXPECT_EQ(node->claim(100).size(), 5U);
}

TEST_F(LostReplyTest, ClaimLeavesTheEntriesInTheHandWithTheirTokens)
{
    node->enqueue(batch_entries(1, 1, 5));
    const queue::ClaimRequest request;
    lose(scripts::claim, node->queue().claim(request));
    EXPECT_TRUE(node->claim(10).empty());
    const std::vector<Claimed> stranded = node->hand();
    ASSERT_EQ(stranded.size(), 5U);
    EXPECT_EQ(node->settle(outcomes_of(stranded, EventKind::delivered)).settled, 5U);
}

TEST_F(LostReplyTest, SettleToldAgainIsOneOutcome)
{
    node->enqueue(batch_entries(1, 1, 10));
    const std::vector<Claimed> got = node->claim(10);
    std::vector<queue::Settlement> outcomes;
    for (std::size_t i = 0; i < got.size(); ++i)
        outcomes.push_back(outcome_of(got[i], i < 5 ? EventKind::delivered : EventKind::deferred));
    lose(scripts::settle, node->queue().settle(outcomes));
    lose(scripts::settle, node->queue().settle(outcomes)); // and once more
    const queue::SettleReport report = node->settle(outcomes);
    EXPECT_EQ(report.settled, 10U);
    EXPECT_EQ(report.late, 0U);
    EXPECT_EQ(node->events().size(), 10U);
    EXPECT_EQ(node->summary().due, 5U);
    EXPECT_EQ(server().cli("--scan --pattern '" + key + "done:*'"), "");
}

TEST_F(LostReplyTest, SettleInOtherPartsIsStillOneOutcome)
{
    node->enqueue(batch_entries(1, 1, 4));
    const std::vector<Claimed> got = node->claim(10);
    const std::vector<queue::Settlement> all = outcomes_of(got, EventKind::delivered);
    const std::vector<queue::Settlement> front(all.begin(), all.begin() + 2);
    lose(scripts::settle, node->queue().settle(front));
    const queue::SettleReport report = node->settle(all); // two that were told, two that were not
    EXPECT_EQ(report.settled, 4U);
    EXPECT_EQ(report.late, 0U);
    EXPECT_EQ(node->events().size(), 4U);
}

TEST_F(LostReplyTest, WhatAnEarlierProcessToldIsKnownFromTheJournalsCount)
{
    node->enqueue(batch_entries(1, 1, 1));
    const std::vector<Claimed> got = node->claim(10);
    const std::vector<queue::Settlement> outcomes = outcomes_of(got, EventKind::delivered);
    lose(scripts::settle, node->queue().settle(outcomes));
    // A new process finds the outcome in its journal and tells it again.
    Node next{io, server().url(), "n1", "i2", 30s, false};
    EXPECT_EQ(next.must(next.queue().join(true)).told, outcomes[0].sequence);
    EXPECT_EQ(next.settle(outcomes).settled, 1U);
    EXPECT_EQ(next.events().size(), 1U);
}

TEST_F(LostReplyTest, Release)
{
    node->enqueue(batch_entries(1, 1, 5));
    const std::vector<queue::Token> tokens = tokens_of(node->claim(10));
    lose(scripts::release, node->queue().release(tokens, {}));
    EXPECT_EQ(node->release(tokens), 0U);
    EXPECT_EQ(node->claim(10).size(), 5U);
}

TEST_F(LostReplyTest, Park)
{
    node->enqueue(batch_entries(1, 1, 5));
    const std::vector<queue::Token> tokens = tokens_of(node->claim(10));
    const std::vector<queue::Parking> parkings = Node::parkings_of(tokens, "gmail");
    lose(scripts::park, node->queue().park(parkings));
    EXPECT_EQ(node->park(tokens, "gmail"), 0U);
    EXPECT_EQ(node->claim(10).size(), 5U);
}

TEST_F(LostReplyTest, BuryIsDoneAndTheClaimStillGivesWhatIsGood)
{
    const std::string list = "'" + key + "ready:" + tenant_of(1).value().text() + ":1'";
    server().cli("RPUSH " + list + " poison");
    node->enqueue(batch_entries(1, 1, 1));
    relay->lose_reply_of(std::string{scripts::bury.sha1});
    EXPECT_EQ(node->claim(10).size(), 1U);
    EXPECT_FALSE(relay->armed());
    node->must(node->redis().connected_within(5s));
    EXPECT_EQ(node->hand().size(), 1U);
    EXPECT_EQ(node->summary().dead, 1U);
}

TEST_F(LostReplyTest, PostponeSendsNothingEarly)
{
    queue::Entry later = entry_of(1, 1, 0);
    later.not_before = wall_now() + 1h;
    const std::string tenant = tenant_of(1).value().text();
    server().cli("RPUSH '" + key + "ready:" + tenant + ":1' '" + later.to_json() + "'");
    server().cli("ZADD '" + key + "active:1' NX 0 " + tenant);
    relay->lose_reply_of(std::string{scripts::postpone.sha1});
    EXPECT_TRUE(node->claim(10).empty());
    EXPECT_FALSE(relay->armed());
    node->must(node->redis().connected_within(5s));
    EXPECT_TRUE(node->hand().empty());
    EXPECT_EQ(node->summary().due, 1U);
}

TEST_F(LostReplyTest, Cancel)
{
    node->enqueue(batch_entries(1, 1, 2));
    const std::vector<MessageId> all{{batch_of(1), 0}, {batch_of(1), 1}};
    // Of the calls for `due` and each list the first one's reply is lost, then that of the list that has them.
    lose(scripts::cancel, node->queue().cancel(tenant_of(1), batch_of(1), all));
    EXPECT_EQ(node->must(node->queue().cancel(tenant_of(1), batch_of(1), all)), 2U);
    EXPECT_EQ(node->must(node->queue().cancel(tenant_of(1), batch_of(1), all)), 0U);
    EXPECT_EQ(node->events().size(), 2U);
}

TEST_F(LostReplyTest, CancelOfWhatIsDue)
{
    queue::Entry later = entry_of(1, 1, 0);
    later.not_before = wall_now() + 1h;
    node->enqueue({later});
    const std::vector<MessageId> all{later.id};
    lose(scripts::cancel, node->queue().cancel(tenant_of(1), batch_of(1), all));
    EXPECT_EQ(node->must(node->queue().cancel(tenant_of(1), batch_of(1), all)), 0U);
    EXPECT_EQ(node->events().size(), 1U);
}

TEST_F(LostReplyTest, Reopen)
{
    node->enqueue(batch_entries(1, 1, 2));
    node->park(tokens_of(node->claim(10)), queue::place_of(campaign_of(1, 1)));
    lose(scripts::reopen, node->queue().reopen(campaign_of(1, 1)));
    EXPECT_TRUE(node->must(node->queue().reopen(campaign_of(1, 1))));
    EXPECT_EQ(node->claim(10).size(), 2U);
}

TEST_F(LostReplyTest, HeartbeatAndTakeover)
{
    {
        Node dead{io, server().url(), "n2", "i2"};
        dead.enqueue(batch_entries(1, 1, 5));
        dead.claim(10);
        server().cli("HSET '" + key + "nodes' n2 '1 i2 1 up'");
    }
    lose(scripts::heartbeat, node->queue().heartbeat("up"));
    EXPECT_TRUE(node->queue().lease_holds());
    lose(scripts::takeover, node->queue().heartbeat("up"));
    node->must(node->queue().heartbeat("up"));
    EXPECT_EQ(node->claim(10).size(), 5U);
    EXPECT_EQ(server().cli("HLEN '" + key + "nodes'"), "1");
}

TEST_F(LostReplyTest, StartAndStop)
{
    lose(scripts::start, node->queue().start(false));
    node->must(node->queue().start(false)); // our own incarnation holds the name
    lose(scripts::stop, node->queue().stop());
    node->must(node->queue().stop());
    EXPECT_EQ(server().cli("EXISTS '" + key + "nodes'"), "0");
}

TEST_F(LostReplyTest, ConfirmAndLocks)
{
    node->enqueue(batch_entries(1, 1, 5));
    node->settle(outcomes_of(node->claim(10), EventKind::delivered));
    std::vector<MessageId> done;
    for (unsigned i = 0; i < 5; ++i) done.push_back({batch_of(1), i});
    const std::string position = node->must(node->queue().read_events("", 10)).position;
    lose(scripts::confirm, node->queue().confirm_events(position, done));
    node->must(node->queue().confirm_events(position, done));
    EXPECT_EQ(server().cli("EXISTS '" + key + "live:" + batch_of(1).value().text() + "'"), "0");
    lose(scripts::lock, node->queue().hold_ledger_lock());
    EXPECT_TRUE(node->must(node->queue().hold_ledger_lock()));
}

TEST_F(LostReplyTest, JanitorAndSizes)
{
    server().cli("RPUSH '" + key + "ready:" + tenant_of(1).value().text() + ":1' '" + entry_of(1, 1, 0).to_json() +
                 "'");
    lose(scripts::readd, node->queue().janitor());
    node->must(node->queue().janitor());
    lose(scripts::sizes, node->queue().summary());
    EXPECT_EQ(node->summary().ready, 1U);
    EXPECT_EQ(node->claim(10).size(), 1U);
}

} // namespace

} // namespace penguin::test
