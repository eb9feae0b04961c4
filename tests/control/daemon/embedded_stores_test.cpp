// The real servers of Debian, in a directory of their own. As root the test becomes the user postgres first, as the
// daemon would become its own.
#include "control/daemon/embedded_stores.h"

#include <csignal>
#include <fstream>

#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/daemon/embedded_postgres.h"
#include "control/daemon/embedded_redis.h"
#include "control/daemon/process_user.h"

namespace penguin::control {
namespace {

using namespace std::chrono_literals;

// What Redis answers to an inline command; "" when it does not.
std::string ask_redis(const StateDir& dir, const std::string& command)
{
    const int file = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    dir.redis_socket().string().copy(address.sun_path, sizeof address.sun_path - 1);
    std::string answer;
    if (::connect(file, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
        const std::string line = command + "\r\n";
        char buffer[4096];
        if (::write(file, line.data(), line.size()) > 0)
            if (const ssize_t count = ::read(file, buffer, sizeof buffer); count > 0)
                answer.assign(buffer, static_cast<std::size_t>(count));
    }
    ::close(file);
    return answer;
}

// The first column of the first row that psql shows.
std::string ask_postgres(const StateDir& dir, const std::string& sql)
{
    const std::string command =
        "psql -XAtq -h " + dir.run().string() + " -U penguin_owner -d postgres -c \"" + sql + "\" 2>&1";
    FILE* const pipe = ::popen(command.c_str(), "r");
    char buffer[4096];
    std::string answer;
    while (::fgets(buffer, sizeof buffer, pipe)) answer += buffer;
    ::pclose(pipe);
    return answer.substr(0, answer.find('\n'));
}

class EmbeddedStoresTest : public testing::Test {
protected:
    static void SetUpTestSuite()
    {
        std::string name = "/tmp/pm-stores-XXXXXX";
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        root_ = name;
        if (::geteuid() != 0) return;
        const Result<> became = become_user("postgres", root_);
        ASSERT_TRUE(became) << became.error().detail;
    }
    static void TearDownTestSuite() { std::filesystem::remove_all(root_); }

    static EmbeddedStores::Options options(const std::string& name)
    {
        EmbeddedStores::Options out;
        out.dir = StateDir{root_ / name};
        EXPECT_TRUE(out.dir.create());
        out.redis_maxmemory = 64ULL << 20;
        out.postgres_shared_buffers = 16ULL << 20;
        return out;
    }

    template <class T>
    T run(awaitable<T> work)
    {
        std::optional<T> out;
        asio::co_spawn(loop_, std::move(work), [&out](const std::exception_ptr& thrown, T value) {
            if (thrown) std::rethrow_exception(thrown);
            out = std::move(value);
        });
        loop_.restart();
        while (!out) loop_.run_one();
        return std::move(*out);
    }
    void stop(EmbeddedStores& stores)
    {
        run([](EmbeddedStores& which) -> awaitable<bool> {
            co_await which.stop();
            co_return true;
        }(stores));
    }
    // Runs the loop until `holds`, at most a minute.
    template <class Condition>
    bool eventually(Condition holds)
    {
        loop_.restart();
        const SteadyTime until = std::chrono::steady_clock::now() + 60s;
        while (!holds()) {
            if (std::chrono::steady_clock::now() > until) return false;
            loop_.run_for(10ms);
            loop_.restart();
        }
        return true;
    }

    static inline std::filesystem::path root_;
    asio::io_context loop_;
    Registry metrics_;
};

TEST_F(EmbeddedStoresTest, ComeUpDurableAndClosedToOthersAndKeepTheirDataOverAStop)
{
    const EmbeddedStores::Options chosen = options("keep");
    {
        EmbeddedStores stores{loop_.get_executor(), chosen, metrics_};
        const Result<> started = run(stores.start());
        ASSERT_TRUE(started) << started.error().detail;
        EXPECT_TRUE(stores.ready());

        EXPECT_THAT(ask_redis(chosen.dir, "CONFIG GET appendonly"), testing::HasSubstr("yes"));
        EXPECT_THAT(ask_redis(chosen.dir, "CONFIG GET appendfsync"), testing::HasSubstr("everysec"));
        EXPECT_THAT(ask_redis(chosen.dir, "CONFIG GET maxmemory-policy"), testing::HasSubstr("noeviction"));
        EXPECT_THAT(ask_redis(chosen.dir, "CONFIG GET maxmemory"), testing::HasSubstr("67108864"));
        EXPECT_THAT(ask_redis(chosen.dir, "CONFIG GET port"), testing::HasSubstr("\r\n0\r\n"));
        EXPECT_EQ(ask_redis(chosen.dir, "SET kept 1"), "+OK\r\n");

        EXPECT_EQ(ask_postgres(chosen.dir, "show data_checksums"), "on");
        EXPECT_EQ(ask_postgres(chosen.dir, "show listen_addresses"), "");
        EXPECT_EQ(ask_postgres(chosen.dir, "show fsync"), "on");
        EXPECT_EQ(ask_postgres(chosen.dir, "show shared_buffers"), "16MB");
        EXPECT_EQ(ask_postgres(chosen.dir, "create table kept (n int); insert into kept values (7)"), "");

        struct stat state{};
        ASSERT_EQ(::stat(chosen.dir.run().c_str(), &state), 0);
        EXPECT_EQ(state.st_mode & 0777, 0700U);
        ASSERT_EQ(::stat(chosen.dir.postgres().c_str(), &state), 0);
        EXPECT_EQ(state.st_mode & 0777, 0700U);
        stop(stores);
        EXPECT_FALSE(stores.ready());
    }
    EXPECT_TRUE(processes_in(chosen.dir.redis()).empty());
    EXPECT_TRUE(processes_in(chosen.dir.postgres()).empty());

    EmbeddedStores again{loop_.get_executor(), chosen, metrics_};
    ASSERT_TRUE(run(again.start()));
    EXPECT_EQ(ask_redis(chosen.dir, "GET kept"), "$1\r\n1\r\n");
    EXPECT_EQ(ask_postgres(chosen.dir, "select n from kept"), "7");
    stop(again);
}

TEST_F(EmbeddedStoresTest, AStoreThatIsKilledComesBackAndIsCounted)
{
    const EmbeddedStores::Options chosen = options("killed");
    EmbeddedStores stores{loop_.get_executor(), chosen, metrics_};
    ASSERT_TRUE(run(stores.start()));
    for (const StoreSupervisor* store : {stores.redis(), stores.postgres()}) {
        const pid_t first = store->pid().value();
        ASSERT_EQ(::kill(first, SIGKILL), 0);
        EXPECT_TRUE(eventually([&] { return store->ready() && store->pid() != first; })) << store->store().name();
        EXPECT_EQ(metrics_.counter("penguin_store_restarts_total", "", {{"store", store->store().name()}}).value(), 1U);
    }
    EXPECT_EQ(ask_redis(chosen.dir, "PING"), "+PONG\r\n");
    EXPECT_EQ(ask_postgres(chosen.dir, "select 1"), "1");
    stop(stores);
}

// A predecessor that was killed: its children are told by the kernel, and the next start waits for their end.
TEST_F(EmbeddedStoresTest, WhatAKilledPredecessorLeftIsWaitedFor)
{
    const EmbeddedStores::Options chosen = options("survivors");
    int told[2];
    ASSERT_EQ(::pipe(told), 0);
    const pid_t predecessor = ::fork();
    if (predecessor == 0) {
        asio::io_context loop;
        Registry metrics;
        EmbeddedStores stores{loop.get_executor(), chosen, metrics};
        asio::co_spawn(loop, stores.start(), [&](const std::exception_ptr&, Result<> started) {
            const char word = started ? 'y' : 'n';
            [[maybe_unused]] const ssize_t written = ::write(told[1], &word, 1);
        });
        loop.run();
        ::_exit(1);
    }
    char word = 0;
    ASSERT_EQ(::read(told[0], &word, 1), 1);
    ASSERT_EQ(word, 'y');
    ASSERT_EQ(ask_redis(chosen.dir, "SET kept 1"), "+OK\r\n");
    ASSERT_EQ(ask_postgres(chosen.dir, "create table kept (n int)"), "");
    ASSERT_EQ(::kill(predecessor, SIGKILL), 0);
    ASSERT_EQ(::waitpid(predecessor, nullptr, 0), predecessor);

    EmbeddedStores stores{loop_.get_executor(), chosen, metrics_};
    const Result<> started = run(stores.start());
    ASSERT_TRUE(started) << started.error().detail;
    EXPECT_EQ(ask_redis(chosen.dir, "GET kept"), "$1\r\n1\r\n");
    EXPECT_EQ(ask_postgres(chosen.dir, "select count(*) from kept"), "0");
    stop(stores);
    ::close(told[0]);
    ::close(told[1]);
}

TEST_F(EmbeddedStoresTest, AFirstStartThatWasCutShortInInitdbBeginsAgain)
{
    EmbeddedStores::Options chosen = options("half");
    chosen.redis = false;
    std::filesystem::create_directories(chosen.dir.path() / "postgres.new" / "base");
    std::ofstream{chosen.dir.path() / "postgres.new" / "PG_VERSION"} << "15\n";
    EmbeddedStores stores{loop_.get_executor(), chosen, metrics_};
    const Result<> started = run(stores.start());
    ASSERT_TRUE(started) << started.error().detail;
    EXPECT_EQ(ask_postgres(chosen.dir, "select 1"), "1");

    // The process id in a stale postmaster.pid may belong to anybody by the next start: here to ourselves.
    ASSERT_EQ(::kill(stores.postgres()->pid().value(), SIGKILL), 0);
    ASSERT_TRUE(eventually([&] { return !stores.ready(); }));
    std::ofstream{chosen.dir.postgres() / "postmaster.pid"} << ::getpid() << "\n";
    EXPECT_TRUE(eventually([&] { return stores.ready(); }));
    stop(stores);
}

TEST_F(EmbeddedStoresTest, ADatabaseOfAVersionThatIsNotInstalledIsNotTouched)
{
    EmbeddedStores::Options chosen = options("version");
    chosen.redis = false;
    std::filesystem::create_directories(chosen.dir.postgres());
    std::ofstream{chosen.dir.postgres() / "PG_VERSION"} << "9\n";
    EmbeddedStores stores{loop_.get_executor(), chosen, metrics_};
    const Result<> started = run(stores.start());
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, Errc::local_fault);
    EXPECT_THAT(started.error().detail, testing::HasSubstr("install postgresql-9"));
    stop(stores);
}

TEST_F(EmbeddedStoresTest, AStoreThatCannotStartSaysWhy)
{
    EmbeddedStores::Options chosen = options("broken");
    chosen.postgres = false;
    std::filesystem::create_directories(chosen.dir.redis_socket()); // a directory where the socket should be
    EmbeddedStores stores{loop_.get_executor(), chosen, metrics_};
    const Result<> started = run(stores.start());
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, Errc::unavailable);
    EXPECT_THAT(started.error().detail, testing::HasSubstr("redis ended while it started (exit status 1)"));
    stop(stores);
}

TEST_F(EmbeddedStoresTest, ChildrenHaveACleanEnvironmentAndNoneOfOurDescriptors)
{
    ::setenv("PM_SECRET", "x", 1);
    const int leaked = ::open("/etc/passwd", O_RDONLY); // NOLINT: without O_CLOEXEC on purpose
    Result<ChildProcess> child = ChildProcess::start(
        loop_.get_executor(), {.name = "probe",
                               .program = "/bin/sh",
                               .arguments = {"-c", "env | tr '\\n' ' '; ls /proc/$$/fd | tr '\\n' ' '; kill -9 $$"},
                               .work_dir = "/",
                               .called = "",
                               .death_signal = SIGKILL});
    ASSERT_TRUE(child) << child.error().detail;
    EXPECT_EQ(run(child->ended()), "killed by signal 9");
    EXPECT_TRUE(eventually([&] { return !child->last_words().empty(); }));
    EXPECT_THAT(child->last_words(), testing::Not(testing::HasSubstr("PM_SECRET")));
    EXPECT_THAT(child->last_words(), testing::EndsWith("0 1 2 "));
    ::close(leaked);
}

TEST_F(EmbeddedStoresTest, AProgramThatIsNotThereIsAnError)
{
    const Result<ChildProcess> child = ChildProcess::start(
        loop_.get_executor(),
        {.name = "none", .program = "/nonexistent", .arguments = {}, .work_dir = "/", .death_signal = SIGKILL});
    ASSERT_FALSE(child);
    EXPECT_THAT(child.error().detail, testing::HasSubstr("cannot execute /nonexistent: No such file"));
}

} // namespace
} // namespace penguin::control
