// Campaigns that are paused, go on, or are cancelled while their mail is on its way.
#include "tests/engine/delivery/engine_fixture.h"

namespace penguin::test {
namespace {

using delivery::CampaignState;
using queue::EventKind;

class EngineCampaignTest : public EngineTest {
protected:
    void enqueue_of_campaign(unsigned batch, const std::vector<std::string>& recipients)
    {
        enqueue(batch, recipients, [this](queue::Entry& entry) { entry.campaign = campaign_.id; });
    }
    void apply(std::optional<CampaignState> state)
    {
        settings_.campaigns.clear();
        if (state) settings_.campaigns.emplace(campaign_, *state);
        ++settings_.version;
        engine_->apply(std::make_shared<const delivery::Settings>(settings_));
    }
    bool says(const std::string& metric) const { return metrics.expose().contains(metric); }

    const CampaignKey campaign_ = campaign_of(1, 1);
};

TEST_F(EngineCampaignTest, APausedOnesMailWaitsAtNoCostAndGoesOn)
{
    bench::Sink& one = sink(11);
    bench::Sink& two = sink(12);
    settings_.campaigns.emplace(campaign_, CampaignState::paused);
    start_engine();
    enqueue_of_campaign(1, addresses("one.test.example", 150));
    enqueue(2, addresses("two.test.example", 50));
    ASSERT_TRUE(until([&] { return producer_.summary().paused == 150 && count(EventKind::delivered) == 50; }));
    enqueue(3, addresses("two.test.example", 50));
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 100; })) << told();
    EXPECT_EQ(one.counts().connections, 0U);
    EXPECT_EQ(two.counts().messages, 100U);
    EXPECT_TRUE(says("penguin_queue_paused_total 150")) << "each is put aside once";
    apply(std::nullopt);
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 250; })) << told();
    EXPECT_EQ(one.counts().messages, 150U);
    EXPECT_EQ(producer_.summary().paused, 0U);
}

// Another tenant's campaign has the same id.
TEST_F(EngineCampaignTest, OnlyItsOwnTenantsMailWaits)
{
    sink(11);
    settings_.campaigns.emplace(CampaignKey{tenant_of(2), campaign_.id}, CampaignState::cancelled);
    start_engine();
    enqueue_of_campaign(1, addresses("one.test.example", 5));
    EXPECT_TRUE(until([&] { return count(EventKind::delivered) == 5; })) << told();
}

TEST_F(EngineCampaignTest, ACancelledOnesMailEndsUntried)
{
    bench::Sink& one = sink(11);
    settings_.campaigns.emplace(campaign_, CampaignState::cancelled);
    start_engine();
    enqueue_of_campaign(1, addresses("one.test.example", 150));
    ASSERT_TRUE(until([&] { return count(EventKind::cancelled) == 150; })) << told();
    EXPECT_EQ(one.counts().connections, 0U);
    const queue::Event event = only(EventKind::cancelled);
    EXPECT_EQ(event.campaign, campaign_.id);
    EXPECT_EQ(event.attempt, 0U);
    engine_->stop(std::chrono::seconds{5});
    const queue::Summary left = producer_.summary();
    EXPECT_EQ(left.ready + left.parked + left.paused + left.due + left.in_hands, 0U);
}

// A node may have died between the change and the move.
TEST_F(EngineCampaignTest, WhatSomebodyLeftAsideGoesOnWithTheNextNode)
{
    sink(11);
    settings_.campaigns.emplace(campaign_, CampaignState::paused);
    start_engine();
    enqueue_of_campaign(1, addresses("one.test.example", 5));
    ASSERT_TRUE(until([&] { return producer_.summary().paused == 5; }));
    engine_->stop(std::chrono::seconds{5});
    settings_.campaigns.clear();
    start_engine();
    EXPECT_TRUE(until([&] { return count(EventKind::delivered) == 5; })) << told();
}

TEST_F(EngineCampaignTest, WhatWaitsWithAPausedOneEndsWhenItIsCancelled)
{
    sink(11);
    settings_.campaigns.emplace(campaign_, CampaignState::paused);
    start_engine();
    enqueue_of_campaign(1, addresses("one.test.example", 20));
    ASSERT_TRUE(until([&] { return producer_.summary().paused == 20; }));
    apply(CampaignState::cancelled);
    EXPECT_TRUE(until([&] { return count(EventKind::cancelled) == 20; })) << told();
}

// One connection, whose first transaction lasts while the campaign is stopped: what waits behind it in the lane is not sent.
class EngineCampaignLaneTest : public EngineCampaignTest {
protected:
    static constexpr std::size_t kMessages = 30;
    void stop_in_the_first_transaction(CampaignState state)
    {
        sink_ = &sink(11, {"phase=body delay-ms=1500 code=250 text=ok match=r0@one.test.example"});
        settings_.limits = {.connections = 1, .site_connections = 1};
        start_engine();
        enqueue_of_campaign(1, addresses("one.test.example", kMessages));
        ASSERT_TRUE(until([&] { return ruled(bench::SinkPhase::body) == 1; }));
        apply(state);
    }
    std::uint64_t ruled(bench::SinkPhase phase) const { return sink_->counts().ruled[static_cast<std::size_t>(phase)]; }
    bench::Sink* sink_ = nullptr;
};

TEST_F(EngineCampaignLaneTest, ACancelReachesIt)
{
    stop_in_the_first_transaction(CampaignState::cancelled);
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) + count(EventKind::cancelled) == kMessages; }))
        << told();
    EXPECT_EQ(sink_->counts().messages, count(EventKind::delivered));
    EXPECT_LT(count(EventKind::delivered), kMessages / 2) << "at most what was in a transaction";
}

TEST_F(EngineCampaignLaneTest, APauseReachesIt)
{
    stop_in_the_first_transaction(CampaignState::paused);
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) + producer_.summary().paused == kMessages; })) << told();
    EXPECT_LT(count(EventKind::delivered), kMessages / 2);
    apply(std::nullopt);
    EXPECT_TRUE(until([&] { return count(EventKind::delivered) == kMessages; })) << told();
    EXPECT_EQ(sink_->counts().messages, kMessages) << "none twice";
}

TEST_F(EngineCampaignLaneTest, WhatIsDeferredMeanwhileIsNotTriedAgain)
{
    sink_ = &sink(11, {"phase=rcpt delay-ms=1500 code=451 text=\"4.2.1 later\""});
    start_engine([](delivery::EngineOptions& options) { options.retry.ladder = {std::chrono::hours{4}}; });
    enqueue_of_campaign(1, addresses("one.test.example", 1));
    ASSERT_TRUE(until([&] { return ruled(bench::SinkPhase::rcpt) == 1; }));
    apply(CampaignState::cancelled);
    EXPECT_TRUE(until([&] { return count(EventKind::cancelled) == 1; })) << told();
    EXPECT_EQ(count(EventKind::deferred), 1U);
}

} // namespace
} // namespace penguin::test
