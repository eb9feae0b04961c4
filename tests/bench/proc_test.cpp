#include "bench/harness/proc.h"

#include <algorithm>

#include <gtest/gtest.h>
#include <unistd.h>

#include "bench/harness/machine.h"
#include "bench/harness/usage.h"

namespace penguin::bench {
namespace {

TEST(ProcStat, TimesAreUserPlusSystem)
{
    const auto stat =
        parse_stat("1447 (cat) R 1439 1439 20030 0 -1 4194304 100 0 0 0 12 3 40 5 20 0 1 0 676673 3133440\n");
    ASSERT_TRUE(stat);
    EXPECT_EQ(*stat, (ProcessStat{.pid = 1447, .parent = 1439, .name = "cat", .ticks = 15, .reaped = 45}));
}

TEST(ProcStat, NameMayLookLikeTheRestOfTheLine)
{
    const auto stat = parse_stat("7 (a) R 1 (b c)) S 3 0 0 0 -1 0 0 0 0 0 1 2 3 4 20 0\n");
    ASSERT_TRUE(stat);
    EXPECT_EQ(stat->name, "a) R 1 (b c)");
    EXPECT_EQ(stat->parent, 3);
    EXPECT_EQ(stat->ticks, 3U);
}

TEST(ProcStat, HalfALineIsNone)
{
    for (const char* text : {"", "7", "7 (a", "7 (a)", "7 (a) R 1 2", "(a) R 1", "x (a) S 3 0 0 0 -1 0 0 0 0 0 1 2 3 4",
                             "7 (a) S 3 0 0 0 -1 0 0 0 0 0 1 -2 3 4"})
        EXPECT_FALSE(parse_stat(text)) << text;
}

TEST(ProcStatus, PeakAndSharedMemory)
{
    EXPECT_EQ(
        parse_memory(
            "Name:\tx\nVmPeak:\t 900 kB\nVmHWM:\t  120 kB\nVmRSS:\t  90 kB\nRssAnon:\t 50 kB\nRssShmem:\t   40 kB\n"),
        (ProcessMemory{.peak_kb = 120, .resident_kb = 90, .shared_kb = 40}));
    EXPECT_EQ(parse_memory("Name:\tVmHWM:\nVmHWM:\t120 kB\n"),
              (ProcessMemory{.peak_kb = 120, .resident_kb = 0, .shared_kb = 0}));
    EXPECT_FALSE(parse_memory("Name:\tkthreadd\nThreads:\t1\n"));
}

TEST(ProcMachine, WaitingForTheDiskIsIdleAndStolenIsNeither)
{
    EXPECT_EQ(parse_machine("cpu  100 10 20 800 5 1 2 7 50 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n"),
              (MachineTicks{.busy = 133, .idle = 805, .stolen = 7}));
    EXPECT_FALSE(parse_machine("cpu0 1 2 3 4 5 6 7 8 9 10\n"));
    EXPECT_FALSE(parse_machine("cpu  1 2 3\n"));
}

TEST(ProcTree, HoldsChildrenOfChildrenOnly)
{
    const std::vector<ProcessStat> all{{.pid = 1, .parent = 0},
                                       {.pid = 5, .parent = 2},
                                       {.pid = 2, .parent = 1},
                                       {.pid = 3, .parent = 1},
                                       {.pid = 4, .parent = 3}};
    const auto tree = tree_of(all, 2);
    ASSERT_EQ(tree.size(), 2U);
    EXPECT_EQ(tree[0].pid, 2);
    EXPECT_EQ(tree[1].pid, 5);
    EXPECT_TRUE(tree_of(all, 99).empty());
}

TEST(ProcTree, ThisProcessIsThere)
{
    const auto own = tree_of(all_processes(), ::getpid());
    ASSERT_FALSE(own.empty());
    EXPECT_EQ(own.front().parent, ::getppid());
    EXPECT_GE(threads_of(::getpid()).size(), 1U);
    EXPECT_GT(memory_of(::getpid())->peak_kb, 0U);
}

TEST(Components, StoresOfTheDaemonAreKnownByTheirPrograms)
{
    EXPECT_EQ(component_of("redis-server", kDaemon), kRedis);
    EXPECT_EQ(component_of("redis-check-rdb", kDaemon), kRedis);
    EXPECT_EQ(component_of("postgres", kDaemon), kPostgres);
    EXPECT_EQ(component_of("penguin-mta", kDaemon), kDaemon);
}

TEST(Machine, ModelAndLoad)
{
    EXPECT_EQ(cpu_model_of("processor\t: 0\nmodel\t\t: 1\nmodel name\t: AMD EPYC\nstepping\t: 1\n"), "AMD EPYC");
    EXPECT_EQ(cpu_model_of("processor\t: 0\n"), "");
    EXPECT_DOUBLE_EQ(load_of("1.25 0.93 0.90 2/200 77\n"), 1.25);
}

} // namespace
} // namespace penguin::bench
