// A node's name, its lease, take-over, and what Redis must be like.
#include <thread>

#include "tests/engine/queue/queue_fixture.h"

namespace penguin::test {

namespace {

using queue::Claimed;
using queue::EventKind;
using queue::SendQueue;

using NodeTest = QueueTest;

void let_lease_end(RedisServer& server, const std::string& key, const std::string& node, const std::string& incarnation)
{
    server.cli("HSET '" + key + "nodes' " + node + " '1 " + incarnation + " 1 up'");
}

TEST_F(NodeTest, ASecondLiveIncarnationOfANameIsRefused)
{
    Node first{io, server().url(), "n1", "i1"};
    Node second{io, server().url(), "n1", "i2", 30s, false};
    const Result<> refused = second.try_(second.queue().start(false));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::stale);
    EXPECT_FALSE(second.queue().lease_holds());
    first.must(first.queue().heartbeat("up")); // the first one is undisturbed
    EXPECT_TRUE(first.queue().lease_holds());
}

TEST_F(NodeTest, TheNameIsFreeWhenItsLeaseEndedOrTheStateLockProvesACrash)
{
    for (const bool crashed : {true, false}) {
        server().cli("FLUSHALL");
        Node first{io, server().url(), "n1", "i1"};
        first.enqueue(batch_entries(1, 1, 5));
        const std::vector<Claimed> got = first.claim(3);
        if (!crashed) let_lease_end(server(), key, "n1", "i1");
        Node second{io, server().url(), "n1", "i2", 30s, false};
        second.must(second.queue().start(crashed));
        EXPECT_EQ(second.hand().size(), 3U) << "it takes up its own hand";

        const Result<> beat = first.try_(first.queue().heartbeat("up"));
        ASSERT_FALSE(beat);
        EXPECT_EQ(beat.error().code, Errc::stale);
        EXPECT_FALSE(first.queue().lease_holds());
        const queue::ClaimRequest request;
        EXPECT_EQ(first.try_(first.queue().claim(request)).error().code, Errc::stale);
        const std::vector<queue::Token> tokens = tokens_of(got);
        EXPECT_EQ(first.try_(first.queue().release(tokens, {})).error().code, Errc::stale);
        const std::vector<queue::Parking> parkings = Node::parkings_of(tokens, "gmail");
        EXPECT_EQ(first.try_(first.queue().park(parkings)).error().code, Errc::stale);
        const std::vector<queue::Settlement> outcomes{outcome_of(got[0], EventKind::delivered)};
        const std::span<const queue::Settlement> told{outcomes};
        EXPECT_EQ(first.try_(first.queue().settle(told)).error().code, Errc::stale);
        EXPECT_EQ(second.hand().size(), 3U);
    }
}

TEST_F(NodeTest, AWholeHandIsTakenOver)
{
    Node dead{io, server().url(), "n1", "i1"};
    dead.enqueue(batch_entries(1, 1, 2500));
    for (int i = 0; i < 3; ++i) dead.claim(1000, 1000);
    EXPECT_EQ(dead.hand().size(), 2500U);
    Node living{io, server().url(), "n2", "i2"};
    living.must(living.queue().heartbeat("up"));
    EXPECT_TRUE(living.claim(10).empty()) << "its lease still holds";
    let_lease_end(server(), key, "n1", "i1");
    living.must(living.queue().heartbeat("up"));
    EXPECT_EQ(living.summary().ready, 2500U);
    EXPECT_TRUE(dead.hand().empty());
    EXPECT_EQ(server().cli("HEXISTS '" + key + "nodes' n1"), "0");
    EXPECT_EQ(dead.try_(dead.queue().heartbeat("up")).error().code, Errc::stale);
    dead.must(dead.queue().start(false)); // it may come back under its name
}

TEST_F(NodeTest, TheLeaseIsOnlyAsLongAsTheLastHeartbeatSays)
{
    Node node{io, server().url(), "n1", "i1", 0s, false};
    EXPECT_FALSE(node.queue().lease_holds());
    node.must(node.queue().start(false));
    EXPECT_FALSE(node.queue().lease_holds()); // a lease of no length has ended
    Node other{io, server().url(), "n2", "i2"};
    EXPECT_TRUE(other.queue().lease_holds());
    other.must(other.queue().stop());
    EXPECT_FALSE(other.queue().lease_holds());
}

TEST_F(NodeTest, StopWithAFullHandSaysSoAndLeavesItToOthers)
{
    Node leaving{io, server().url(), "n1", "i1"};
    leaving.enqueue(batch_entries(1, 1, 2));
    leaving.claim(10);
    EXPECT_EQ(leaving.try_(leaving.queue().stop()).error().code, Errc::conflict);
    Node living{io, server().url(), "n2", "i2"};
    living.must(living.queue().heartbeat("up"));
    EXPECT_EQ(living.claim(10).size(), 2U);
}

TEST_F(NodeTest, NodesOfAnotherContractAreNotJoined)
{
    server().cli("HSET '" + key + "nodes' n9 \"$(date +%s)000 i9 2 up\"");
    Node node{io, server().url(), "n1", "i1", 30s, false};
    const Result<> refused = node.try_(node.queue().start(false));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::refused);
    EXPECT_NE(refused.error().detail.find("n9"), std::string::npos);
}

// An upgrade: the newer program waits with all that the older one would have to read, and goes on when that is gone.
TEST_F(NodeTest, WhileAnotherContractIsSpokenNothingIsWrittenForIt)
{
    Node older{io, server().url(), "n1", "i1"};
    Node connection{io, server().url(), "n2", "i2", 30s, false};
    SendQueue::Options options = Node::options_of("n2", "i2", 30s);
    options.contract = queue::kContractVersion + 1;
    SendQueue newer{connection.redis(), options};
    const std::vector<queue::Entry> entries = batch_entries(1, 1, 3);
    const std::vector<MessageId> messages{entries[0].id};

    const Result<> joined = connection.try_(newer.start(false));
    ASSERT_FALSE(joined);
    EXPECT_EQ(joined.error().code, Errc::refused);
    const auto refused = [](const auto& result) {
        return !result && result.error().code == Errc::unavailable && result.error().detail.contains("node n1 speaks");
    };
    EXPECT_TRUE(refused(connection.try_(newer.enqueue(entries))));
    EXPECT_TRUE(refused(connection.try_(newer.may_enqueue())));
    EXPECT_TRUE(older.try_(older.queue().may_enqueue()));
    EXPECT_TRUE(refused(connection.try_(newer.cancel(tenant_of(1), batch_of(1), messages))));
    EXPECT_TRUE(refused(connection.try_(newer.hold_ledger_lock())));
    EXPECT_TRUE(refused(connection.try_(newer.hold_reconciler_lock())));
    EXPECT_EQ(server().cli("EXISTS '" + key + "live:" + batch_of(1).value().text() + "' '" + key + "ledger-lock'"),
              "0");
    EXPECT_EQ(older.enqueue(entries).queued, 3U) << "the older fleet is undisturbed";
    EXPECT_EQ(older.claim(10).size(), 3U);

    let_lease_end(server(), key, "n1", "i1"); // the last of them is gone
    connection.must(newer.start(false));
    EXPECT_EQ(connection.must(newer.enqueue(batch_entries(1, 2, 3))).queued, 3U);
    connection.must(newer.heartbeat("up"));
    const queue::ClaimRequest request;
    EXPECT_EQ(connection.must(newer.claim(request)).size(), 6U) << "what the older one held too";
    EXPECT_EQ(older.try_(older.queue().start(false)).error().code, Errc::refused);
    const std::vector<queue::Entry> more = batch_entries(1, 3, 1);
    EXPECT_EQ(older.try_(older.queue().enqueue(more)).error().code, Errc::unavailable);
}

TEST_F(NodeTest, ARedisThatMayLoseMailIsRefused)
{
    struct Case {
        const char* why;
        std::vector<std::string> arguments;
    };
    const Case cases[] = {{"maxmemory-policy", {"--maxmemory-policy", "allkeys-lru"}},
                          {"appendonly", {"--appendonly", "no"}},
                          {"maxmemory is 0", {"--maxmemory", "0"}}};
    for (const Case& row : cases) {
        RedisServer unsafe{row.arguments};
        Node node{io, unsafe.url(), "n1", "i1", 30s, false};
        const Result<> refused = node.try_(node.queue().start(false));
        ASSERT_FALSE(refused) << row.why;
        EXPECT_EQ(refused.error().code, Errc::refused);
        EXPECT_NE(refused.error().detail.find(row.why), std::string::npos) << refused.error().detail;
        SendQueue::Options options = Node::options_of("n1", "i1", 30s);
        options.allow_unsafe_redis = true;
        SendQueue loud{node.redis(), options};
        node.must(loud.start(false));
    }
}

TEST_F(NodeTest, NamesThatWouldBreakKeysAreRefused)
{
    Node node{io, server().url(), "n1", "i1"};
    const auto refused = [&](auto change) {
        SendQueue::Options options = Node::options_of("n1", "i1", 30s);
        change(options);
        SendQueue queue{node.redis(), options};
        const Result<> result = node.try_(queue.start(false));
        return !result && result.error().code == Errc::bad_value;
    };
    EXPECT_TRUE(refused([](auto& options) { options.prefix = "p*:"; }));
    EXPECT_TRUE(refused([](auto& options) { options.pool = PoolName{"a}b"}; }));
    EXPECT_TRUE(refused([](auto& options) { options.pool = PoolName{""}; }));
    EXPECT_TRUE(refused([](auto& options) { options.node = NodeName{"a b"}; }));
    EXPECT_TRUE(refused([](auto& options) { options.incarnation = "-"; })); // means: taken over
    EXPECT_TRUE(refused([](auto& options) { options.incarnation = "a b"; }));
    EXPECT_TRUE(refused([](auto& options) { options.enqueue_limit = 0; }));
}

TEST_F(NodeTest, TheJanitorFindsTenantsThatNoSetNames)
{
    Node node{io, server().url(), "n1", "i1"};
    server().cli("RPUSH '" + key + "ready:" + tenant_of(1).value().text() + ":1' '" + entry_of(1, 1, 0).to_json() +
                 "'");
    server().cli("SET '" + key + "ready:odd' x");
    EXPECT_TRUE(node.claim(10).empty()); // its producer died before ZADD
    Node other{io, server().url(), "n2", "i2"};
    server().cli("SET '" + key + "janitor' n2/i2");
    node.must(node.queue().janitor());
    EXPECT_TRUE(node.claim(10).empty()) << "another node holds the janitor's lock";
    server().cli("DEL '" + key + "janitor'");
    node.must(node.queue().janitor());
    EXPECT_EQ(node.claim(10).size(), 1U);
}

// A cluster refuses a script that touches a key of another slot than that of its declared key.
TEST_F(NodeTest, EveryScriptStaysInItsSlotOfACluster)
{
    RedisServer cluster{{"--port", std::to_string(free_port()), "--bind", "127.0.0.1", "--cluster-enabled", "yes"}};
    cluster.cli("CLUSTER ADDSLOTSRANGE 0 16383");
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (cluster.cli("CLUSTER INFO").find("cluster_state:ok") == std::string::npos) {
        ASSERT_LT(std::chrono::steady_clock::now(), end);
        std::this_thread::sleep_for(10ms);
    }
    Node one{io, cluster.url(), "n1", "i1"};
    Node two{io, cluster.url(), "n2", "i2"};
    one.enqueue(batch_entries(1, 1, 30));
    cluster.cli("RPUSH '" + key + "ready:" + tenant_of(1).value().text() + ":1' poison");
    queue::Entry later = entry_of(1, 2, 0);
    later.not_before = wall_now() + 1h;
    cluster.cli("RPUSH '" + key + "ready:" + tenant_of(1).value().text() + ":1' '" + later.to_json() + "'");
    std::vector<Claimed> got = one.claim(100, 100); // claim, bury, postpone
    ASSERT_EQ(got.size(), 30U);
    const std::vector<Claimed> parked(got.begin(), got.begin() + 5);
    const std::vector<Claimed> released(got.begin() + 5, got.begin() + 10);
    const std::vector<Claimed> deferred(got.begin() + 10, got.begin() + 15);
    const std::vector<Claimed> delivered(got.begin() + 15, got.begin() + 20);
    EXPECT_EQ(one.park(tokens_of(parked), "gmail"), 5U);
    EXPECT_EQ(one.release(tokens_of(released), wall_now() + 1h), 5U);
    EXPECT_EQ(one.park({got[22].token}, queue::place_of(campaign_of(1, 1))), 1U);
    EXPECT_TRUE(one.must(one.queue().reopen(campaign_of(1, 1))));
    EXPECT_EQ(one.must(one.queue().cancel(campaign_of(1, 1))), 0U);
    EXPECT_EQ(one.settle(outcomes_of(deferred, EventKind::deferred)).settled, 5U);
    EXPECT_EQ(one.settle(outcomes_of(delivered, EventKind::delivered)).settled, 5U);
    cluster.cli("HSET '" + key + "nodes' n1 '1 i1 1 up'");
    two.must(two.queue().heartbeat("up")); // takeover
    one.must(one.queue().start(false));
    EXPECT_EQ(one.settle({outcome_of(got[20], EventKind::delivered)}).late, 1U);
    const std::vector<queue::Held> held{{got[21].token, got[21].entry, "gmail"}};
    EXPECT_EQ(one.must(one.queue().rehand(held)).size(), 0U); // it is in its ready list, and goes back with the lease
    EXPECT_EQ(one.release({got[21].token}), 1U);
    two.must(two.queue().janitor());
    EXPECT_TRUE(two.must(two.queue().hold_ledger_lock()));
    std::vector<MessageId> all;
    for (unsigned i = 0; i < 30; ++i) all.push_back({batch_of(1), i});
    EXPECT_EQ(two.must(two.queue().cancel(tenant_of(1), batch_of(1), all)), 24U) << "one ended late";
    const auto read = two.must(two.queue().read_events("", 100));
    EXPECT_EQ(read.events.size(), 5U + 5U + 1U + 24U);
    two.must(two.queue().confirm_events(read.position, all));
    const queue::Summary left = two.summary();
    EXPECT_EQ(left.ready + left.parked + left.in_hands, 0U);
    EXPECT_EQ(left.due, 1U);
    two.must(two.queue().stop());
}

TEST_F(NodeTest, AnIdleNodeDoesNotWrite)
{
    Node node{io, server().url(), "n1", "i1"};
    node.claim(100);
    const std::string before = server().cli("INFO persistence | grep -a rdb_changes_since_last_save");
    for (std::size_t room = 90; room < 110; ++room) node.claim(room);
    EXPECT_EQ(server().cli("INFO persistence | grep -a rdb_changes_since_last_save"), before);
}

TEST_F(NodeTest, TheEpochIsSetOnce)
{
    Node one{io, server().url(), "n1", "i1"};
    const std::string epoch = server().cli("GET '" + key + "epoch'");
    EXPECT_FALSE(epoch.empty());
    Node two{io, server().url(), "n2", "i2"};
    EXPECT_EQ(server().cli("GET '" + key + "epoch'"), epoch);
}

} // namespace

} // namespace penguin::test
