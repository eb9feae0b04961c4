#include "control/ledger/ledger.h"

#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "control/db/tenancy.h"
#include "control/ledger/unknown_replies.h"
#include "tests/support/stores.h"

namespace penguin::control::ledger {
namespace {

using namespace test;
using queue::Event;
using queue::EventKind;

RedisServer& redis_server()
{
    static RedisServer server;
    return server;
}

class LedgerTest : public testing::Test {
protected:
    LedgerTest()
    {
        redis_server().cli("FLUSHALL");
        add_tenant(server, name, kTenantA);
        stores = std::make_unique<Stores>(server, name, redis_server().url());
    }
    std::string sql(const std::string& statements) { return server.sql(name, statements); }
    BatchId queued(std::size_t count)
    {
        const auto accepted = stores->accept(batch_to(kTenantA, count));
        if (!accepted) throw std::runtime_error{accepted.error().detail};
        while (stores->must(stores->pump.turn()) > 0) {
        }
        return accepted->batch;
    }
    std::size_t step() { return stores->must(stores->ledger.step(wall_now())).events; }
    std::string counts()
    {
        return sql("select delivered || ' ' || bounced || ' ' || expired || ' ' || suppressed || ' ' || cancelled || ' "
                   "' || deferred from analytics.batch_counts");
    }

    PostgresServer& server = PostgresServer::instance();
    std::string name = server.migrated_database();
    std::unique_ptr<Stores> stores;
};

TEST_F(LedgerTest, EventsAndCountsAndThePositionArriveTogether)
{
    const BatchId batch = queued(5);
    EXPECT_EQ(step(), 0U);
    const auto claimed = stores->must(stores->queue.claim({.max = 5, .per_tenant = 5}));
    stores->settle({claimed.begin(), claimed.begin() + 2}, EventKind::delivered, [](Event& event) {
        event.code = 250;
        event.reply = "2.0.0 ok";
        event.latency_ms = 1234;
        event.tls = true;
        event.site = "mx.b.example";
        event.source = "192.0.2.1";
        event.remote = "mx.b.example (198.51.100.1)";
        event.phase = "body";
        event.enhanced = "2.0.0";
    });
    stores->settle({claimed[2]}, EventKind::bounced);
    stores->settle({claimed[3]}, EventKind::deferred,
                   [](Event& event) { event.next = wall_now() + std::chrono::minutes{5}; });
    EXPECT_EQ(step(), 4U);
    EXPECT_EQ(counts(), "2 1 0 0 0 1");
    EXPECT_EQ(sql("select string_agg(distinct position::text, ',') from analytics.events"), "1,2,3,4");
    EXPECT_EQ(sql("select code || reply || latency_ms || tls || site || source || remote || phase || enhanced || "
                  "recipient from analytics.events where kind = 'delivered' order by position limit 1"),
              "2502.0.0 ok1234truemx.b.example192.0.2.1mx.b.example (198.51.100.1)body2.0.0" +
                  claimed[0].entry.to.text());
    EXPECT_EQ(sql("select next is not null from analytics.events where kind = 'deferred'"), "t");
    // Into the partition of its day, not the default one.
    EXPECT_EQ(sql("select count(*) from analytics.events_default"), "0");
    EXPECT_EQ(sql("select position <> '' from analytics.ledger_positions where pool = 'default'"), "t");
    EXPECT_EQ(redis_server().cli("XLEN pm:{default}:events"), "0");
    const auto live = stores->must(stores->queue.live(batch, 0, 5));
    EXPECT_EQ(std::ranges::count(live, true), 2); // the deferred one and the one in hand
    EXPECT_EQ(step(), 0U);
}

TEST_F(LedgerTest, ATenantReadsItsOwnEventsByCursor)
{
    queued(10);
    stores->settle_all(EventKind::delivered);
    step();
    const auto page = [&](TenantId tenant, std::int64_t after) {
        const auto read = [&](db::Transaction& tx) {
            return tx.query("select position from analytics.events where tenant_id = $1 and position > $2 order by "
                            "position limit 4",
                            db::Params{tenant, after});
        };
        return stores->must(db::as_tenant(stores->api.analytics, tenant, read));
    };
    std::int64_t at = 0;
    std::size_t seen = 0;
    while (true) {
        const db::Rows rows = page(kTenantA, at);
        if (rows.empty()) break;
        seen += rows.size();
        at = rows[rows.size() - 1].get<std::int64_t>("position");
    }
    EXPECT_EQ(seen, 10U);
    EXPECT_TRUE(page(kTenantB, 0).empty());
}

TEST_F(LedgerTest, PositionsGoOnOverPools)
{
    queued(3);
    stores->settle_all(EventKind::delivered);
    step();
    queue::SendQueue::Options other = Stores::options();
    other.pool = PoolName{"other"};
    queue::SendQueue queue{stores->redis, other};
    stores->must(queue.start(false));
    queue::Entry entry{.id = {BatchId{Uuid::v7(wall_now())}, 0},
                       .tenant = kTenantA,
                       .campaign = {},
                       .mailbox = {},
                       .from = {},
                       .to = address("x@b.example"),
                       .content = std::string(64, 'c'),
                       .raw = {},
                       .vars = {},
                       .not_before = {},
                       .expires = {},
                       .queued = wall_now(),
                       .avoid = {}};
    stores->must(queue.enqueue(std::vector{entry}));
    const auto claimed = stores->must(queue.claim({}));
    stores->must(queue.settle(std::vector{Stores::outcome(claimed.at(0), EventKind::delivered, {})}));
    Ledger ledger{stores->worker, queue, PoolName{"other"}, stores->metrics};
    EXPECT_EQ(stores->must(ledger.step(wall_now())).events, 1U);
    EXPECT_EQ(sql("select max(position) || ' ' || count(distinct position) from analytics.events"), "4 4");
}

class LedgerFallsBack : public LedgerTest {
protected:
    // A step of six events; then the stream and the bits are put back as they were before it.
    BatchId step_without_confirmation()
    {
        const BatchId batch = queued(6);
        const std::string bits = "pm:{default}:live:" + batch.value().text();
        stores->settle_all(EventKind::delivered);
        copy("pm:{default}:events", "pm:{default}:copy");
        copy(bits, "pm:{default}:bits");
        EXPECT_EQ(step(), 6U);
        copy("pm:{default}:copy", "pm:{default}:events");
        copy("pm:{default}:bits", bits);
        return batch;
    }
    void expect_confirmed_and_not_counted_again(const BatchId& batch)
    {
        EXPECT_EQ(counts(), "6 0 0 0 0 0");
        EXPECT_EQ(sql("select count(*) from analytics.events"), "6");
        EXPECT_EQ(redis_server().cli("XLEN pm:{default}:events"), "0");
        EXPECT_EQ(redis_server().cli("EXISTS pm:{default}:live:" + batch.value().text()), "0");
    }

private:
    void copy(const std::string& from, const std::string& to)
    {
        stores->must(stores->redis.command({"COPY", from, to, "REPLACE"}, std::chrono::seconds{2}));
    }
};

// What a crash leaves: everything of the step but what came after the point.
TEST_F(LedgerFallsBack, ACommittedStepThatWasNotConfirmedIsConfirmedAndNotCountedAgain)
{
    const BatchId batch = step_without_confirmation();
    Ledger again{stores->worker, stores->queue, PoolName{"default"}, stores->metrics};
    EXPECT_EQ(stores->must(again.step(wall_now())).events, 0U);
    expect_confirmed_and_not_counted_again(batch);
}

// A replica that lacks the last second takes the place of its master while the ledger waits between two steps.
TEST_F(LedgerFallsBack, WhatARedisThatFellBackLacksOfConfirmationsItIsToldOnTheNewConnection)
{
    const BatchId batch = step_without_confirmation();
    const std::uint64_t before = stores->queue.generation();
    redis_server().cli("CLIENT KILL TYPE normal");
    const SteadyTime end = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (stores->queue.generation() == before && std::chrono::steady_clock::now() < end)
        (void)stores->run(stores->redis.command({"PING"}, std::chrono::seconds{2}));
    EXPECT_EQ(step(), 0U);
    expect_confirmed_and_not_counted_again(batch);
}

TEST_F(LedgerTest, ASecondWriterIsRefusedByThePosition)
{
    queued(4);
    stores->settle_all(EventKind::delivered);
    EXPECT_EQ(step(), 4U);
    queued(2);
    stores->settle_all(EventKind::delivered);
    sql("update analytics.ledger_positions set position = '9999999999999-1'"); // another node has gone on
    const auto stale = stores->run(stores->ledger.step(wall_now()));
    ASSERT_FALSE(stale);
    EXPECT_EQ(stale.error().code, Errc::stale);
    EXPECT_EQ(sql("select count(*) from analytics.events"), "4");
}

TEST_F(LedgerTest, AnotherNodesLockHolds)
{
    queue::SendQueue::Options options = Stores::options();
    options.node = NodeName{"node-2"};
    queue::SendQueue other{stores->redis, options};
    stores->must(other.start(false));
    EXPECT_TRUE(stores->must(other.hold_ledger_lock()));
    queued(1);
    stores->settle_all(EventKind::delivered);
    EXPECT_FALSE(stores->must(stores->ledger.step(wall_now())).ours);
    EXPECT_EQ(sql("select count(*) from analytics.events"), "0");
}

TEST_F(LedgerTest, ABounceThatSaysSoSuppresses)
{
    queued(3);
    const auto claimed = stores->must(stores->queue.claim({.max = 3, .per_tenant = 3}));
    const auto invalid = [](Event& event) {
        event.suppress = true;
        event.klass = "invalid_recipient";
        event.recipient = "Some.Body@B.example";
    };
    stores->settle({claimed[0]}, EventKind::bounced, invalid);
    stores->settle({claimed[1]}, EventKind::bounced, [](Event& event) { event.klass = "policy"; });
    stores->settle({claimed[2]}, EventKind::delivered, [](Event& event) { event.suppress = true; });
    EXPECT_EQ(step(), 3U);
    EXPECT_EQ(sql("select string_agg(address || ' ' || reason, ',') from control.suppressions"),
              "some.body@b.example invalid_recipient");
    EXPECT_EQ(sql("select source_event from control.suppressions"),
              claimed[0].entry.id.text() + ":" + claimed[0].token + ":1");
    EXPECT_EQ(sql("select suppressions from control.settings_version"), "2");
    auto request = batch_to(kTenantA, 1);
    request.recipients[0].email = "some.body@b.example";
    EXPECT_EQ(stores->accept(request).error().kind, submit::BatchRefused::Kind::no_recipient_accepted);
}

TEST_F(LedgerTest, ALateOutcomeIsCountedOnce)
{
    queued(1);
    const auto claimed = stores->must(stores->queue.claim({.max = 1, .per_tenant = 1}));
    // Another node took the entry over and delivered it; then the first one tells its own outcome.
    const queue::Settlement own = Stores::outcome(claimed[0], EventKind::delivered, {});
    stores->settle(claimed, EventKind::delivered, [](Event& event) { event.id = event.message.text() + ":other:1"; });
    EXPECT_EQ(step(), 1U);
    const auto report = stores->must(stores->queue.settle(std::vector{own}));
    EXPECT_EQ(report.late, 1U);
    EXPECT_EQ(step(), 1U);
    EXPECT_EQ(counts(), "1 0 0 0 0 0");
    EXPECT_EQ(sql("select count(*) || ' ' || count(*) filter (where late) from analytics.events"), "2 1");
    EXPECT_EQ(stores->must(stores->queue.settle(std::vector{own})).late, 1U);
    step();
    EXPECT_EQ(counts(), "1 0 0 0 0 0");
    EXPECT_EQ(sql("select count(*) from analytics.events"), "2");
}

TEST_F(LedgerTest, WhatASourceSendsUnderItsPlanIsCountedWithItsEvents)
{
    const auto warmed = [](Event& event) {
        event.source = "2001:db8::1";
        event.warmup = "gmail";
        event.at = wall_now();
    };
    for (int round = 0; round < 2; ++round) {
        queued(3);
        auto claimed = stores->must(stores->queue.claim({.max = 3, .per_tenant = 3}));
        stores->settle({claimed[0]}, EventKind::delivered, warmed);
        stores->settle({claimed[1]}, EventKind::bounced, [&](Event& event) {
            warmed(event);
            event.klass = "invalid_recipient";
        });
        stores->settle({claimed[2]}, EventKind::delivered); // of a source without a plan
        step();
    }
    EXPECT_EQ(
        sql("select host(source) || ' ' || provider || ' ' || sent || ' ' || delivered || ' ' || hard_bounces || ' ' "
            "|| blocks || ' ' || deferrals from analytics.warmup_days"),
        "2001:db8::1 gmail 4 2 2 0 0");
    EXPECT_EQ(sql("select day between current_date - 1 and current_date from analytics.warmup_days"), "t");
}

TEST_F(LedgerTest, NothingThatAServerSaysStopsIt)
{
    queued(2);
    const auto claimed = stores->must(stores->queue.claim({.max = 2, .per_tenant = 2}));
    stores->settle({claimed[0]}, EventKind::bounced, [](Event& event) {
        event.reply = std::string{"nul \0 quote \" brace } \\ backslash", 33};
        event.suppress = true;
        event.recipient = "not an address";
        event.at = wall_now() + std::chrono::hours{24 * 365 * 100}; // a clock gone mad
    });
    stores->settle({claimed[1]}, EventKind::delivered);
    EXPECT_EQ(step(), 2U);
    EXPECT_EQ(counts(), "1 1 0 0 0 0");
    EXPECT_EQ(sql("select reply from analytics.events where kind = 'bounced'"), "nul ? quote \" brace } \\ backslash");
}

TEST_F(LedgerTest, PostgresAwayLosesNothing)
{
    queued(3);
    stores->settle_all(EventKind::delivered);
    server.stop();
    EXPECT_FALSE(stores->run(stores->ledger.step(wall_now())));
    server.start();
    const auto until_done = [&]() -> awaitable<Result<>> {
        for (int i = 0; i < 100; ++i) {
            const Result<Ledger::Step> done = co_await stores->ledger.step(wall_now());
            if (done && done->events == 3) co_return Result<>{};
            co_await sleep_for(std::chrono::milliseconds{50});
        }
        co_return fail(Errc::timeout, "never");
    };
    EXPECT_TRUE(stores->run(until_done()));
    EXPECT_EQ(counts(), "3 0 0 0 0 0");
}

TEST_F(LedgerTest, ManyEventsTakeSeveralSteps)
{
    queued(3000);
    std::size_t settled = 0;
    while (settled < 3000) {
        const auto claimed = stores->must(stores->queue.claim({.max = 20, .per_tenant = 20}));
        stores->settle(claimed, EventKind::delivered);
        settled += claimed.size();
    }
    std::size_t steps = 0;
    for (std::size_t seen = 0; seen < 3000; ++steps) seen += step();
    EXPECT_EQ(steps, 3U); // 150 stream entries
    EXPECT_EQ(counts(), "3000 0 0 0 0 0");
    EXPECT_EQ(sql("select count(distinct position) || ' ' || max(position) from analytics.events"), "3000 3000");
}

TEST_F(LedgerTest, RunsUntilItIsStopped)
{
    using namespace asio::experimental::awaitable_operators;
    queued(5);
    stores->settle_all(EventKind::delivered);
    const auto count = [](db::Transaction& tx) { return tx.query("select count(*) as n from analytics.events"); };
    const auto scene = [&]() -> awaitable<bool> {
        bool seen = false;
        for (int i = 0; i < 200 && !seen; ++i) {
            co_await sleep_for(std::chrono::milliseconds{20});
            const Result<db::Rows> rows = co_await db::as_platform(stores->worker.analytics, count);
            seen = rows && rows->front().get<int>("n") == 5;
        }
        stores->ledger.stop();
        co_return seen;
    };
    const auto all = [&]() -> awaitable<bool> {
        const bool seen = co_await (scene() && stores->ledger.run());
        co_return seen;
    };
    EXPECT_TRUE(stores->run(all()));
}

TEST_F(LedgerTest, AQuotaStartsFromWhatTheLedgerHasCounted)
{
    queued(10);
    const auto claimed = stores->must(stores->queue.claim({.max = 4, .per_tenant = 4}));
    stores->settle({claimed.begin(), claimed.begin() + 2}, EventKind::delivered);
    stores->settle({claimed[2]}, EventKind::bounced);
    EXPECT_EQ(step(), 3U);
    EXPECT_EQ(sql("select sent from analytics.tenant_months"), "3");
    stores->must(stores->queue.set_limits({{kTenantA, {.rate = {}, .monthly_quota = 6}}}));
    EXPECT_TRUE(stores->must(stores->queue.claim({})).empty()) << "nobody knows yet what it has sent";
    const auto used = [&] { return stores->must(stores->queue.standing(kTenantA)).used; };
    for (int looks = 0; looks < 100 && !used(); ++looks) {
        step();
        std::this_thread::sleep_for(kCountEvery / 4);
    }
    EXPECT_EQ(used(), 4) << "three that ended, one in the hand";
    EXPECT_EQ(stores->must(stores->queue.claim({})).size(), 2U);
}

TEST_F(LedgerTest, AMonthIsCountedAnewAfterRedisLostEverything)
{
    queued(10);
    stores->must(stores->queue.set_limits({{kTenantA, {.rate = {}, .monthly_quota = 10}}}));
    const auto claim = [&] { return stores->must(stores->queue.claim({.max = 3, .per_tenant = 3})); };
    std::vector<queue::Claimed> got;
    for (int looks = 0; looks < 100 && got.empty(); ++looks) {
        got = claim();
        step();
        std::this_thread::sleep_for(kCountEvery / 4);
    }
    ASSERT_EQ(got.size(), 3U);
    stores->settle(got, EventKind::delivered);
    step();
    redis_server().cli("FLUSHALL");
    stores->must(stores->queue.start(false));
    stores->must(stores->queue.set_limits({{kTenantA, {.rate = {}, .monthly_quota = 4}}}));
    queue::Entry entry = got.front().entry;
    std::vector<queue::Entry> entries;
    for (std::uint32_t i = 3; i < 8; ++i) {
        entry.id.index = i;
        entries.push_back(entry);
    }
    stores->must(stores->queue.enqueue(entries));
    std::vector<queue::Claimed> more;
    for (int looks = 0; looks < 100 && more.empty(); ++looks) {
        more = stores->must(stores->queue.claim({}));
        step();
        std::this_thread::sleep_for(kCountEvery / 4);
    }
    EXPECT_EQ(more.size(), 1U) << "three of the four are sent";
    EXPECT_TRUE(stores->must(stores->queue.claim({})).empty());
}

TEST_F(LedgerTest, APartitionThatCannotBeMadeHoldsNothingUp)
{
    sql("drop function analytics.add_event_partition(date)");
    queued(2);
    stores->settle_all(EventKind::delivered);
    EXPECT_EQ(step(), 2U);
    EXPECT_EQ(sql("select count(*) from analytics.events_default"), "2");
}

// What `rules coverage` lists.
class UnknownRepliesTest : public LedgerTest {
protected:
    void refuse(std::size_t count, const std::string& reply, const std::string& by = "permanent-reply")
    {
        queued(count);
        stores->settle_all(EventKind::bounced, [&](Event& event) {
            event.code = 550;
            event.phase = "rcpt";
            event.reply = reply;
            event.rule = by;
            event.site = "mx.b.example";
        });
        EXPECT_EQ(step(), count);
    }
    std::string unknown()
    {
        return sql("select string_agg(phase || ' ' || reply || ' ' || count || ' ' || site, ',' order by reply) "
                   "from analytics.unknown_replies");
    }
};

TEST_F(UnknownRepliesTest, AreCountedWithTheirEvents)
{
    refuse(2, "5.7.1 <ann@b.example> no");
    refuse(1, "5.7.1 <bob@b.example> No");
    refuse(1, "5.7.1 known", "acme-7");
    EXPECT_EQ(unknown(), "rcpt 550 5.7.1 <{address}> no 3 mx.b.example");
    EXPECT_EQ(sql("select day = (last at time zone 'utc')::date from analytics.unknown_replies"), "t");
}

TEST_F(UnknownRepliesTest, AreNotCountedWhenTheirEventsAreNot)
{
    sql("alter table analytics.events add constraint none check (code <> 550)");
    queued(1);
    stores->settle_all(EventKind::bounced, [](Event& event) {
        event.code = 550;
        event.reply = "no";
        event.rule = "permanent-reply";
    });
    EXPECT_FALSE(stores->run(stores->ledger.step(wall_now())));
    EXPECT_EQ(unknown(), "");
    sql("alter table analytics.events drop constraint none");
    EXPECT_TRUE(stores->run(stores->ledger.step(wall_now())));
    EXPECT_EQ(sql("select count from analytics.unknown_replies"), "1");
}

TEST_F(UnknownRepliesTest, ADayHasSoManyUnknownRepliesAndNoMore)
{
    refuse(1, "first");
    sql(fmt::format("insert into analytics.unknown_replies select day, 'rcpt', 'x' || n, 1, '', now() "
                    "from analytics.unknown_replies, generate_series(2, {}) n",
                    kUnknownADay));
    refuse(1, "one too many");
    refuse(1, "another");
    refuse(1, "first");
    EXPECT_EQ(sql("select string_agg(reply || ' ' || count, ',' order by reply) from analytics.unknown_replies "
                  "where reply !~ '^x'"),
              " 2,550 first 2");
}

TEST_F(UnknownRepliesTest, OldDaysGo)
{
    sql(fmt::format("insert into analytics.unknown_replies values (current_date - {}, 'rcpt', 'old', 1, '', now()), "
                    "(current_date - {}, 'rcpt', 'kept', 1, '', now())",
                    kUnknownDays + 1, kUnknownDays - 2));
    step();
    EXPECT_EQ(sql("select reply from analytics.unknown_replies"), "kept");
}

} // namespace
} // namespace penguin::control::ledger
