// Tenants' limits on the whole way: from the settings to Redis, and what is sent.
#include "tests/engine/delivery/engine_fixture.h"

namespace penguin::test {
namespace {

using queue::EventKind;

class EngineLimitsTest : public EngineTest {
protected:
    void set_quota(std::optional<std::int64_t> messages)
    {
        settings_.tenants[tenant_of(1)].limits.monthly_quota = messages;
        ++settings_.version;
        if (engine_) engine_->apply(std::make_shared<const delivery::Settings>(settings_));
    }
    // The ledger of a fleet that has sent `sent`.
    void count_month(std::int64_t sent)
    {
        const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(wall_now())};
        const int month = static_cast<int>(day.year()) * 100 + static_cast<int>(static_cast<unsigned>(day.month()));
        ASSERT_TRUE(until([&] {
            const auto position = producer_.must(producer_.queue().read_events("", 10'000)).position;
            return producer_.must(producer_.queue().count_month(position, month, {{tenant_of(1), sent}})) == 1;
        }));
    }
    bool waits_to_be_counted() { return producer_.summary().tenants_uncounted == 1; }
};

TEST_F(EngineLimitsTest, NoMoreThanTheQuotaIsSentUntilItIsRaised)
{
    bench::Sink& one = sink(11);
    set_quota(30);
    start_engine();
    enqueue(1, addresses("one.test.example", 100));
    ASSERT_TRUE(until([&] { return waits_to_be_counted(); }));
    EXPECT_EQ(one.counts().messages, 0U);
    count_month(10);
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 20; })) << told();
    EXPECT_TRUE(until([&] { return producer_.summary().tenants_held == 1; }));
    EXPECT_EQ(producer_.must(producer_.queue().standing(tenant_of(1))).used, 30);
    set_quota(50);
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 40; })) << told();
    EXPECT_EQ(producer_.summary().ready, 60U);
    set_quota(std::nullopt);
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 100; })) << told();
    EXPECT_EQ(one.counts().messages, 100U);
}

TEST_F(EngineLimitsTest, LimitsAreInARedisThatLostThemBeforeAnythingIsClaimed)
{
    bench::Sink& one = sink(11);
    set_quota(30);
    start_engine();
    ASSERT_TRUE(until([&] { return producer_.must(producer_.queue().limits()).size() == 1; }));
    redis.cli("FLUSHALL");
    ASSERT_TRUE(until([&] { return redis.cli("GET 'pm:{default}:epoch'").ends_with(" ok"); }));
    enqueue(1, addresses("one.test.example", 100));
    ASSERT_TRUE(until([&] { return waits_to_be_counted(); }));
    EXPECT_EQ(one.counts().messages, 0U);
    count_month(25);
    ASSERT_TRUE(until([&] { return producer_.summary().events > 0 && count(EventKind::delivered) == 5; })) << told();
    EXPECT_TRUE(until([&] { return producer_.summary().tenants_held == 1; }));
    EXPECT_EQ(one.counts().messages, 5U);
}

TEST_F(EngineLimitsTest, SettingsFromDiskTakeNoLimitAway)
{
    sink(11);
    producer_.must(producer_.queue().set_limits(
        {{tenant_of(1), {.rate = {}, .monthly_quota = 7}}, {tenant_of(9), {.rate = {}, .monthly_quota = 9}}}));
    settings_.from_disk = true;
    settings_.tenants.emplace(tenant_of(2), delivery::TenantSettings{}).first->second.limits.monthly_quota = 2;
    start_engine();
    ASSERT_TRUE(until([&] { return producer_.must(producer_.queue().limits()).size() == 3; }));
    EXPECT_EQ(producer_.must(producer_.queue().limits()).at(tenant_of(1)).monthly_quota, 7);
    settings_.from_disk = false;
    ++settings_.version;
    engine_->apply(std::make_shared<const delivery::Settings>(settings_));
    ASSERT_TRUE(until([&] { return producer_.must(producer_.queue().limits()).size() == 1; }));
}

} // namespace
} // namespace penguin::test
