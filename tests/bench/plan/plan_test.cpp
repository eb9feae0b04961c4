#include "bench/plan/plan.h"

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

namespace penguin::bench::plan {
namespace {

Demand monthly(double messages)
{
    Demand demand;
    demand.messages_a_month = messages;
    return demand;
}

Plan planned(const Demand& demand)
{
    const Result<Plan> plan = plan_for(demand, {}, {});
    EXPECT_TRUE(plan) << plan.error().detail;
    return plan.value();
}

std::string refusal(const Demand& demand, const std::vector<Setback>& setbacks = {})
{
    const Result<Plan> plan = plan_for(demand, {}, setbacks);
    return plan ? "" : plan.error().detail;
}

// Not one figure may fall when the demand grows, whatever the warm-up plan.
void expect_no_less(const Plan& more, const Plan& less)
{
    EXPECT_GE(more.nodes.needed, less.nodes.needed);
    EXPECT_GE(more.addresses.needed, less.addresses.needed);
    EXPECT_GE(more.mailboxes.needed, less.mailboxes.needed);
    EXPECT_GE(more.redis.maxmemory, less.redis.maxmemory);
    EXPECT_GE(more.redis.pools, less.redis.pools);
    EXPECT_GE(more.postgres.octets_a_second, less.postgres.octets_a_second);
    EXPECT_GE(more.postgres.storage_a_month, less.postgres.storage_a_month);
    EXPECT_GE(more.network.peak_mbit, less.network.peak_mbit);
}

TEST(PlanProperties, MoreMailNeverNeedsLess)
{
    for (const char* warmup : {"cold", "cautious", "bulk"}) {
        Demand demand = monthly(1'000);
        demand.warmup = warmup;
        Plan less = planned(demand);
        for (int step = 0; step < 60; ++step) {
            demand.messages_a_month *= 1.3;
            const Plan more = planned(demand);
            expect_no_less(more, less);
            less = more;
        }
    }
}

TEST(PlanProperties, HigherPeaksLargerMailAndMoreRetriesNeverNeedLess)
{
    Demand demand = monthly(50e6);
    demand.warmup = "bulk";
    const Plan plain = planned(demand);
    for (const auto& grow : {+[](Demand& d) { d.peak_factor *= 4; }, +[](Demand& d) { d.size *= 10; },
                             +[](Demand& d) { d.retry_share = 0.5; }, +[](Demand& d) { d.dkim = Dkim::both; },
                             +[](Demand& d) { d.backlog_hours *= 3; }, +[](Demand& d) { d.tenants = 10'000; }}) {
        Demand grown = demand;
        grow(grown);
        expect_no_less(planned(grown), plain);
    }
}

TEST(PlanProperties, LargerMachinesNeverNeedMoreNodes)
{
    double nodes = 1e9;
    for (const char* machine : {"small", "medium", "large", "huge"}) {
        Demand demand = monthly(400e6);
        demand.warmup = "bulk";
        demand.machine = machine_named(machine).value();
        const double needed = planned(demand).nodes.needed;
        EXPECT_LE(needed, nodes) << machine;
        nodes = needed;
    }
}

TEST(PlanProperties, AsManyAddressesAsItSaysReachTheFullRate)
{
    for (const char* warmup : {"cold", "cautious", "bulk"})
        for (const double messages : {3'000.0, 2e6, 100e6}) {
            Demand demand = monthly(messages);
            demand.warmup = warmup;
            const Plan plan = planned(demand);
            EXPECT_GT(plan.forecast.full_rate_on, 0) << warmup << " " << messages;
            EXPECT_NEAR(plan.forecast.days.back().sent, plan.volume.day, plan.volume.day * 1e-6);
        }
}

TEST(Plan, AHundredMillionBulkMails)
{
    Demand demand = monthly(100e6);
    demand.warmup = "bulk";
    const Plan plan = planned(demand);
    EXPECT_EQ(plan.addresses.needed, 67); // 3.33 million a day, 50,000 each
    EXPECT_EQ(plan.cold, 67);
    EXPECT_EQ(plan.nodes.carrying, 2); // 67 addresses, 64 a node
    EXPECT_EQ(plan.nodes.limit.limit, "addresses");
    EXPECT_EQ(plan.forecast.full_rate_on, 9); // the stages of the plan
}

TEST(Plan, EachNodeHasAnAddressOfItsOwn)
{
    Demand demand = monthly(1'000);
    demand.spare_nodes = 4;
    const Plan plan = planned(demand);
    EXPECT_EQ(plan.nodes.needed, 5);
    EXPECT_EQ(plan.addresses.needed, 5);
    EXPECT_EQ(plan.addresses.limit.limit, "nodes");
}

TEST(Plan, WarmAddressesLeaveFewerToWarmUp)
{
    Demand demand = monthly(100e6);
    demand.warmup = "bulk";
    demand.warm_addresses = 60;
    EXPECT_EQ(planned(demand).cold, 7);
    demand.warm_addresses = 100;
    EXPECT_EQ(planned(demand).cold, 0);
    EXPECT_EQ(planned(demand).forecast.full_rate_on, 1);
}

TEST(Plan, RefusalsNameTheOptionAndTheRule)
{
    Demand demand = monthly(0);
    EXPECT_TRUE(refusal(demand).starts_with("--messages-a-month: must be 1 to "));
    demand = monthly(1e6);
    demand.peak_factor = 1;
    demand.peak_day_factor = 2;
    EXPECT_TRUE(refusal(demand).starts_with("--peak-factor: must not be below --peak-day-factor"));
    demand = monthly(1e6);
    demand.shares = {{"google", 0.7}, {"yahoo", 0.7}};
    EXPECT_EQ(refusal(demand), "--share: the shares must add up to 1 at most, not 1.4");
    demand.shares = {{"gogle", 0.7}};
    EXPECT_TRUE(refusal(demand).starts_with("--share: 'gogle' is none of google, outlook"));
    demand.shares = {{"google", 0.1}, {"google", 0.1}};
    EXPECT_EQ(refusal(demand), "--share: google is there twice");
    demand.shares = {};
    demand.warmup = "hot";
    EXPECT_EQ(refusal(demand), "--warmup: 'hot' is none of cold, cautious, bulk");
    demand.warmup = "cold";
    demand.machine.cores = 0;
    EXPECT_TRUE(refusal(demand).starts_with("--cores: must be 1 to "));
    EXPECT_EQ(refusal(monthly(1e6), {{"gmx", 3, Signal::bad}}), "--setback: no mail goes to 'gmx'");
    EXPECT_TRUE(refusal(monthly(1e6), {{"google", 0, Signal::bad}}).starts_with("--setback: the day must be 1 to"));
}

TEST(PlanShares, WhatIsMissingGoesToOthers)
{
    Demand demand = monthly(1e6);
    demand.shares = {{"google", 0.25}};
    const std::vector<Share> shares = shares_of(demand).value();
    ASSERT_EQ(shares.size(), 2U);
    EXPECT_EQ(shares[1].provider, "other");
    EXPECT_DOUBLE_EQ(shares[1].part, 0.75);
    demand.shares = {{"google", 1}};
    EXPECT_EQ(shares_of(demand).value().size(), 1U);
    demand.shares = {{"other", 0.5}};
    EXPECT_DOUBLE_EQ(shares_of(demand).value().front().part, 1);
}

TEST(PlanOutput, SaysWhatBindsAndWhereTheFiguresComeFrom)
{
    Demand demand = monthly(100e6);
    demand.warmup = "bulk";
    const Plan plan = planned(demand);
    const std::string text = text_of(plan);
    EXPECT_TRUE(text.contains("<- binds"));
    EXPECT_TRUE(text.contains("Figures: defaults"));
    EXPECT_TRUE(text.contains("100,000,000 messages a month"));
    const boost::json::object results = results_of(plan);
    EXPECT_EQ(results.at("nodes").at("limit").as_string(), "addresses");
    EXPECT_EQ(results.at("days_until_full_rate").as_int64(), 9);
    EXPECT_EQ(results.at("forecast").as_array().size(), 9U);
    EXPECT_EQ(results.at("figures_from").at("sending").as_string(), "default");
}

} // namespace
} // namespace penguin::bench::plan
