// The process dies by SIGKILL at each step between a request and its confirmed events, and starts again. Whatever the step:
// one batch, each message sent once, each event once, the counts closed, nothing left in Redis.
//
// A child does the work, for it is the one that dies; the parent only looks. PENGUIN_CRASH_AT says where.
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/submit/reconciler.h"
#include "tests/support/stores.h"

namespace penguin::control {
namespace {

using namespace test;

constexpr std::size_t kRecipients = 700; // two chunks
constexpr int kFailed = 3;

const char* const kPoints[] = {"submit.content.before", "submit.content.after", "submit.batch.before",
                               "submit.batch.after",    "pump.claim.after",     "pump.chunk.before",
                               "pump.chunk.after",      "pump.record.before",   "pump.record.after",
                               "pump.chunk.after:2",    "pump.record.before:2", "ledger.suppress.before",
                               "ledger.suppress.after", "ledger.commit.before", "ledger.commit.after",
                               "ledger.confirm.before", "ledger.confirm.after", "ledger.commit.after:2"};

// Notes each message that is sent, then settles it: as the engine, whose own crash points are tested elsewhere.
std::size_t send_all(Stores& stores, const std::string& sent)
{
    const auto claimed = stores.must(stores.queue.claim({.max = 200, .ready_max = 200, .per_tenant = 200}));
    std::ofstream file{sent, std::ios::app};
    for (const queue::Claimed& one : claimed) file << one.entry.id.text() << '\n';
    file.flush();
    stores.settle(claimed, queue::EventKind::delivered);
    return claimed.size();
}

void work(PostgresServer& server, const std::string& database, const queue::RedisUrl& url, const std::string& sent,
          bool again)
{
    Stores stores{server, database, url, again};
    if (!stores.accept(batch_to(kTenantA, kRecipients, "key"))) throw std::runtime_error{"not accepted"};
    const SteadyTime until = std::chrono::steady_clock::now() + std::chrono::seconds{40};
    while (stores.sql("select coalesce(sum(delivered), 0) from analytics.batch_counts") !=
               std::to_string(kRecipients) ||
           stores.sql("select count(*) from queue.batches where state <> 'enqueued'") != "0") {
        if (std::chrono::steady_clock::now() > until) throw std::runtime_error{"it does not come to an end"};
        // The ledger runs between sending and the pump's next look, so that bits are cleared before a chunk is repeated.
        const std::size_t pumped = stores.must(stores.pump.turn());
        const std::size_t settled = send_all(stores, sent);
        const auto step = stores.must(stores.ledger.step(wall_now()));
        if (pumped + settled + step.events == 0)
            stores.must(
                []() -> awaitable<Result<bool>> { co_return co_await sleep_for(std::chrono::milliseconds{50}); }());
    }
    stores.must(stores.ledger.step(wall_now()));
}

// Exit status of the child, or minus the signal.
int in_child(const std::function<void()>& run)
{
    const int pid = fork();
    if (pid == 0) {
        try {
            run();
        } catch (const std::exception& e) {
            std::fprintf(stderr, "%s\n", e.what());
            _exit(kFailed);
        }
        _exit(0);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

class ReconcileCrashTest : public testing::TestWithParam<const char*> {};

TEST_P(ReconcileCrashTest, WhatWasLostIsQueuedAgainOnce)
{
    static RedisServer redis;
    PostgresServer& server = PostgresServer::instance();
    const std::string database = server.migrated_database();
    redis.cli("FLUSHALL");
    add_tenant(server, database, kTenantA);
    const auto reconcile = [&](bool again) {
        Stores stores{server, database, redis.url(), again};
        submit::Reconciler reconciler{stores.worker, stores.queue, {}, {}, stores.metrics};
        stores.must(reconciler.reconcile(std::chrono::steady_clock::now()));
    };
    EXPECT_EQ(in_child([&] {
                  Stores stores{server, database, redis.url(), false};
                  if (!stores.accept(batch_to(kTenantA, kRecipients))) throw std::runtime_error{"not accepted"};
                  while (stores.must(stores.pump.turn()) > 0) {
                  }
              }),
              0);
    redis.cli("FLUSHALL");
    EXPECT_EQ(in_child([&] {
                  setenv("PENGUIN_CRASH_AT", GetParam(), 1);
                  reconcile(false);
              }),
              -SIGKILL)
        << "the point was not reached";
    ASSERT_EQ(in_child([&] { reconcile(true); }), 0);
    std::istringstream queued{redis.cli("LRANGE 'pm:{default}:ready:" + kTenantA.value().text() + ":1' 0 -1")};
    std::multiset<std::string> entries;
    for (std::string line; std::getline(queued, line);) entries.insert(line);
    EXPECT_EQ(entries.size(), kRecipients);
    EXPECT_EQ(std::set<std::string>(entries.begin(), entries.end()).size(), kRecipients);
}

INSTANTIATE_TEST_SUITE_P(EachStep, ReconcileCrashTest,
                         testing::Values("reconcile.enqueue.before", "reconcile.enqueue.after",
                                         "reconcile.enqueue.after:2"),
                         [](const auto& point) {
                             std::string name{point.param};
                             std::ranges::replace_if(name, [](char c) { return std::ispunct(c) != 0; }, '_');
                             return name;
                         });

class CrashTest : public testing::TestWithParam<const char*> {};

TEST_P(CrashTest, LosesAndRepeatsNothing)
{
    static RedisServer redis;
    PostgresServer& server = PostgresServer::instance();
    const std::string database = server.migrated_database();
    redis.cli("FLUSHALL");
    add_tenant(server, database, kTenantA);
    const std::string sent = redis.folder() + "/sent";
    std::remove(sent.c_str());

    EXPECT_EQ(in_child([&] {
                  setenv("PENGUIN_CRASH_AT", GetParam(), 1);
                  work(server, database, redis.url(), sent, false);
              }),
              -SIGKILL)
        << "the point was not reached";
    ASSERT_EQ(in_child([&] { work(server, database, redis.url(), sent, true); }), 0);

    std::multiset<std::string> messages;
    std::ifstream file{sent};
    for (std::string line; std::getline(file, line);) messages.insert(line);
    EXPECT_EQ(messages.size(), kRecipients);
    EXPECT_EQ(std::set<std::string>(messages.begin(), messages.end()).size(), kRecipients);
    EXPECT_EQ(server.sql(database, "select count(*) || ' ' || sum(total) from queue.batches"), "1 700");
    EXPECT_EQ(
        server.sql(
            database,
            "select count(*) || ' ' || count(distinct idx) || ' ' || count(distinct position) from analytics.events"),
        "700 700 700");
    EXPECT_EQ(server.sql(database, "select delivered from analytics.batch_counts"), "700");
    EXPECT_EQ(redis.cli("XLEN pm:{default}:events"), "0");
    EXPECT_EQ(redis.cli("KEYS 'pm:{default}:live:*'"), "");
}

INSTANTIATE_TEST_SUITE_P(EachStep, CrashTest, testing::ValuesIn(kPoints), [](const auto& point) {
    std::string name;
    for (const char c : std::string_view{point.param})
        name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
    return name;
});

} // namespace
} // namespace penguin::control
