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
