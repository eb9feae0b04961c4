// Redis loses data: nothing is claimed until every node has told what it knows, and what they hold is theirs again.
#include "tests/engine/queue/queue_fixture.h"

namespace penguin::test {

namespace {

using queue::Claimed;
using queue::EventKind;

class RecoveryTest : public QueueTest {
protected:
    // As a restart of Redis looks to the scripts: another run.
    void other_run()
    {
        const std::string epoch = server().cli("GET '" + key + "epoch'");
        server().cli("SET '" + key + "epoch' '" + epoch.substr(0, epoch.find(' ')) + " 0000 ok'");
    }
    static std::vector<queue::Held> held_of(const std::vector<Claimed>& all, const std::string& place = "")
    {
        std::vector<queue::Held> held;
        for (const Claimed& one : all) held.push_back({one.token, one.entry, place});
        return held;
    }
    queue::SettleReport tell_again(Node& node, const std::vector<queue::Settlement>& outcomes)
    {
        std::vector<queue::WrittenSettlement> all;
        for (const queue::Settlement& one : outcomes) all.push_back(queue::written(one));
        return node.must(node.queue().settle(all, true));
    }
    std::string live(unsigned batch) { return "'" + key + "live:" + batch_of(batch).value().text() + "'"; }
};

TEST_F(RecoveryTest, NothingIsClaimedUntilEveryLiveNodeHasRecovered)
{
    Node one{io, server().url(), "n1", "i1"};
    Node two{io, server().url(), "n2", "i2"};
    one.enqueue(batch_entries(1, 1, 5));
    other_run();
    const queue::Joined joined = one.must(one.queue().join(false));
    EXPECT_TRUE(joined.data_lost);
    EXPECT_TRUE(joined.epoch_is_new);
    EXPECT_EQ(one.must(one.queue().recovered()), std::vector<std::string>{"n2"});
    const queue::ClaimRequest request;
    EXPECT_EQ(one.try_(one.queue().claim(request)).error().code, Errc::unavailable);
    EXPECT_EQ(two.try_(two.queue().claim(request)).error().code, Errc::unavailable) << "nor by who has not noticed";
    EXPECT_TRUE(one.must(one.queue().epoch()).recovering);

    const queue::Joined second = two.must(two.queue().join(false));
    EXPECT_TRUE(second.data_lost);
    EXPECT_FALSE(second.epoch_is_new);
    EXPECT_TRUE(two.must(two.queue().recovered()).empty());
    EXPECT_FALSE(one.must(one.queue().epoch()).recovering);
    EXPECT_EQ(one.claim(10).size(), 5U);
}

TEST_F(RecoveryTest, ADeadNodeIsNotWaitedForLongerThanItsLease)
{
    Node one{io, server().url(), "n1", "i1"};
    Node dead{io, server().url(), "n2", "i2"};
    other_run();
    one.must(one.queue().join(false));
    EXPECT_EQ(one.must(one.queue().recovered()).size(), 1U);
    server().cli("HSET '" + key + "nodes' n2 '1 i2 1 - up'");
    EXPECT_TRUE(one.must(one.queue().recovered()).empty());
}

TEST_F(RecoveryTest, AfterFlushallANodeMustJoinBeforeItIsHeard)
{
    Node node{io, server().url(), "n1", "i1"};
    node.enqueue(batch_entries(1, 1, 3));
    const std::vector<Claimed> got = node.claim(10);
    server().cli("FLUSHALL");
    const std::vector<queue::Settlement> outcomes = outcomes_of(got, EventKind::delivered);
    const std::span<const queue::Settlement> told{outcomes};
    EXPECT_EQ(node.try_(node.queue().settle(told)).error().code, Errc::stale);
    EXPECT_FALSE(node.queue().joined());
    EXPECT_FALSE(node.queue().lease_holds());
    const queue::Joined joined = node.must(node.queue().join(false));
    EXPECT_TRUE(joined.data_lost);
    EXPECT_EQ(joined.told, 0U);
    EXPECT_FALSE(node.queue().lease_holds()) << "not before it has recovered";
    // What it holds is in its hand again, with its bits.
    EXPECT_TRUE(node.must(node.queue().rehand(held_of(got))).empty());
    EXPECT_TRUE(node.must(node.queue().recovered()).empty());
    EXPECT_TRUE(node.queue().lease_holds());
    EXPECT_EQ(node.hand().size(), 3U);
    EXPECT_EQ(server().cli("BITCOUNT " + live(1)), "3");
    EXPECT_EQ(tell_again(node, outcomes).settled, 3U);
    const std::vector<queue::Event> events = node.events();
    ASSERT_EQ(events.size(), 3U);
    EXPECT_TRUE(events[0].late) << "the ledger looks whether it has it";
}

TEST_F(RecoveryTest, WhatTheJournalTellsAgainIsNeitherQueuedNorClaimedAgain)
{
    Node node{io, server().url(), "n1", "i1"};
    node.enqueue(batch_entries(1, 1, 4));
    const std::vector<queue::Settlement> outcomes = outcomes_of(node.claim(10), EventKind::delivered);
    // Redis' older state: all four wait, nothing was claimed, nothing told.
    server().cli("FLUSHALL");
    node.must(node.queue().join(false));
    node.enqueue(batch_entries(1, 1, 2));
    EXPECT_EQ(tell_again(node, outcomes).late, 4U);
    EXPECT_EQ(tell_again(node, outcomes).settled, 4U) << "told twice is told once";
    EXPECT_EQ(node.events().size(), 4U);
    node.must(node.queue().recovered());
    const queue::EnqueueReport report = node.enqueue(batch_entries(1, 1, 4)); // the reconciler
    EXPECT_EQ(report.queued, 0U);
    EXPECT_EQ(report.skipped, 4U);
    EXPECT_TRUE(node.claim(10).empty());
    EXPECT_EQ(server().cli("BITCOUNT " + live(1)), "2") << "of those that were queued; the ledger clears them";
}

TEST_F(RecoveryTest, AHandThatRedisForgotIsTakenOutOfWhereItsOlderStateHasIt)
{
    Node node{io, server().url(), "n1", "i1"};
    std::vector<queue::Entry> entries = batch_entries(1, 1, 5);
    node.enqueue(entries);
    const std::vector<Claimed> got = node.claim(10);
    const std::string hand = "'" + key + "hand:n1'";
    const auto forget = [&](const Claimed& one) { server().cli("HDEL " + hand + " " + one.token); };
    const std::string tenant = tenant_of(1).value().text();
    for (int i = 0; i < 4; ++i) forget(got[i]);
    // One is back in its ready list, one parked, one due again, one nowhere although its bit says that it is queued.
    server().cli("RPUSH '" + key + "ready:" + tenant + ":1' '" + got[0].entry.to_json() + "'");
    server().cli("RPUSH '" + key + "parked:gmail:" + tenant + "' '1" + got[1].entry.to_json() + "'");
    server().cli("ZADD '" + key + "due' 1 " + got[2].entry.id.text());
    server().cli("HSET '" + key + "wait' " + got[2].entry.id.text() + " x");
    const std::vector<queue::Token> lost = node.must(node.queue().rehand(held_of(got, "gmail")));
    EXPECT_EQ(lost, std::vector<queue::Token>{got[3].token});
    EXPECT_EQ(node.hand().size(), 4U);
    EXPECT_EQ(server().cli("EXISTS '" + key + "ready:" + tenant + ":1' '" + key + "parked:gmail:" + tenant + "' '" +
                           key + "due' '" + key + "wait'"),
              "0");
}

TEST_F(RecoveryTest, AHandOfHighPriorityIsFoundWhereEitherVersionParksIt)
{
    Node node{io, server().url(), "n1", "i1"};
    node.enqueue(batch_entries(1, 1, 2, queue::Priority::high));
    const std::vector<Claimed> got = node.claim(10);
    const std::string parked = "'" + key + "parked:";
    const std::string tenant = tenant_of(1).value().text();
    server().cli("DEL '" + key + "hand:n1'");
    server().cli("RPUSH " + parked + "high:gmail:" + tenant + "' '0" + got[0].entry.to_json() + "'");
    server().cli("RPUSH " + parked + "gmail:" + tenant + "' '0" + got[1].entry.to_json() + "'");
    EXPECT_EQ(node.must(node.queue().rehand(held_of(got, "gmail"))), std::vector<queue::Token>{});
    EXPECT_EQ(node.hand().size(), 2U);
    EXPECT_EQ(server().cli("--scan --pattern " + parked + "*'"), "");
}

TEST_F(RecoveryTest, WhatHasEndedIsNotWrittenIntoAHandAgain)
{
    Node node{io, server().url(), "n1", "i1"};
    node.enqueue(batch_entries(1, 1, 1));
    const std::vector<Claimed> got = node.claim(10);
    server().cli("HDEL '" + key + "hand:n1' " + got[0].token);
    server().cli("DEL " + live(1));
    server().cli("SET '" + key + "done:" + got[0].entry.id.text() + "' 1");
    EXPECT_EQ(node.must(node.queue().rehand(held_of(got))).size(), 1U);
    EXPECT_TRUE(node.hand().empty());
}

TEST_F(RecoveryTest, AnotherJournalCountsForItself)
{
    Node node{io, server().url(), "n1", "i1"};
    node.enqueue(batch_entries(1, 1, 2));
    const std::vector<Claimed> got = node.claim(10);
    queue::Settlement first = outcome_of(got[0], EventKind::delivered);
    first.sequence = 1'000'000;
    node.settle({first});
    // The machine got a new disk: its journal begins at 1.
    Node fresh{io, server().url(), "n1", "i2", 30s, false};
    fresh.queue().keeps_journal("another");
    EXPECT_EQ(fresh.must(fresh.queue().join(true)).told, 0U);
    fresh.must(fresh.queue().recovered());
    queue::Settlement second = outcome_of(got[1], EventKind::delivered);
    second.sequence = 1;
    server().cli("HDEL '" + key + "hand:n1' " + got[1].token); // so that only the sequence could tell
    EXPECT_EQ(fresh.settle({second}).late, 1U);
}

TEST_F(RecoveryTest, WhatMayHaveBeenQueuedIsQueuedOnlyInTheEpochThatWasRead)
{
    Node node{io, server().url(), "n1", "i1"};
    const std::vector<queue::Entry> entries = batch_entries(1, 1, 2);
    const auto in = [&](const std::string& epoch) { return node.try_(node.queue().enqueue(entries, epoch)); };
    const std::string before = node.must(node.queue().epoch()).id;
    EXPECT_EQ(in(before)->queued, 2U);
    EXPECT_EQ(in(before)->skipped, 2U);
    other_run();
    EXPECT_TRUE(node.must(node.queue().epoch()).recovering) << "though nobody has joined it yet";
    EXPECT_EQ(in(before).error().code, Errc::unavailable);
    node.must(node.queue().join(false));
    const std::string after = node.must(node.queue().epoch()).id;
    EXPECT_NE(after, before);
    EXPECT_EQ(in(after).error().code, Errc::unavailable) << "not before all have told what they know";
    node.must(node.queue().recovered());
    EXPECT_EQ(in(before).error().code, Errc::unavailable);
    EXPECT_EQ(in(after)->skipped, 2U);
    server().cli("FLUSHALL");
    EXPECT_EQ(in(after).error().code, Errc::unavailable);
    EXPECT_TRUE(node.must(node.queue().epoch()).id.empty());
    EXPECT_EQ(in("")->queued, 2U) << "what is new may go at any time";
}

TEST_F(RecoveryTest, TheReconcilersWordIsOfOneEpoch)
{
    Node node{io, server().url(), "n1", "i1"};
    const queue::Epoch epoch = node.must(node.queue().epoch());
    EXPECT_FALSE(epoch.id.empty());
    EXPECT_FALSE(epoch.recovering);
    EXPECT_FALSE(epoch.reconciled);
    node.must(node.queue().set_reconciled(epoch.id));
    EXPECT_TRUE(node.must(node.queue().epoch()).reconciled);
    other_run();
    node.must(node.queue().start(false));
    EXPECT_FALSE(node.must(node.queue().epoch()).reconciled);
}

} // namespace

} // namespace penguin::test
