#include "bench/plan/capacity.h"

#include <gtest/gtest.h>

#include "bench/plan/stores.h"

namespace penguin::bench::plan {
namespace {

// 86.4 million messages in 10 days of 24 h: 100 a second on average, 300 in the busiest hour.
Demand even()
{
    Demand demand;
    demand.messages_a_month = 86.4e6;
    demand.days_a_month = 10;
    demand.peak_factor = 3;
    demand.retry_share = 0.2; // 1.25 attempts a message
    demand.size = 10'240;
    demand.dkim = Dkim::rsa2048;
    demand.machine.cores = 2;
    return demand;
}

Figures round_figures()
{
    Figures figures;
    figures.sending = {.daemon = 100, .redis = 20, .postgres = 12, .dns = 4};
    figures.accepting = {.daemon = 10, .redis = 1, .postgres = 4, .dns = 0};
    figures.size = 10'240;
    figures.us_a_kib = 2;
    figures.rsa2048_us = 296;
    figures.ed25519_us = 40;
    return figures;
}

double value_of(const std::vector<Need>& needs, std::string_view limit)
{
    for (const Need& need : needs)
        if (need.limit == limit) return need.value;
    ADD_FAILURE() << "no limit " << limit;
    return 0;
}

TEST(PlanVolume, SpreadsAMonthOverDaysHoursAndPeaks)
{
    Demand demand = even();
    demand.peak_day_factor = 1.5;
    demand.hours_a_day = 12;
    const Volume volume = volume_of(demand);
    EXPECT_DOUBLE_EQ(volume.day, 8.64e6 * 1.5);
    EXPECT_DOUBLE_EQ(volume.average_rate, 200);
    EXPECT_DOUBLE_EQ(volume.peak_rate, 600);
    EXPECT_DOUBLE_EQ(volume.attempts, 1.25);
}

TEST(PlanWhole, RoundsUpButNotARoundingError)
{
    EXPECT_EQ(whole(2.001), 3);
    EXPECT_EQ(whole(2), 2);
    EXPECT_EQ(whole(0.1 * 3 / 0.1), 3); // a rounding error above 3
    EXPECT_EQ(whole(0), 0);
}

TEST(PlanNodes, OneNodeCarriesTheStoresWhenItCan)
{
    // (100 + 296 + 4) x 1.25 + 10 = 510; the stores (20 + 12) x 1.25 + 5 = 45; 300/s x 555 us = 0.167 of 1.6 cores.
    const Nodes nodes = nodes_for(even(), round_figures(), {}, {});
    EXPECT_TRUE(nodes.stores_on_node);
    EXPECT_DOUBLE_EQ(nodes.cpu_us, 555);
    EXPECT_EQ(nodes.carrying, 1);
    EXPECT_EQ(nodes.needed, 2); // and a spare one
}

TEST(PlanNodes, StoresLeaveTheNodeWhenCpuOrMemoryIsShort)
{
    Demand demand = even();
    demand.messages_a_month *= 20; // 6,000/s x 555 us = 3.33 cores; x 510 us = 3.06 of 1.6 a node
    Nodes nodes = nodes_for(demand, round_figures(), {}, {});
    EXPECT_FALSE(nodes.stores_on_node);
    EXPECT_DOUBLE_EQ(nodes.cpu_us, 510);
    EXPECT_EQ(value_of(nodes.needs, "cpu"), 2);

    nodes = nodes_for(even(), round_figures(), {}, {.store_mb = 8'000});
    EXPECT_FALSE(nodes.stores_on_node);
}

TEST(PlanNodes, TheSmallestLimitBinds)
{
    Demand demand = even();
    demand.machine.addresses_max = 10;
    const Nodes nodes = nodes_for(demand, round_figures(), {}, {.addresses = 41});
    EXPECT_EQ(nodes.limit.limit, "addresses");
    EXPECT_EQ(nodes.carrying, 5);
}

TEST(PlanNodes, ASitesConnectionsAreLimitedOnANode)
{
    // 375 attempts/s; a connection to google carries 1 / (0.5 + 1.5 / 50) = 1.887 a second, 50 of them 94.34.
    const Nodes nodes = nodes_for(even(), round_figures(), {{"google", 1}}, {});
    EXPECT_EQ(value_of(nodes.needs, "site_connections"), 4);
    EXPECT_EQ(value_of(nodes_for(even(), round_figures(), {{"m365", 1}}, {}).needs, "site_connections"), 1);
}

TEST(PlanNodes, AcceptingBindsWhenItWasMeasured)
{
    Figures figures = round_figures();
    figures.accepted_a_core = 50; // 50 x 2 x 0.8 = 80 a node
    const Nodes nodes = nodes_for(even(), figures, {}, {});
    EXPECT_EQ(nodes.limit.limit, "accepting");
    EXPECT_EQ(nodes.carrying, 4);
}

TEST(PlanNodes, SizeAndSignaturesCost)
{
    Demand demand = even();
    demand.dkim = Dkim::none;
    demand.size = 20'480; // 10 KiB more: 20 us
    EXPECT_DOUBLE_EQ(nodes_for(demand, round_figures(), {}, {}).cpu_us, (100 + 20 + 4) * 1.25 + 10 + 45);
    demand.dkim = Dkim::both;
    EXPECT_DOUBLE_EQ(nodes_for(demand, round_figures(), {}, {}).cpu_us, (100 + 20 + 336 + 4) * 1.25 + 10 + 45);
}

TEST(PlanAddresses, TheDayCapOrAProvidersConnectionsBind)
{
    const WarmupPlan cold = warmup_named("cold").value();
    Addresses addresses = addresses_for(even(), {{"google", 1}}, cold);
    EXPECT_EQ(addresses.needed, 8'640); // 8.64 million a day, 1,000 each
    EXPECT_EQ(addresses.limit.limit, "day_cap");

    Demand demand = even();
    demand.peak_factor = 12; // 1,500 attempts/s; an address has 2 connections of 1 / (0.5 + 1.5 / 100) = 1.942 a second
    const WarmupPlan bulk = warmup_named("bulk").value();
    addresses = addresses_for(demand, {{"orange", 1}}, bulk);
    EXPECT_EQ(addresses.needed, 387);
    EXPECT_EQ(addresses.limit.limit, "connections_orange");
    EXPECT_EQ(value_of(addresses.needs, "day_cap"), 173); // 8.64 million, 50,000 each
}

TEST(PlanNetwork, CountsEveryOctetOfEveryAttempt)
{
    // (10,240 + 700 + 1,000 + 6,000 / 50) x 1.05 x 1.25 = 15,828.75 octets.
    const Network network = network_for(even(), {{"google", 1}});
    EXPECT_DOUBLE_EQ(network.octets_a_message, 15'828.75);
    EXPECT_DOUBLE_EQ(network.peak_mbit, 15'828.75 * 300 * 8 / 1e6);
    EXPECT_DOUBLE_EQ(network.octets_a_month, 15'828.75 * 86.4e6);
}

TEST(PlanStores, BacklogIsBoundByWhatADayBrings)
{
    Demand demand = even();
    demand.backlog_hours = 2;
    EXPECT_DOUBLE_EQ(backlog_of(demand), 2 * 3600 * 300);
    demand.backlog_hours = 12; // at the peak rate 12.96 million, but the busiest day brings 8.64
    EXPECT_DOUBLE_EQ(backlog_of(demand), 8.64e6);
    demand.backlog_hours = 25;
    EXPECT_DOUBLE_EQ(backlog_of(demand), 8.64e6 + 3600 * 300);
    demand.backlog_hours = 0;
    EXPECT_EQ(backlog_of(demand), 0);
}

TEST(PlanStores, RedisHoldsEntriesContentsAndTenants)
{
    Demand demand = even();
    demand.backlog_hours = 1; // 1.08 million
    demand.tenants = 100;
    const RedisPlan redis = redis_for(demand, round_figures());
    EXPECT_DOUBLE_EQ(redis.octets, 1.08e6 * 400 + 1'080 * 10'240 + 100 * 300);
    EXPECT_DOUBLE_EQ(redis.maxmemory, redis.octets / 0.8);
    EXPECT_EQ(redis.pools, 1);
    demand.messages_a_month *= 200; // 60,000/s; 20 x 1.25 + 1 = 26 us of Redis: 30,769 a core at 80 %
    EXPECT_EQ(redis_for(demand, round_figures()).pools, 2);
}

TEST(PlanStores, PostgresWritesEventsRecipientsAndContents)
{
    Figures figures = round_figures();
    figures.event_wal = 400;
    figures.event_disk = 300;
    figures.recipient_wal = 30;
    figures.recipient_disk = 20;
    figures.content_stored = 0.5; // 10,240 x 0.5 / 1,000 = 5.12 octets a message
    const PostgresPlan postgres = postgres_for(even(), figures);
    EXPECT_DOUBLE_EQ(postgres.events_a_second, 375);
    EXPECT_DOUBLE_EQ(postgres.octets_a_second, 300 * (500 + 30 + 5.12));
    EXPECT_DOUBLE_EQ(postgres.storage_a_month, 86.4e6 * (375 + 20 + 5.12));
    EXPECT_DOUBLE_EQ(postgres.cores, 300 * (12 * 1.25 + 4) / 1e6 / 0.8);
}

TEST(PlanStores, MailboxesFollowTheirDayCap)
{
    const WarmupPlan cold = warmup_named("cold").value();
    Demand demand = even();
    EXPECT_EQ(mailboxes_for(demand, cold).needed, 172'800); // 8.64 million / 50
    EXPECT_TRUE(mailboxes_for(demand, cold).enough());
    demand.mailboxes = 1'000;
    EXPECT_FALSE(mailboxes_for(demand, cold).enough());
    demand.mailbox_day_max = 0;
    EXPECT_TRUE(mailboxes_for(demand, cold).enough());
}

} // namespace
} // namespace penguin::bench::plan
