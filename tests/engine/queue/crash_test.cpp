// A node dies just before and just after each script: its next life finishes the work, each message has one final outcome.
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <cstdio>

#include "engine/queue/scripts.h"
#include "tests/engine/queue/queue_fixture.h"

namespace penguin::test {

namespace {

struct Ended {
    int status = 0;
    std::string out;
};

Ended run_worker(const std::string& socket, const std::string& incarnation, const std::string& crash_at)
{
    const std::string line =
        "PENGUIN_CRASH_AT=" + crash_at + " exec " CRASH_WORKER " " + socket + " n1 " + incarnation + " 20 2>/dev/null";
    FILE* pipe = popen(line.c_str(), "r");
    Ended ended;
    std::array<char, 4096> buffer{};
    while (const std::size_t size = fread(buffer.data(), 1, buffer.size(), pipe)) ended.out.append(buffer.data(), size);
    ended.status = pclose(pipe);
    return ended;
}

struct CrashPoint {
    std::string_view name;
};

std::vector<CrashPoint> crash_points()
{
    std::vector<CrashPoint> out;
    for (const queue::Script* script : queue::kScripts) {
        if (script == &queue::scripts::bury || script == &queue::scripts::takeover)
            continue; // tests of their own below
        out.push_back({script->before});
        out.push_back({script->after});
    }
    return out;
}

class CrashTest : public QueueTest, public testing::WithParamInterface<CrashPoint> {};

TEST_P(CrashTest, NothingIsLostAndNothingIsDoubled)
{
    if (GetParam().name.starts_with("queue.readd")) // the janitor calls it when it finds ready lists
        server().cli("RPUSH '" + key + "ready:" + tenant_of(9).value().text() + ":1' '" + entry_of(9, 9, 0).to_json() +
                     "'");
    const Ended first = run_worker(server().socket(), "life-1", std::string{GetParam().name});
    ASSERT_TRUE(WIFSIGNALED(first.status)) << "it passed no such point; status " << first.status;
    ASSERT_EQ(WTERMSIG(first.status), SIGKILL);
    server().cli("DEL '" + key + "janitor'"); // its lease of a minute is over
    const Ended second = run_worker(server().socket(), "life-2", "");
    ASSERT_EQ(second.status, 0);
    // The first life printed its counts when it got so far; then all was told already, and the stream may be trimmed.
    const std::string& counts = first.out.empty() ? second.out : first.out;
    std::string expected;
    for (int i = 0; i <= 20; ++i) expected += std::to_string(i) + " 1\n";
    EXPECT_EQ(counts, expected);
    // One of the 21 of the batch was cancelled before it went; four of the others had two attempts. What was confirmed may be
    // queued again, as the second life does then: that is sent, and counted, once more.
    const std::string_view died = GetParam().name;
    const bool confirmed = died.starts_with("queue.stop") || died == "queue.confirm.after";
    EXPECT_EQ(server().cli("HGET '" + key + "warmup:192.0.2.1:2026-03-10' gmail"), confirmed ? "48" : "24");
    EXPECT_EQ(server().cli("--scan --pattern '" + key + "hand:*'"), "");
    EXPECT_EQ(server().cli("--scan --pattern '" + key + "ready:*'"), "");
}

INSTANTIATE_TEST_SUITE_P(EachScript, CrashTest, testing::ValuesIn(crash_points()), [](const auto& row) {
    std::string name{row.param.name};
    std::ranges::replace(name, '.', '_');
    return name;
});

class CrashElsewhere : public QueueTest, public testing::WithParamInterface<CrashPoint> {};

TEST_P(CrashElsewhere, ADeadNodesHandAndAPoisonedEntryAreDealtWithAllTheSame)
{
    {
        Node dead{io, server().url(), "n2", "i2"};
        dead.enqueue(batch_entries(2, 2, 5));
        dead.claim(10);
        server().cli("HSET '" + key + "nodes' n2 '1 i2 1 up'");
        server().cli("RPUSH '" + key + "ready:" + tenant_of(1).value().text() + ":1' poison");
    }
    const Ended first = run_worker(server().socket(), "life-1", std::string{GetParam().name});
    ASSERT_TRUE(WIFSIGNALED(first.status)) << "it passed no such point; status " << first.status;
    server().cli("DEL '" + key + "janitor'");
    const Ended second = run_worker(server().socket(), "life-2", "");
    ASSERT_EQ(second.status, 0);
    std::string expected;
    for (int i = 0; i <= 20; ++i) expected += std::to_string(i) + " 1\n";
    EXPECT_EQ(second.out, expected);
    EXPECT_EQ(server().cli("XLEN '" + key + "dead'"), "1");
    EXPECT_EQ(server().cli("EXISTS '" + key + "nodes'"), "0");
    EXPECT_EQ(server().cli("--scan --pattern '" + key + "hand:*'"), "");
    EXPECT_EQ(server().cli("BITCOUNT '" + key + "live:" + batch_of(2).value().text() + "'"), "0")
        << "told and confirmed";
}

INSTANTIATE_TEST_SUITE_P(BuryAndTakeover, CrashElsewhere,
                         testing::Values(CrashPoint{queue::scripts::bury.before},
                                         CrashPoint{queue::scripts::bury.after},
                                         CrashPoint{queue::scripts::takeover.before},
                                         CrashPoint{queue::scripts::takeover.after}),
                         [](const auto& row) {
                             std::string name{row.param.name};
                             std::ranges::replace(name, '.', '_');
                             return name;
                         });

} // namespace

} // namespace penguin::test
