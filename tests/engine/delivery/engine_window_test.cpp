// Mail outside its campaign's sending window waits in Redis, and is held by no node.
#include "tests/engine/delivery/engine_fixture.h"

namespace penguin::test {
namespace {

using namespace std::chrono_literals;
using queue::EventKind;

class EngineWindowTest : public EngineTest {
protected:
    // Open for the whole of the day that is so many days from now (UTC).
    policy::SendingWindow window_in(int days, bool of_recipients = false) const
    {
        const std::chrono::weekday day{std::chrono::floor<std::chrono::days>(wall_now()) + std::chrono::days{days}};
        const char* const names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
        return *policy::SendingWindow::parse(std::string{names[day.c_encoding()]} + " 00:00-24:00 UTC" +
                                             (of_recipients ? " recipient" : ""));
    }
    void enqueue_of_campaign(unsigned batch, const std::vector<std::string>& recipients,
                             std::optional<WallTime> expires = {})
    {
        enqueue(batch, recipients, [&](queue::Entry& entry) {
            entry.campaign = campaign_.id;
            entry.expires = expires;
        });
    }
    std::string due_of(unsigned batch)
    {
        return redis.cli("ZSCORE 'pm:{default}:due' " + MessageId{batch_of(batch), 0}.text());
    }

    const CampaignKey campaign_ = campaign_of(1, 1);
};

TEST_F(EngineWindowTest, WaitsInRedisUntilItOpens)
{
    bench::Sink& one = sink(11);
    settings_.windows.emplace(campaign_, window_in(3));
    start_engine();
    enqueue_of_campaign(1, addresses("one.test.example", 120));
    enqueue(2, addresses("one.test.example", 10));
    ASSERT_TRUE(until([&] { return producer_.summary().due == 120 && count(EventKind::delivered) == 10; })) << told();
    EXPECT_EQ(one.counts().messages, 10U) << "only what is of no campaign";
    EXPECT_EQ(producer_.summary().in_hands, 0U);
    const auto opens = std::chrono::floor<std::chrono::days>(wall_now()) + std::chrono::days{3};
    EXPECT_EQ(due_of(1), std::to_string(to_unix_ms(WallTime{opens})));
    EXPECT_TRUE(metrics.expose().contains("penguin_queue_postponed_total 120")) << "each once";
}

TEST_F(EngineWindowTest, GoesAtOnceWhenTheWindowIsTakenAway)
{
    bench::Sink& one = sink(11);
    settings_.windows.emplace(campaign_, window_in(3));
    settings_.windows.emplace(campaign_of(1, 2), window_in(3));
    start_engine();
    enqueue_of_campaign(1, addresses("one.test.example", 40));
    enqueue(2, addresses("one.test.example", 5), [](queue::Entry& entry) { entry.campaign = campaign_of(1, 2).id; });
    ASSERT_TRUE(until([&] { return producer_.summary().due == 45; }));
    settings_.windows.erase(campaign_);
    ++settings_.version;
    engine_->apply(std::make_shared<const delivery::Settings>(settings_));
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 40; })) << told();
    EXPECT_EQ(one.counts().messages, 40U);
    EXPECT_EQ(producer_.summary().due, 5U) << "the other campaign's waits on";
}

TEST_F(EngineWindowTest, GoesWhileItIsOpen)
{
    bench::Sink& one = sink(11);
    settings_.windows.emplace(campaign_,
                              *policy::SendingWindow::parse("mon,tue,wed,thu,fri,sat,sun 00:00-24:00 Asia/Tokyo"));
    start_engine();
    enqueue_of_campaign(1, addresses("one.test.example", 5));
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 5; })) << told();
    EXPECT_EQ(one.counts().messages, 5U);
}

TEST_F(EngineWindowTest, WhatExpiresBeforeItOpensIsDueThen)
{
    sink(11);
    settings_.windows.emplace(campaign_, window_in(3));
    start_engine();
    const WallTime expires = from_unix_ms(to_unix_ms(wall_now() + 2s));
    enqueue_of_campaign(1, addresses("one.test.example", 1), expires);
    ASSERT_TRUE(until([&] { return count(EventKind::expired) == 1; })) << told();
    EXPECT_GE(only(EventKind::expired).at, expires);
}

TEST_F(EngineWindowTest, ARetryWaitsForTheWindow)
{
    sink(11, {"phase=rcpt code=450 text=later"});
    settings_.windows.emplace(campaign_, window_in(0));
    start_engine();
    enqueue_of_campaign(1, addresses("one.test.example", 1));
    ASSERT_TRUE(until([&] { return count(EventKind::deferred) >= 1; })) << told();
    settings_.windows.insert_or_assign(campaign_, window_in(3));
    ++settings_.version;
    engine_->apply(std::make_shared<const delivery::Settings>(settings_));
    const auto opens = std::chrono::floor<std::chrono::days>(wall_now()) + std::chrono::days{3};
    ASSERT_TRUE(until([&] { return due_of(1) == std::to_string(to_unix_ms(WallTime{opens})); })) << due_of(1);
}

} // namespace
} // namespace penguin::test
