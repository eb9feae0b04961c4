// Warm-up in the engine: what a cold source may not carry goes by another one of the pool, or waits in Redis.
#include "tests/engine/delivery/engine_fixture.h"

namespace penguin::test {
namespace {

using queue::EventKind;

class EngineWarmupTest : public EngineTest {
protected:
    // Days are of the real clock: near the end of one, the next is waited for.
    void SetUp() override
    {
        while (today() + std::chrono::days{1} - wall_now() < std::chrono::minutes{1})
            std::this_thread::sleep_for(std::chrono::seconds{1});
        EngineTest::SetUp();
    }
    static policy::Day today() { return std::chrono::floor<std::chrono::days>(wall_now()); }
    // At `share` of the first source, `cap` a day.
    void warm_up(const std::string& share, std::uint64_t cap)
    {
        settings_.warmups[settings_.sources.front().id][share] = {.cap = cap, .start = today(), .hour_times = 24};
    }
    void add_source(const char* address)
    {
        delivery::SourceSettings second = settings_.sources.front();
        second.id = SourceId{Uuid::v7(wall_now())};
        second.address = asio::ip::make_address(address);
        settings_.sources.push_back(second);
    }
    std::map<std::string, std::size_t> delivered_by_source()
    {
        std::map<std::string, std::size_t> counts;
        for (const queue::Event& event : events())
            if (event.kind == EventKind::delivered) ++counts[event.source];
        return counts;
    }
    // Of the first source at "other" today, as Redis has it.
    std::string counted() { return redis.cli("HGET 'pm:{default}:warmup:127.0.0.2:" + day_text(today()) + "' other"); }
};

TEST_F(EngineWarmupTest, WhatMayNotGoTodayWaitsInRedisWithATime)
{
    sink(11);
    warm_up("other", 1);
    start_engine();
    enqueue(1, addresses("one.test.example", 20));
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 1 && producer_.summary().due == 19; })) << told();
    EXPECT_EQ(only(EventKind::delivered).warmup, "other");
    EXPECT_TRUE(until([&] { return counted() == "1"; }));
    EXPECT_EQ(metrics.counter("penguin_warmup_held_total", "", {{"limit", "warmup_day"}}).value(), 19U);
}

TEST_F(EngineWarmupTest, AWarmSourceOfThePoolCarriesTheRest)
{
    sink(11);
    warm_up("other", 1);
    add_source("127.0.0.3");
    start_engine();
    enqueue(1, addresses("one.test.example", 30), [](queue::Entry& entry) {
        entry.mailbox = MailboxId{Uuid::v7(wall_now())}; // so that both sources are somebody's first choice
    });
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 30; })) << told();
    EXPECT_LE(delivered_by_source()["127.0.0.2"], 1U);
    EXPECT_GE(delivered_by_source()["127.0.0.3"], 29U);
}

TEST_F(EngineWarmupTest, AStoppedSourceIsNotEscapedFrom)
{
    sink(11);
    warm_up("other", 1'000);
    settings_.warmups.begin()->second["other"].stopped = today();
    start_engine();
    enqueue(1, addresses("one.test.example", 5));
    ASSERT_TRUE(until([&] { return producer_.summary().due == 5; })) << told();
    EXPECT_EQ(metrics.counter("penguin_warmup_held_total", "", {{"limit", "warmup_stopped"}}).value(), 5U);
}

TEST_F(EngineWarmupTest, ProvidersHaveSharesOfTheirOwn)
{
    sink(11);
    sink(12);
    settings_.rules =
        policy::rules_over_shipped("[[provider]]\nname = 'acme'\nmx = 'mx-one.test.example'\n", "own.toml").value();
    warm_up("acme", 1);
    warm_up("other", 1);
    start_engine();
    enqueue(1, {"a@one.test.example", "b@one.test.example", "a@two.test.example", "b@two.test.example"});
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 2 && producer_.summary().due == 2; })) << told();
}

TEST_F(EngineWarmupTest, ARestartForgetsNothingOfWhatWasSent)
{
    sink(11, {"phase=rcpt code=550 text=\"5.1.1 no\" match=r0@one.test.example"});
    warm_up("other", 1);
    start_engine();
    enqueue(1, {"r0@one.test.example"});
    ASSERT_TRUE(until([&] { return count(EventKind::bounced) == 1; })) << told();
    engine_.reset(); // no grace
    EXPECT_EQ(counted(), "1") << "what was refused counts too";
    start_engine();
    enqueue(2, addresses("one.test.example", 5));
    ASSERT_TRUE(until([&] { return producer_.summary().due == 5; })) << told();
    EXPECT_EQ(metrics.counter("penguin_warmup_held_total", "", {{"limit", "warmup_day"}}).value(), 5U);
    EXPECT_EQ(count(EventKind::delivered), 0U);
}

TEST_F(EngineWarmupTest, WhatTheProviderNeverHeardOfDoesNotCount)
{
    warm_up("other", 1);
    sink(11);
    start_engine();
    enqueue(1, {"r@gone.test.example"}); // nobody listens there
    ASSERT_TRUE(until([&] { return count(EventKind::deferred) >= 1; })) << told();
    EXPECT_EQ(only(EventKind::deferred).warmup, "");
    EXPECT_EQ(counted(), "");
}

} // namespace
} // namespace penguin::test
