// PostgreSQL goes away between the pump and the engine: what many messages share is sent, the rest waits for it.
#include <set>

#include "control/content_store/content_store.h"
#include "tests/engine/delivery/engine_fixture.h"
#include "tests/support/stores.h"

namespace penguin::test {
namespace {

using queue::EventKind;

class PostgresAwayTest : public EngineTest {
protected:
    PostgresAwayTest()
    {
        add_tenant(server, name, tenant_of(1), "sender.test");
        const auto keep = [this](TenantId tenant, ContentId id) { return store.keep(tenant, std::move(id)); };
        pump = std::make_unique<control::submit::OutboxPump>(
            stores.worker, stores.queue, keep, [] {}, control::submit::OutboxPump::Options{}, metrics);
    }
    ~PostgresAwayTest() override
    {
        engine_.reset(); // asks the store to the end
        stores.io.stop();
        if (control_thread.joinable()) control_thread.join();
    }
    // Messages of one content, accepted and queued; nobody has read it.
    void submit(const std::string& subject, std::size_t recipients)
    {
        control::submit::BatchRequest request = batch_to(tenant_of(1), 0);
        auto& content = std::get<TemplateContent>(request.content);
        content.from.address = address("me@sender.test");
        content.subject = subject;
        for (const std::string& to : addresses("one.test.example", recipients))
            request.recipients.push_back({to, "", ""});
        stores.accept(std::move(request)).value();
        ASSERT_EQ(stores.must(pump->turn()), recipients);
    }
    // As the daemon does; from then on the stores are its.
    void run_control()
    {
        stores.io.restart();
        control_thread = std::thread{[this] {
            const auto working = asio::make_work_guard(stores.io);
            stores.io.run();
        }};
    }
    std::size_t delivered() { return count(EventKind::delivered); }

    PostgresServer& server = PostgresServer::instance();
    std::string name = server.migrated_database();
    Stores stores{server, name, redis.url()};
    control::ContentStore store{stores.io.get_executor(), stores.worker.content, &stores.queue, metrics};
    std::unique_ptr<control::submit::OutboxPump> pump;
    std::thread control_thread;
};

TEST_F(PostgresAwayTest, WhatManyMessagesShareIsSentAndTheRestWaitsWithoutAnAttempt)
{
    bench::Sink& one = sink(11);
    submit("for many", control::submit::kShared);
    submit("for one", 1);
    stores.must(
        stores.queue.stop()); // the engine is the only node, so that what it gives back is not put aside for another
    server.stop();
    run_control();
    source_ = &store;
    start_engine([](delivery::EngineOptions& options) { options.store_pause = std::chrono::milliseconds{300}; });
    ASSERT_TRUE(until([&] { return delivered() == control::submit::kShared; })) << told();
    ASSERT_TRUE(until([&] { return producer_.summary().due == 1; })) << "the other one waits in Redis";
    EXPECT_EQ(events().size(), control::submit::kShared) << told();
    server.start();
    ASSERT_TRUE(until([&] { return delivered() == control::submit::kShared + 1; })) << told();
    for (const queue::Event& event : events()) EXPECT_EQ(event.attempt, 1U);
    EXPECT_EQ(one.counts().messages, control::submit::kShared + 1);
}

} // namespace
} // namespace penguin::test
