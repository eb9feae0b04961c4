#include "control/submit/campaign_sweep.h"

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

const CampaignKey kCampaign{kTenantA, CampaignId{Uuid::parse("00000000-0000-7000-8000-0000000000cc").value()}};

class CampaignSweepTest : public testing::Test {
protected:
    CampaignSweepTest()
    {
        redis_server().cli("FLUSHALL");
        add_tenant(server, name, kTenantA);
        stores = std::make_unique<Stores>(server, name, redis_server().url());
        sweeper = std::make_unique<CampaignSweep>(
            stores->worker,
            [this](const PoolName& pool) -> queue::SendQueue& {
                asked.insert(pool);
                return stores->queue;
            },
            stores->metrics);
    }
    std::string sql(const std::string& statements) { return server.sql(name, statements); }
    void accept(std::size_t count, std::optional<CampaignId> campaign = kCampaign.id)
    {
        BatchRequest request = batch_to(kTenantA, count);
        request.campaign = campaign;
        const auto accepted = stores->accept(std::move(request));
        ASSERT_TRUE(accepted) << accepted.error().detail;
    }
    // As the API writes it; the change was so many seconds ago.
    void cancel_campaign(int seconds_ago = 0)
    {
        sql(fmt::format("insert into control.campaigns values ('{}', '{}', 'cancelled', now() - interval '{} s', now())"
                        " on conflict (tenant_id, id) do update set changed = excluded.changed, sweep_after = now()",
                        kTenantA.value().text(), kCampaign.id.value().text(), seconds_ago));
    }
    std::string sweep_after() { return sql("select sweep_after > now() from control.campaigns"); }
    bool look() { return stores->must(sweeper->look()); }
    void pump_all()
    {
        while (stores->must(stores->pump.turn()) > 0) {
        }
    }
    std::string counts()
    {
        while (stores->must(stores->ledger.step(wall_now())).events > 0) {
        }
        return sql(
            "select coalesce(sum(delivered), 0) || ' ' || coalesce(sum(cancelled), 0) from analytics.batch_counts");
    }

    PostgresServer& server = PostgresServer::instance();
    std::string name = server.migrated_database();
    std::unique_ptr<Stores> stores;
    std::unique_ptr<CampaignSweep> sweeper;
    std::set<PoolName> asked;
};

TEST_F(CampaignSweepTest, WhatIsQueuedAndWhatIsNotYetEndsAndTheCountsClose)
{
    for (int i = 0; i < 30; ++i) accept(3); // 90
    accept(1200);
    accept(10, std::nullopt);
    EXPECT_EQ(stores->must(stores->pump.turn()), 590U); // small ones, 500 of the large one
    const auto held = stores->must(stores->queue.claim({.max = 5, .per_tenant = 5}));
    ASSERT_EQ(held.size(), 5U);
    EXPECT_FALSE(look()) << "nothing is cancelled";
    cancel_campaign();
    EXPECT_TRUE(look());
    EXPECT_EQ(sql("select count(*) from queue.batches where state = 'cancelling'"), "1");
    EXPECT_EQ(stores->must(stores->queue.summary()).ready, 0U);
    pump_all();
    stores->settle(held, EventKind::delivered); // was on its way
    EXPECT_EQ(counts(), "5 1285");
    EXPECT_EQ(stores->settle_all(EventKind::delivered).size(), 10U) << "what belongs to no campaign goes on";
    EXPECT_EQ(counts(), "15 1285");
}

TEST_F(CampaignSweepTest, ASecondSweepIsTheLast)
{
    accept(3);
    cancel_campaign();
    EXPECT_TRUE(look());
    EXPECT_EQ(sweep_after(), "t");
    EXPECT_FALSE(look()) << "not before its time";
    cancel_campaign(31);
    EXPECT_TRUE(look());
    EXPECT_EQ(sweep_after(), "");
    EXPECT_FALSE(look());
}

TEST_F(CampaignSweepTest, WhatANodeWithOlderSettingsPutBackEndsWithTheSecond)
{
    accept(3);
    pump_all();
    const auto held = stores->must(stores->queue.claim({.max = 5}));
    cancel_campaign();
    EXPECT_TRUE(look());
    stores->settle({held[0]}, EventKind::deferred, [](queue::Event& event) { event.next = wall_now(); });
    stores->must(stores->queue.release(std::vector{held[1].token}, std::nullopt));
    const std::vector<queue::Parking> aside{{held[2].token, queue::place_of(kCampaign)}};
    stores->must(stores->queue.park(aside));
    cancel_campaign(31);
    EXPECT_TRUE(look());
    EXPECT_EQ(counts(), "0 3");
}

TEST_F(CampaignSweepTest, EveryPoolThatHasItIsSwept)
{
    accept(1);
    sql("update queue.batches set pool = 'other'");
    cancel_campaign();
    EXPECT_TRUE(look());
    EXPECT_EQ(asked, (std::set{PoolName{"default"}, PoolName{"other"}}));
}

TEST_F(CampaignSweepTest, IsRepeatedWhenRedisWasAway)
{
    accept(3);
    pump_all();
    cancel_campaign();
    redis_server().stop();
    EXPECT_FALSE(stores->run(sweeper->look()));
    redis_server().start();
    stores->must(stores->redis.connected_within(std::chrono::seconds{5}));
    EXPECT_EQ(sweep_after(), "t") << "a minute later at the latest";
    sql("update control.campaigns set sweep_after = now()");
    EXPECT_TRUE(look());
    EXPECT_EQ(counts(), "0 3");
}

TEST_F(CampaignSweepTest, ACancelledCampaignTakesNoBatch)
{
    accept(1);
    cancel_campaign();
    BatchRequest request = batch_to(kTenantA, 1);
    request.campaign = kCampaign.id;
    const auto refused = stores->accept(request);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, BatchRefused::Kind::bad_request);
    EXPECT_EQ(refused.error().field, "campaign_id");
    sql("update control.campaigns set state = 'paused'");
    EXPECT_TRUE(stores->accept(request)) << "it waits";
    request.campaign.reset();
    EXPECT_TRUE(stores->accept(request));
}

} // namespace
} // namespace penguin::control::submit
