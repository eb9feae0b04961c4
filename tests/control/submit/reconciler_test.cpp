// Redis lost data: what has neither its bit nor a final event is queued again, and nothing else.
#include "control/submit/reconciler.h"

#include <gtest/gtest.h>

#include "control/ledger/database_age.h"
#include "control/submit/cancellation.h"
#include "tests/support/stores.h"

namespace penguin::control::submit {
namespace {

using namespace test;
using namespace std::chrono_literals;
using queue::EventKind;

RedisServer& redis_server()
{
    static RedisServer server;
    return server;
}

class ReconcilerTest : public testing::Test {
protected:
    ReconcilerTest()
    {
        redis_server().cli("FLUSHALL");
        add_tenant(server, name, kTenantA);
        add_tenant(server, name, kTenantB, "other.example");
        stores = std::make_unique<Stores>(server, name, redis_server().url());
        reconciler = std::make_unique<Reconciler>(
            stores->worker, stores->queue, [this] { ++wakes; }, Reconciler::Options{.wait = 40s}, stores->metrics);
    }
    std::string sql(const std::string& statements) { return server.sql(name, statements); }
    BatchId accept(std::size_t count, TenantId tenant = kTenantA)
    {
        BatchRequest request = batch_to(tenant, count);
        if (tenant == kTenantB) std::get<TemplateContent>(request.content).from.address = address("me@other.example");
        const auto accepted = stores->accept(std::move(request));
        if (!accepted) throw std::runtime_error{accepted.error().detail};
        return accepted->batch;
    }
    void pump()
    {
        while (stores->must(stores->pump.turn()) > 0) {
        }
    }
    void drain_ledger()
    {
        while (stores->must(stores->ledger.step(wall_now())).events > 0) {
        }
    }
    void lose_all()
    {
        redis_server().cli("FLUSHALL");
        stores->must(stores->queue.start(false));
        stores->must(reconciler->look(std::chrono::steady_clock::now()));
    }
    Result<Reconciled> try_to_reconcile(Duration later)
    {
        return stores->run(reconciler->reconcile(std::chrono::steady_clock::now() + later));
    }
    // When nothing that a node held in a lost epoch can be sent any more.
    Reconciled reconcile() { return try_to_reconcile(40s).value(); }
    std::size_t ready() { return stores->must(stores->queue.summary()).ready; }
    std::vector<queue::Claimed> claim(std::size_t most)
    {
        const queue::ClaimRequest request{.max = most, .ready_max = most, .per_tenant = most};
        return stores->must(stores->queue.claim(request));
    }

    PostgresServer& server = PostgresServer::instance();
    std::string name = server.migrated_database();
    std::unique_ptr<Stores> stores;
    std::unique_ptr<Reconciler> reconciler;
    int wakes = 0;
};

TEST_F(ReconcilerTest, WithoutALossItFindsNothing)
{
    accept(700);
    accept(3, kTenantB);
    pump();
    EXPECT_EQ(reconcile().queued, 0U);
    stores->settle_all(EventKind::delivered);
    EXPECT_EQ(reconcile().queued, 0U) << "events that the ledger has not taken keep their bits";
    drain_ledger();
    const Reconciled report = reconcile();
    EXPECT_EQ(report.batches, 2U);
    EXPECT_EQ(report.unfinished, 0U);
    EXPECT_EQ(report.queued, 0U);
    EXPECT_EQ(wakes, 0);
}

TEST_F(ReconcilerTest, WhatHadNotEndedIsQueuedAgainOverAllTenantsAndPages)
{
    accept(1'200);
    for (int i = 0; i < 30; ++i) accept(1, kTenantB);
    pump();
    stores->settle(claim(200), EventKind::delivered);
    drain_ledger();
    const std::size_t ended = std::stoul(sql("select sum(delivered) from analytics.batch_counts"));
    ASSERT_GT(ended, 100U);
    lose_all();
    const Reconciled report = reconcile();
    EXPECT_EQ(report.queued, 1'230U - ended);
    EXPECT_GT(wakes, 0);
    EXPECT_EQ(reconcile().queued, 0U) << "a second time it repeats nothing";
    while (!stores->settle_all(EventKind::delivered).empty()) {
    }
    drain_ledger();
    EXPECT_EQ(sql("select sum(delivered) from analytics.batch_counts"), "1230");
    EXPECT_EQ(sql("select count(*) from analytics.events"), "1230");
}

TEST_F(ReconcilerTest, ADeferredMessageComesBackWithItsAttemptsAndNotBeforeItsTime)
{
    accept(1);
    pump();
    const std::vector<queue::Claimed> got = claim(10);
    const WallTime next = std::chrono::floor<std::chrono::milliseconds>(wall_now()) + 1h;
    stores->settle(got, EventKind::deferred, [&](queue::Event& event) {
        event.attempt = 3;
        event.next = next;
    });
    drain_ledger();
    lose_all();
    EXPECT_EQ(reconcile().queued, 1U);
    EXPECT_TRUE(claim(10).empty());
    redis_server().cli("ZADD 'pm:{default}:due' 1 " + got[0].entry.id.text());
    const std::string waiting = redis_server().cli("HGETALL 'pm:{default}:wait'");
    EXPECT_NE(waiting.find("\"attempt\":3"), std::string::npos) << waiting;
    EXPECT_NE(waiting.find(std::to_string(to_unix_ms(next))), std::string::npos) << waiting;
}

TEST_F(ReconcilerTest, WhatThePumpHasNotEnqueuedYetStaysThePumps)
{
    accept(700);
    EXPECT_EQ(stores->must(stores->pump.turn()), 500U);
    lose_all();
    EXPECT_EQ(reconcile().queued, 500U);
    EXPECT_EQ(stores->must(stores->pump.turn()), 200U);
    EXPECT_EQ(ready(), 700U);
}

TEST_F(ReconcilerTest, OfACancelledBatchEachMessageHasItsEvent)
{
    const BatchId batch = accept(5);
    pump();
    stores->must(cancel_batch(stores->worker.queue, stores->queue, kTenantA, batch));
    lose_all(); // the cancelled events with it
    sql("update queue.batches set state = 'cancelled'");
    EXPECT_EQ(reconcile().queued, 5U);
    EXPECT_TRUE(claim(10).empty());
    drain_ledger();
    EXPECT_EQ(sql("select cancelled from analytics.batch_counts"), "5");
}

TEST_F(ReconcilerTest, ByItselfOncePerEpochAfterEveryLeaseHasEnded)
{
    accept(2);
    pump();
    lose_all();
    const SteadyTime start = std::chrono::steady_clock::now();
    stores->must(reconciler->look(start));
    stores->must(reconciler->look(start + 39s));
    EXPECT_EQ(ready(), 0U);
    stores->must(reconciler->look(start + 40s));
    EXPECT_EQ(ready(), 2U);
    EXPECT_TRUE(stores->must(stores->queue.epoch()).reconciled);
    // Taken out by hand: not by itself again in this epoch, only when it is asked for.
    redis_server().cli("DEL 'pm:{default}:ready:" + kTenantA.value().text() + ":1'");
    redis_server().cli("eval \"for _,k in ipairs(redis.call('keys','*live*')) do redis.call('del',k) end\" 0");
    stores->must(reconciler->look(start + 120s));
    EXPECT_EQ(ready(), 0U);
    EXPECT_EQ(reconcile().queued, 2U);
}

TEST_F(ReconcilerTest, NotWhileNodesAreStillTellingTheirJournals)
{
    accept(2);
    pump();
    redis_server().cli("FLUSHALL");
    stores->must(stores->queue.join(false));
    const SteadyTime start = std::chrono::steady_clock::now();
    stores->must(reconciler->look(start));
    stores->must(reconciler->look(start + 300s));
    EXPECT_EQ(ready(), 0U);
    stores->must(stores->queue.recovered());
    stores->must(reconciler->look(start + 301s));
    EXPECT_EQ(ready(), 2U);
}

// A node that has not noticed the loss yet, and more entries than `rehand` looks through for what it holds.
TEST_F(ReconcilerTest, WhenItIsAskedForItQueuesNothingThatANodeMayHold)
{
    queue::RedisConnection redis{stores->io.get_executor(), {.url = redis_server().url(), .ca_file = {}}};
    queue::SendQueue::Options options = Stores::options();
    options.node = NodeName{"node-2"};
    queue::SendQueue other{redis, options};
    stores->must(redis.connected_within(5s));
    stores->must(other.start(false));
    accept(1'500);
    pump();
    std::vector<queue::Token> in_front;
    for (const std::size_t most : {1'000U, 200U})
        for (const queue::Claimed& one : claim(most)) in_front.push_back(one.token);
    ASSERT_EQ(in_front.size(), 1'200U);
    const std::vector<queue::Claimed> held = stores->must(other.claim({.max = 50, .ready_max = 50, .per_tenant = 50}));
    ASSERT_EQ(held.size(), 50U);
    stores->must(stores->queue.release(in_front, std::nullopt));

    redis_server().cli("FLUSHALL");
    EXPECT_EQ(try_to_reconcile(300s).error().code, Errc::unavailable) << "no node has joined";
    stores->must(stores->queue.join(false));
    EXPECT_EQ(try_to_reconcile(0s).error().code, Errc::unavailable);
    EXPECT_EQ(try_to_reconcile(300s).error().code, Errc::unavailable) << "a node is telling its journal";
    stores->must(stores->queue.recovered());
    EXPECT_EQ(try_to_reconcile(39s).error().code, Errc::unavailable) << "node-2 may still have its lease";
    EXPECT_EQ(ready(), 0U);

    stores->must(other.join(false));
    std::vector<queue::Held> hand;
    for (const queue::Claimed& one : held) hand.push_back({one.token, one.entry, ""});
    EXPECT_TRUE(stores->must(other.rehand(hand)).empty());
    stores->must(other.recovered());
    EXPECT_EQ(reconcile().queued, 1'450U);
    EXPECT_EQ(ready(), 1'450U);
    EXPECT_EQ(stores->must(other.hand()).size(), 50U);
}

// As after a restore: the ledger's position and what came after it are gone.
TEST_F(ReconcilerTest, ARestoredOlderDatabaseSendsNothingAgainBeforeSomebodyAcceptsIt)
{
    accept(10);
    pump();
    stores->settle(claim(4), EventKind::delivered);
    drain_ledger();
    stores->settle(claim(6), EventKind::delivered);
    drain_ledger();
    accept(3);
    sql("delete from analytics.events where position > 4;"
        "update analytics.batch_counts set delivered = 4;"
        "update analytics.ledger_positions set position = '1-0';"
        "update queue.batches set enqueued = 0, state = 'accepted' where total = 10");
    EXPECT_EQ(try_to_reconcile(0s).error().code, Errc::conflict);
    OutboxPump restarted{stores->worker, stores->queue, {}, {}, {.pool = PoolName{"default"}}, stores->metrics};
    EXPECT_EQ(stores->run(restarted.turn()).error().code, Errc::conflict);
    ledger::Ledger reader{stores->worker, stores->queue, PoolName{"default"}, stores->metrics};
    EXPECT_EQ(stores->run(reader.step(wall_now())).error().code, Errc::conflict);
    EXPECT_EQ(ready(), 0U);

    EXPECT_EQ(stores->must(ledger::accept_restored_database(stores->worker.queue, stores->worker.analytics,
                                                            stores->queue, PoolName{"default"})),
              2U);
    EXPECT_EQ(stores->must(restarted.turn()), 0U);
    EXPECT_EQ(reconcile().queued, 0U) << "what was sent of it is not known";
    EXPECT_TRUE(stores->run(reader.step(wall_now())));
    const BatchId after = accept(2);
    EXPECT_EQ(stores->must(restarted.turn()), 2U);
    lose_all();
    EXPECT_EQ(reconcile().queued, 2U) << after.value().text();
}

} // namespace
} // namespace penguin::control::submit
