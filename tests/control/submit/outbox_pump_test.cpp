#include "control/submit/outbox_pump.h"

#include <set>

#include <gtest/gtest.h>

#include "control/submit/cancellation.h"
#include "tests/support/stores.h"

namespace penguin::control::submit {
namespace {

using namespace test;
using queue::EventKind;

RedisServer& redis_server()
{
    static RedisServer server;
    return server;
}

class OutboxPumpTest : public testing::Test {
protected:
    OutboxPumpTest()
    {
        redis_server().cli("FLUSHALL");
        add_tenant(server, name, kTenantA);
        stores = std::make_unique<Stores>(server, name, redis_server().url());
    }
    ~OutboxPumpTest() override
    {
        if (redis_server().cli("PING") != "PONG") redis_server().start();
    }
    std::string sql(const std::string& statements) { return server.sql(name, statements); }
    BatchId accept(std::size_t count, TenantId tenant = kTenantA)
    {
        const auto accepted = stores->accept(batch_to(tenant, count));
        if (!accepted) throw std::runtime_error{accepted.error().detail};
        return accepted->batch;
    }
    // As a pump leaves it that died after the script call and before the record.
    void forget(BatchId batch, int enqueued)
    {
        sql("update queue.batches set enqueued = " + std::to_string(enqueued) +
            ", state = 'accepted', claimed_until = now() where id = '" + batch.value().text() + "'");
    }
    // It has put right what this run of Redis may have lost, and what was put off is tried again.
    void after_the_reconciler()
    {
        stores->settle_epoch();
        sql("update queue.batches set claimed_until = now() where claimed_until is not null");
    }
    std::size_t turn() { return stores->must(stores->pump.turn()); }
    std::size_t ready() { return stores->must(stores->queue.summary()).ready; }
    void drain_ledger()
    {
        while (stores->must(stores->ledger.step(wall_now())).events > 0) {
        }
    }

    PostgresServer& server = PostgresServer::instance();
    std::string name = server.migrated_database();
    std::unique_ptr<Stores> stores;
};

TEST_F(OutboxPumpTest, EveryMessageIsEnqueuedOnceWithAllItNeeds)
{
    const BatchId batch = accept(1200);
    EXPECT_EQ(turn(), 500U);
    EXPECT_EQ(sql("select enqueued || ' ' || state from queue.batches"), "500 accepted");
    EXPECT_EQ(turn(), 500U);
    EXPECT_EQ(turn(), 200U);
    EXPECT_EQ(sql("select enqueued || ' ' || state || ' ' || (claimed_until is null) from queue.batches"),
              "1200 enqueued true");
    EXPECT_EQ(turn(), 0U);
    const auto claimed = stores->settle_all(EventKind::delivered);
    const auto rest = stores->settle_all(EventKind::delivered);
    EXPECT_EQ(claimed.size() + rest.size(), 1200U);
    std::set<std::uint32_t> seen;
    for (const auto* some : {&claimed, &rest})
        for (const queue::Claimed& one : *some) {
            EXPECT_EQ(one.entry.id.batch, batch);
            EXPECT_EQ(one.entry.to.text(), "r" + std::to_string(one.entry.id.index) + "@b.example");
            seen.insert(one.entry.id.index);
        }
    EXPECT_EQ(seen.size(), 1200U);
    const queue::Entry& entry = claimed.front().entry;
    EXPECT_EQ(entry.tenant, kTenantA);
    EXPECT_EQ(entry.from->text(), "me@sender.example");
    EXPECT_EQ(entry.content, sql("select content_id from queue.batches"));
    EXPECT_TRUE(entry.vars.contains("Person")) << entry.vars;
    EXPECT_TRUE(entry.expires);
}

TEST_F(OutboxPumpTest, SmallBatchesShareATurnAndItsCall)
{
    EXPECT_EQ(turn(), 0U); // the first one asks whether it may enqueue
    for (int i = 0; i < 180; ++i) accept(3);
    redis_server().cli("CONFIG RESETSTAT");
    EXPECT_EQ(turn(), 501U); // the batch that reaches the bound is the last
    const std::string stats = redis_server().cli("INFO commandstats");
    EXPECT_TRUE(stats.contains("evalsha:calls=2,") || stats.contains("fcall:calls=2,")) << stats;
    EXPECT_EQ(sql("select count(*) from queue.batches where state = 'enqueued'"), "167");
    EXPECT_EQ(turn(), 39U);
    EXPECT_EQ(ready(), 540U);
}

TEST_F(OutboxPumpTest, OfManySmallBatchesOnlyTheRepeatedAreHeldBack)
{
    std::vector<BatchId> batches;
    for (int i = 0; i < 20; ++i) batches.push_back(accept(2));
    EXPECT_EQ(turn(), 40U);
    for (int i = 0; i < 10; ++i) batches.push_back(accept(1));
    for (int i = 0; i < 20; i += 3) forget(batches[static_cast<std::size_t>(i)], 0);
    EXPECT_EQ(turn(), 24U);
    EXPECT_EQ(ready(), 50U);
    EXPECT_EQ(sql("select count(*) from queue.batches where state = 'enqueued'"), "30");
    EXPECT_EQ(stores->settle_all(EventKind::delivered).size(), 50U);
    drain_ledger();
    EXPECT_EQ(redis_server().cli("KEYS 'pm:{default}:live:*'"), "");
}

TEST_F(OutboxPumpTest, ALargeBatchDoesNotHoldUpAnotherTenant)
{
    add_tenant(server, name, kTenantB, "b-sender.example");
    accept(2000);
    BatchRequest small = batch_to(kTenantB, 2);
    std::get<TemplateContent>(small.content).from.address = address("me@b-sender.example");
    ASSERT_TRUE(stores->accept(small));
    EXPECT_EQ(turn(), 502U);
    EXPECT_EQ(turn(), 500U);
}

// Its claim may be another node's soon: that one may have the chunk sent and confirmed, and no bit tells.
TEST_F(OutboxPumpTest, ATurnThatTakesTooLongEnqueuesNothingAndItsChunksGoOnAsRepeated)
{
    accept(5);
    const OutboxPump::Options options{
        .pool = PoolName{"default"}, .lease = std::chrono::seconds{1}, .turn_max = std::chrono::seconds{0}};
    OutboxPump slow{stores->worker, stores->queue, {}, {}, options, stores->metrics};
    const Result<std::size_t> turned = stores->run(slow.turn());
    ASSERT_FALSE(turned);
    EXPECT_EQ(turned.error().code, Errc::timeout);
    EXPECT_EQ(ready(), 0U);
    EXPECT_EQ(sql("select enqueued || ' ' || (claimed_until is not null) from queue.batches"), "0 true");
    after_the_reconciler();
    EXPECT_EQ(turn(), 5U);
    EXPECT_EQ(ready(), 5U);
}

TEST_F(OutboxPumpTest, AChunkThatIsStillQueuedIsNotQueuedTwice)
{
    const BatchId batch = accept(100);
    turn();
    forget(batch, 0);
    EXPECT_EQ(turn(), 100U);
    EXPECT_EQ(ready(), 100U);
    EXPECT_EQ(sql("select state from queue.batches"), "enqueued");
}

TEST_F(OutboxPumpTest, AChunkThatWasDeliveredMeanwhileIsNotSentAgain)
{
    const BatchId batch = accept(100);
    turn();
    EXPECT_EQ(stores->settle_all(EventKind::delivered).size(), 100U);
    drain_ledger();
    EXPECT_EQ(redis_server().cli("EXISTS pm:{default}:live:" + batch.value().text()), "0");
    forget(batch, 0);
    EXPECT_EQ(turn(), 100U);
    EXPECT_EQ(ready(), 0U);
}

TEST_F(OutboxPumpTest, OfAHalfEnqueuedChunkTheOtherHalfIsEnqueued)
{
    const BatchId batch = accept(20);
    turn();
    // Twelve go as far as the ledger, three wait in the ledger's stream, five never came to Redis.
    auto claimed = stores->must(stores->queue.claim({.max = 20, .per_tenant = 20}));
    std::vector<queue::Claimed> first{claimed.begin(), claimed.begin() + 12};
    stores->settle(first, EventKind::delivered);
    drain_ledger();
    std::vector<queue::Claimed> second{claimed.begin() + 12, claimed.begin() + 15};
    stores->settle(second, EventKind::bounced);
    for (int i = 15; i < 20; ++i)
        redis_server().cli("SETBIT pm:{default}:live:" + batch.value().text() + " " +
                           std::to_string(claimed[static_cast<std::size_t>(i)].entry.id.index) + " 0");
    forget(batch, 0);
    EXPECT_EQ(turn(), 20U);
    EXPECT_EQ(ready(), 5U);
}

TEST_F(OutboxPumpTest, ADeferredMessageIsNotAFinalOne)
{
    const BatchId batch = accept(1);
    turn();
    stores->settle_all(EventKind::deferred);
    drain_ledger();
    redis_server().cli("DEL pm:{default}:live:" + batch.value().text()); // as after a loss of Redis
    forget(batch, 0);
    EXPECT_EQ(turn(), 1U);
    EXPECT_EQ(ready(), 1U);
}

TEST_F(OutboxPumpTest, AfterALossOfRedisARepeatedChunkWaitsForTheReconcilerAndNothingElseDoes)
{
    const BatchId batch = accept(100);
    turn();
    forget(batch, 0);
    accept(5);
    redis_server().cli("FLUSHALL");
    stores->must(stores->queue.start(false));
    EXPECT_EQ(turn(), 5U);
    EXPECT_EQ(turn(), 0U);
    EXPECT_EQ(ready(), 5U);
    after_the_reconciler();
    EXPECT_EQ(turn(), 100U);
    EXPECT_EQ(ready(), 105U);
}

TEST_F(OutboxPumpTest, AClaimOfAnotherNodeHolds)
{
    accept(10);
    sql("update queue.batches set claimed_until = now() + interval '1 hour'");
    EXPECT_EQ(turn(), 0U);
    sql("update queue.batches set claimed_until = now() - interval '1 second'");
    EXPECT_EQ(turn(), 10U);
}

TEST_F(OutboxPumpTest, OtherPoolsAreNotOurs)
{
    accept(10);
    sql("update queue.batches set pool = 'other'");
    EXPECT_EQ(turn(), 0U);
}

TEST_F(OutboxPumpTest, TwoPumpsAtOnceEnqueueEachMessageOnce)
{
    using namespace asio::experimental::awaitable_operators;
    for (int i = 0; i < 5; ++i) accept(1100);
    OutboxPump other{stores->worker, stores->queue, {}, {}, {}, stores->metrics};
    const auto pump = [](OutboxPump& one) -> awaitable<bool> {
        int idle = 0;
        while (idle < 3) {
            const Result<std::size_t> done = co_await one.turn();
            if (!done) co_return false;
            idle = *done == 0 ? idle + 1 : 0;
        }
        co_return true;
    };
    const auto both = [&]() -> awaitable<bool> {
        const auto [a, b] = co_await (pump(stores->pump) && pump(other));
        co_return a&& b;
    };
    EXPECT_TRUE(stores->run(both()));
    EXPECT_EQ(sql("select count(*) from queue.batches where state = 'enqueued'"), "5");
    EXPECT_EQ(ready(), 5500U);
}

TEST_F(OutboxPumpTest, RedisAwayLosesNothing)
{
    accept(700);
    redis_server().stop();
    EXPECT_FALSE(stores->run(stores->pump.turn()));
    EXPECT_EQ(sql("select enqueued from queue.batches"), "0");
    redis_server().start();
    stores->must(stores->redis.connected_within(std::chrono::seconds{10}));
    EXPECT_EQ(turn(), 500U);
    EXPECT_EQ(turn(), 200U);
    EXPECT_EQ(ready(), 700U);
}

TEST_F(OutboxPumpTest, AFullRedisSlowsThePumpAndLosesNothing)
{
    accept(100);
    redis_server().cli("CONFIG SET maxmemory 1mb");
    const Result<std::size_t> full = stores->run(stores->pump.turn());
    redis_server().cli("CONFIG SET maxmemory 1gb");
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code, Errc::full);
    EXPECT_EQ(turn(), 100U);
    EXPECT_EQ(ready(), 100U);
}

// An upgrade: the older fleet brings the batches on, and what we cannot enqueue we do not claim again and again.
TEST_F(OutboxPumpTest, WhileAnotherContractIsSpokenNothingIsClaimedOrEnqueued)
{
    const std::string nodes = "'pm:{default}:nodes'";
    redis_server().cli("HSET " + nodes + " older \"$(date +%s)000 i9 9 - up\"");
    const BatchId batch = accept(100);
    for (int i = 0; i < 2; ++i) {
        const Result<std::size_t> refused = stores->run(stores->pump.turn());
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, Errc::unavailable);
        EXPECT_TRUE(refused.error().detail.contains("node older speaks version 9")) << refused.error().detail;
    }
    EXPECT_EQ(sql("select claimed_until is null from queue.batches where id = '" + batch.value().text() + "'"), "t");
    EXPECT_EQ(ready(), 0U);
    redis_server().cli("HDEL " + nodes + " older");
    EXPECT_EQ(turn(), 100U);
    EXPECT_EQ(ready(), 100U);
}

TEST_F(OutboxPumpTest, ADamagedBatchDoesNotStopTheOthers)
{
    const BatchId bad = accept(10);
    sql("update queue.batches set recipients = array['\\x00'::bytea] where id = '" + bad.value().text() + "'");
    accept(10);
    EXPECT_EQ(turn(), 10U);
    EXPECT_EQ(sql("select count(*) from queue.batches where state = 'accepted' and claimed_until > now()"), "1");
}

TEST_F(OutboxPumpTest, NotBeforeIsKept)
{
    BatchRequest later = batch_to(kTenantA, 3);
    later.not_before = wall_now() + std::chrono::hours{1};
    ASSERT_TRUE(stores->accept(later));
    EXPECT_EQ(turn(), 3U);
    EXPECT_EQ(ready(), 0U);
    EXPECT_EQ(stores->must(stores->queue.summary()).due, 3U);
}

TEST_F(OutboxPumpTest, CancellingClosesTheCounts)
{
    const BatchId batch = accept(1200);
    turn();
    const auto claimed = stores->must(stores->queue.claim({.max = 10, .per_tenant = 10}));
    ASSERT_EQ(claimed.size(), 10U);
    EXPECT_EQ(stores->must(cancel_batch(stores->worker.queue, stores->queue, kTenantA, batch)), 490U + 700U);
    turn();
    turn();
    EXPECT_EQ(ready(), 0U);
    EXPECT_EQ(stores->must(stores->queue.summary()).due, 0U);
    EXPECT_EQ(sql("select state from queue.batches"), "cancelled");
    stores->settle(claimed, EventKind::delivered); // was on its way
    drain_ledger();
    EXPECT_EQ(sql("select delivered || ' ' || cancelled from analytics.batch_counts"), "10 1190");
    EXPECT_EQ(stores->run(cancel_batch(stores->worker.queue, stores->queue, kTenantB, batch)).error().code,
              Errc::not_found);
    EXPECT_EQ(stores->must(cancel_batch(stores->worker.queue, stores->queue, kTenantA, batch)), 0U);
}

TEST_F(OutboxPumpTest, RunsUntilItIsStoppedAndWakesAtOnce)
{
    using namespace asio::experimental::awaitable_operators;
    const auto scene = [&]() -> awaitable<bool> {
        co_await sleep_for(std::chrono::milliseconds{20}); // it is asleep
        const auto accepted = co_await stores->acceptance.accept(batch_to(kTenantA, 4), wall_now());
        stores->pump.wake();
        for (int i = 0; i < 200; ++i) {
            const Result<queue::Summary> summary = co_await stores->queue.summary();
            if (summary && summary->ready == 4) break;
            co_await sleep_for(std::chrono::milliseconds{10});
        }
        stores->pump.stop();
        co_return accepted.has_value();
    };
    const auto all = [&]() -> awaitable<bool> {
        const bool fine = co_await (scene() && stores->pump.run());
        co_return fine;
    };
    EXPECT_TRUE(stores->run(all()));
    EXPECT_EQ(ready(), 4U);
}

} // namespace
} // namespace penguin::control::submit
