#include "bench/harness/usage.h"

#include <gtest/gtest.h>

#include "bench/harness/report.h"

namespace penguin::bench {
namespace {

using namespace std::chrono_literals;

Snapshot snapshot(std::uint64_t daemon, std::uint64_t sink, std::uint64_t busy, std::uint64_t idle)
{
    Snapshot taken;
    taken.ticks = {{kDaemon, daemon}, {kSink, sink}};
    taken.threads[10] = {kDaemon, "shard-1", daemon};
    taken.threads[20] = {kSink, "sink", sink};
    taken.machine = {.busy = busy, .idle = idle, .stolen = 0};
    return taken;
}

TEST(UsageBetween, IsTheDifferenceByComponent)
{
    const Snapshot before = snapshot(100, 50, 1'000, 500);
    Snapshot after = snapshot(250, 60, 1'200, 700);
    after.at = before.at + 2s;
    after.ticks[kDns] = 3; // not there before
    const Usage usage = between(before, after);
    EXPECT_DOUBLE_EQ(usage.seconds, 2);
    EXPECT_DOUBLE_EQ(usage.cpu_seconds.at(kDaemon), seconds_of(150));
    EXPECT_DOUBLE_EQ(usage.cpu_seconds.at(kDns), seconds_of(3));
    EXPECT_DOUBLE_EQ(usage.machine_busy, 0.5);
    EXPECT_DOUBLE_EQ(usage.others_seconds, seconds_of(200) - (seconds_of(150) + seconds_of(10) + seconds_of(3)));
    EXPECT_EQ(usage.busiest_component, kDaemon);
    EXPECT_EQ(usage.busiest_thread, "shard-1");
    EXPECT_DOUBLE_EQ(usage.busiest_share, seconds_of(150) / 2);
}

Usage usage(const char* busiest, double share, double machine, double others)
{
    Usage made;
    made.cpu_seconds[kDaemon] = 10;
    made.busiest_component = busiest;
    made.busiest_share = share;
    made.machine_busy = machine;
    made.others_seconds = others;
    return made;
}

TEST(Limit, SaysWhenItWasNotTheEngine)
{
    EXPECT_EQ(limit_of(usage(kSink, 0.95, 1, 0)), kSink);
    EXPECT_EQ(limit_of(usage(kClient, 0.95, 0.6, 0)), kClient);
    EXPECT_EQ(limit_of(usage(kRedis, 0.5, 0.99, 5)), "others");
}

TEST(Limit, IsTheMachineOrAThreadOrNothing)
{
    EXPECT_EQ(limit_of(usage(kRedis, 0.95, 0.99, 0.1)), "machine");
    EXPECT_EQ(limit_of(usage(kRedis, 0.95, 0.6, 0.1)), kRedis);
    EXPECT_EQ(limit_of(usage(kRelay, 0.95, 0.6, 0.1)), kRelay);
    EXPECT_EQ(limit_of(usage(kDaemon, 0.3, 0.4, 0.1)), "waiting");
}

TEST(Report, HasTheNamesThatStay)
{
    const Report report{
        .verb = "drain", .machine = {{"cores", 2}}, .git = "abc", .options = {}, .runs = {}, .results = {}};
    std::vector<std::string> names;
    for (const auto& [name, value] : to_json(report)) names.emplace_back(name);
    EXPECT_EQ(names, (std::vector<std::string>{"verb", "machine", "git", "options", "runs", "results"}));
}

TEST(Report, MediansAndSpreadOfRuns)
{
    const json::array runs{{{"rate", 90}, {"cpu", {{"daemon", 3.5}}}},
                           {{"rate", 110}, {"cpu", {{"daemon", 1.5}}}},
                           {{"rate", 100}, {"cpu", {{"daemon", 2.5}}}}};
    EXPECT_DOUBLE_EQ(median_of(runs, "rate"), 100);
    EXPECT_DOUBLE_EQ(median_of(runs, "cpu.daemon"), 2.5);
    EXPECT_DOUBLE_EQ(spread_of(runs, "rate"), 0.2);
}

TEST(Report, MediansOfAnObjectAndTheUsualText)
{
    const json::array runs{{{"cpu", {{"daemon", 1}, {"dns", 5}}}, {"limit", "machine"}},
                           {{"cpu", {{"daemon", 3}, {"dns", 7}}}, {"limit", "sink"}},
                           {{"cpu", {{"daemon", 2}, {"dns", 6}}}, {"limit", "machine"}}};
    EXPECT_EQ(medians_of(runs, "cpu"), (json::object{{"daemon", 2.0}, {"dns", 6.0}}));
    EXPECT_EQ(usual_of(runs, "limit"), "machine");
}

TEST(Report, TableAlignsNumbersToTheRight)
{
    EXPECT_EQ(table({{.title = "", .cells = {"daemon", "dns"}}, {.title = "us", .cells = {"145.7", "0.3"}}}),
              "           us\ndaemon  145.7\ndns       0.3\n");
}

} // namespace
} // namespace penguin::bench
