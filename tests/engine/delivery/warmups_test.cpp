#include "engine/delivery/warmups.h"

#include <gtest/gtest.h>

namespace penguin::delivery {
namespace {

using namespace std::chrono_literals;

constexpr policy::Day kDay{std::chrono::sys_days{std::chrono::year{2026} / 3 / 10}};
const PoolName kPool{"default"};

SourceId source_id(std::uint8_t n)
{
    std::array<std::uint8_t, 16> id{};
    id[15] = n;
    return SourceId{Uuid::from_bytes(id)};
}

Settings settings_of(const WarmupShares& shares)
{
    Settings settings;
    for (std::uint8_t n = 1; n <= 2; ++n)
        settings.sources.push_back({source_id(n), boost::asio::ip::make_address("192.0.2." + std::to_string(n)),
                                    *DomainName::parse("out.example"), kPool});
    settings.warmups.emplace(source_id(1), shares);
    return settings;
}

policy::WarmupRule share(std::uint64_t cap) { return {.cap = cap, .start = kDay, .hour_times = 24}; }

Warmups warmups_of(const Settings& settings)
{
    Warmups warmups;
    warmups.apply(settings, kPool);
    for (const SourceId& source : warmups.unasked()) warmups.asked(source);
    return warmups;
}

TEST(Warmups, HoldOnlySourcesOfThePoolThatHaveAPlan)
{
    const Settings settings = settings_of({{"other", share(1)}});
    Warmups warmups = warmups_of(settings);
    EXPECT_FALSE(warmups.empty());
    EXPECT_FALSE(warmups.hold(source_id(1), "gmail", kDay + 1h));
    EXPECT_EQ(warmups.take(source_id(1), "gmail", kDay + 1h), "other");
    EXPECT_EQ(warmups.hold(source_id(1), "yahoo", kDay + 1h)->bound, policy::WarmupBound::day) << "one share for both";
    EXPECT_FALSE(warmups.hold(source_id(2), "gmail", kDay + 1h));
    EXPECT_EQ(warmups.take(source_id(2), "gmail", kDay + 1h), "");
    warmups.apply(settings, PoolName{"another"});
    EXPECT_TRUE(warmups.empty());
}

TEST(Warmups, AProviderOfTheRuleBookHasItsOwnShare)
{
    Warmups warmups = warmups_of(settings_of({{"gmail", share(1)}, {"other", share(5)}}));
    EXPECT_EQ(warmups.take(source_id(1), "gmail", kDay + 1h), "gmail");
    EXPECT_TRUE(warmups.hold(source_id(1), "gmail", kDay + 23h));
    EXPECT_FALSE(warmups.hold(source_id(1), "", kDay + 23h));
    EXPECT_GT(warmups.next_in_line(source_id(1), "gmail", kDay + 23h), kDay + 23h);
    warmups.done(source_id(1), "gmail", false, kDay + 23h);
    EXPECT_EQ(warmups.levels(kDay + 23h).front().used, 0U);
}

TEST(Warmups, NothingGoesUntilRedisHasSaidWhatWasSent)
{
    Warmups warmups;
    warmups.apply(settings_of({{"other", share(10)}}), kPool);
    ASSERT_EQ(warmups.unasked(), std::vector{source_id(1)});
    EXPECT_EQ(warmups.address_of(source_id(1)), "192.0.2.1");
    EXPECT_EQ(warmups.hold(source_id(1), "gmail", kDay + 1h)->until, kDay + 1h + 1s);
    EXPECT_GT(warmups.next_in_line(source_id(1), "gmail", kDay + 1h), kDay + 1h);
    warmups.counted(source_id(1), kDay, {{"other", 10}, {"old-share", 3}}, kDay + 1h);
    EXPECT_FALSE(warmups.unasked().empty()) << "the ledger is not Redis";
    warmups.asked(source_id(1));
    EXPECT_TRUE(warmups.unasked().empty());
    EXPECT_EQ(warmups.hold(source_id(1), "gmail", kDay + 1h)->bound, policy::WarmupBound::day);
}

TEST(Warmups, NewSettingsKeepWhatIsKnownAndTheHigherCountIsRight)
{
    Warmups warmups = warmups_of(settings_of({{"other", share(10)}}));
    for (int i = 0; i < 4; ++i) warmups.take(source_id(1), "", kDay + 1h);
    warmups.apply(settings_of({{"other", share(20)}}), kPool);
    EXPECT_TRUE(warmups.unasked().empty());
    EXPECT_EQ(warmups.levels(kDay + 1h).front().used, 4U);
    EXPECT_EQ(warmups.levels(kDay + 1h).front().cap, 20U);
    warmups.counted(source_id(1), kDay, {{"other", 17}}, kDay + 1h); // by the ledger
    EXPECT_EQ(warmups.levels(kDay + 1h).front().used, 21U) << "with those under way";
}

} // namespace
} // namespace penguin::delivery
