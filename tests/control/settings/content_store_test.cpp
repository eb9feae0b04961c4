#include "control/content_store/content_store.h"

#include <thread>

#include <gtest/gtest.h>

#include "tests/support/stores.h"

namespace penguin::control {
namespace {

using namespace test;

RedisServer& redis_server()
{
    static RedisServer server;
    return server;
}

class ContentStoreTest : public testing::Test {
protected:
    ContentStoreTest()
    {
        redis_server().cli("FLUSHALL");
        add_tenant(server, name, kTenantA);
        stores = std::make_unique<Stores>(server, name, redis_server().url());
        stores->accept(batch_to(kTenantA, 1)).value();
        id = ContentId{stores->sql("select id from content.contents")};
    }

    PostgresServer& server = PostgresServer::instance();
    std::string name = server.migrated_database();
    std::unique_ptr<Stores> stores;
    ContentId id;
};

TEST_F(ContentStoreTest, GivesWhatWasAccepted)
{
    ContentStore store{stores->io.get_executor(), stores->worker.content, nullptr, stores->metrics};
    const Result<std::string> json = stores->run(store.content(kTenantA, id));
    ASSERT_TRUE(json) << json.error().detail;
    EXPECT_EQ(content_id(*json), id);
    EXPECT_TRUE(parse_content(*json));
    EXPECT_EQ(stores->run(store.content(kTenantB, id)).error().code, Errc::not_found);
    EXPECT_EQ(stores->run(store.content(kTenantA, ContentId{std::string(64, '0')})).error().code, Errc::not_found);
}

TEST_F(ContentStoreTest, TheCacheAnswersWithoutPostgres)
{
    ContentStore store{stores->io.get_executor(), stores->worker.content, &stores->queue, stores->metrics};
    ASSERT_TRUE(stores->run(store.content(kTenantA, id)));
    server.stop();
    const Result<std::string> cached = stores->run(store.content(kTenantA, id));
    const Result<std::string> other = stores->run(store.content(kTenantB, id));
    server.start();
    EXPECT_TRUE(cached) << cached.error().detail;
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code, Errc::unavailable);
}

class KeptContentTest : public ContentStoreTest {
protected:
    void keep() { stores->run(kept(store.keep(kTenantA, id))); }
    static awaitable<bool> kept(awaitable<void> work)
    {
        co_await std::move(work);
        co_return true;
    }
    std::string key() const { return "'pm:{default}:content:" + kTenantA.value().text() + ":" + id.value() + "'"; }
    int stays() const { return std::stoi(redis_server().cli("TTL " + key())); }
    std::size_t told(const std::string& counter) const
    {
        const std::string all = stores->metrics.expose();
        return std::stoul(all.substr(all.find("\n" + counter + " ") + counter.size() + 2));
    }
    ContentStore store{stores->io.get_executor(), stores->worker.content, &stores->queue, stores->metrics};
};

TEST_F(KeptContentTest, StaysForHoursAndAReadMakesItStayAgain)
{
    keep();
    EXPECT_GT(stays(), 11 * 3600);
    redis_server().cli("EXPIRE " + key() + " 3600");
    ASSERT_TRUE(stores->run(store.content(kTenantA, id)));
    EXPECT_GT(stays(), 11 * 3600);
    // What only a read put there does not stay so long, however often it is read.
    redis_server().cli("DEL " + key());
    for (int reads = 0; reads < 3; ++reads) ASSERT_TRUE(stores->run(store.content(kTenantA, id)));
    EXPECT_LE(stays(), kCachedFor.count());
}

TEST_F(KeptContentTest, IsPutOnceAndNotForEachChunk)
{
    keep();
    server.stop();
    keep();
    server.start();
    EXPECT_EQ(told("penguin_content_kept_total"), 1U);
    EXPECT_EQ(told("penguin_content_not_kept_total"), 0U);
}

TEST_F(KeptContentTest, NotWhenItIsTooLargeOrRedisIsUsedUpToTheShare)
{
    stores->sql("update content.contents set body = convert_to(repeat('x', 262145), 'UTF8')");
    keep();
    EXPECT_EQ(redis_server().cli("EXISTS " + key()), "0");
    stores->sql("update content.contents set body = convert_to(repeat('x', 262144), 'UTF8')");
    redis_server().cli("SETRANGE ballast 20000000 x"); // else a client's buffer would be percents
    const std::string used =
        "$(redis-cli -s " + redis_server().socket() + " INFO memory | grep -a ^used_memory: | tr -dc 0-9)";
    redis_server().cli("CONFIG SET maxmemory $(( " + used + " * 100 / 70 ))");
    keep();
    EXPECT_EQ(redis_server().cli("EXISTS " + key()), "0");
    EXPECT_EQ(told("penguin_content_not_kept_total"), 2U);
    redis_server().cli("CONFIG SET maxmemory 1gb");
    keep();
    EXPECT_EQ(redis_server().cli("EXISTS " + key()), "1");
}

TEST_F(KeptContentTest, AStoreThatFailsIsLeftAloneForAWhile)
{
    stores->sql("delete from content.contents");
    keep();
    EXPECT_EQ(told("penguin_content_not_kept_total"), 1U);
    keep();
    EXPECT_EQ(told("penguin_content_not_kept_total"), 1U) << "not tried";
}

TEST_F(KeptContentTest, ThePumpKeepsWhatManyMessagesShareBeforeTheyAreQueued)
{
    std::vector<std::size_t> ready; // when it is asked to
    const auto keep_content = [&](TenantId tenant, ContentId content) -> awaitable<void> {
        const Result<queue::Summary> summary = co_await stores->queue.summary();
        ready.push_back(summary ? summary->ready : 9'999);
        co_await store.keep(tenant, content);
    };
    submit::OutboxPump pump{stores->worker, stores->queue, keep_content, {}, {}, stores->metrics};
    stores->accept(batch_to(kTenantA, submit::kShared - 2)).value(); // with the fixture's: one too few
    EXPECT_EQ(stores->must(pump.turn()), submit::kShared - 1);
    EXPECT_TRUE(ready.empty());
    stores->accept(batch_to(kTenantA, submit::kShared)).value();
    EXPECT_EQ(stores->must(pump.turn()), submit::kShared);
    EXPECT_EQ(ready, std::vector<std::size_t>{submit::kShared - 1}) << "before its own messages";
    EXPECT_EQ(redis_server().cli("EXISTS " + key()), "1");
}

TEST_F(ContentStoreTest, AFailingCacheIsPassedOver)
{
    ContentStore store{stores->io.get_executor(), stores->worker.content, &stores->queue, stores->metrics};
    redis_server().stop();
    const Result<std::string> json = stores->run(store.content(kTenantA, id));
    redis_server().start();
    EXPECT_TRUE(json);
}

TEST_F(ContentStoreTest, DamageIsSeen)
{
    stores->sql("update content.contents set body = '\\x0102'");
    ContentStore store{stores->io.get_executor(), stores->worker.content, nullptr, stores->metrics};
    EXPECT_EQ(stores->run(store.content(kTenantA, id)).error().code, Errc::malformed);
}

TEST_F(ContentStoreTest, AnotherThreadMayAsk)
{
    ContentStore store{stores->io.get_executor(), stores->worker.content, nullptr, stores->metrics};
    auto work = asio::make_work_guard(stores->io);
    stores->io.restart();
    std::thread control{[&] { stores->io.run(); }};
    asio::io_context engine;
    std::thread::id resumed;
    const auto ask = [&]() -> awaitable<Result<std::string>> {
        Result<std::string> json = co_await store.content(kTenantA, id);
        resumed = std::this_thread::get_id();
        co_return json;
    };
    EXPECT_TRUE(tests::run(engine, ask()));
    EXPECT_EQ(resumed, std::this_thread::get_id());
    work.reset();
    stores->io.stop();
    control.join();
}

} // namespace
} // namespace penguin::control
