#include "control/daemon/state_dir.h"

#include <csignal>
#include <fstream>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penguin::control {
namespace {

class StateDirTest : public testing::Test {
protected:
    void SetUp() override
    {
        std::string name = testing::TempDir() + "pm-state-XXXXXX";
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        root_ = name;
    }
    void TearDown() override { std::filesystem::remove_all(root_); }

    std::filesystem::path root_;
};

TEST_F(StateDirTest, IsMadeForOurUserAlone)
{
    const StateDir dir{root_ / "a" / "b"};
    ASSERT_TRUE(dir.create());
    struct stat state{};
    ASSERT_EQ(::stat(dir.run().c_str(), &state), 0);
    EXPECT_EQ(state.st_mode & 0777, 0700U);
    EXPECT_TRUE(dir.create()); // again
}

TEST_F(StateDirTest, RunIsClosedAgainWhenSomebodyOpenedIt)
{
    const StateDir dir{root_};
    ASSERT_TRUE(dir.create());
    ASSERT_EQ(::chmod(dir.run().c_str(), 0777), 0);
    ASSERT_TRUE(dir.create());
    struct stat state{};
    ASSERT_EQ(::stat(dir.run().c_str(), &state), 0);
    EXPECT_EQ(state.st_mode & 0777, 0700U);
}

TEST_F(StateDirTest, AFileInItsPlaceIsAnError)
{
    std::ofstream{root_ / "file"} << "x";
    const Result<> made = StateDir{root_ / "file" / "state"}.create();
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, Errc::local_fault);
}

TEST_F(StateDirTest, OneHoldsTheLock)
{
    const StateDir dir{root_};
    Result<StateLock> first = StateLock::take(dir);
    ASSERT_TRUE(first);
    const Result<StateLock> second = StateLock::take(dir);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::refused);
    EXPECT_THAT(second.error().detail, testing::HasSubstr("process " + std::to_string(::getpid())));
    {
        const StateLock ends = std::move(*first);
    }
    EXPECT_TRUE(StateLock::take(dir));
}

TEST_F(StateDirTest, TheLockOfAKilledProcessIsFree)
{
    const StateDir dir{root_};
    const pid_t child = ::fork();
    if (child == 0) {
        const Result<StateLock> lock = StateLock::take(dir);
        ::kill(::getpid(), SIGKILL);
        ::_exit(lock ? 0 : 1);
    }
    ASSERT_GT(child, 0);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    EXPECT_TRUE(StateLock::take(dir));
}

TEST_F(StateDirTest, OnlyAnUnfinishedRunOfTheSameNodeIsACrash)
{
    const StateDir dir{root_};
    EXPECT_FALSE(crashed_before(dir, "a"));
    ASSERT_TRUE(write_running(dir, "a"));
    EXPECT_TRUE(crashed_before(dir, "a"));
    EXPECT_FALSE(crashed_before(dir, "b"));
    ASSERT_TRUE(write_stopped(dir, "a"));
    EXPECT_FALSE(crashed_before(dir, "a"));
}

TEST_F(StateDirTest, ItsIdentityStaysTheSame)
{
    const StateDir dir{root_};
    const Result<std::string> first = state_identity(dir);
    ASSERT_TRUE(first);
    EXPECT_EQ(state_identity(dir), *first);
    EXPECT_EQ(first->size(), 36U);
}

TEST_F(StateDirTest, FilesAreReplacedWholeAndReadBounded)
{
    const std::filesystem::path file = root_ / "f";
    ASSERT_TRUE(write_small_file(file, "one"));
    ASSERT_TRUE(write_small_file(file, "two"));
    EXPECT_EQ(read_small_file(file), "two");
    EXPECT_FALSE(std::filesystem::exists(root_ / "f.new"));
    struct stat state{};
    ASSERT_EQ(::stat(file.c_str(), &state), 0);
    EXPECT_EQ(state.st_mode & 0777, 0600U);
    EXPECT_EQ(read_small_file(file, 2).error().code, Errc::too_long);
    EXPECT_EQ(read_small_file(file, 3), "two");
    EXPECT_EQ(read_small_file(root_ / "none").error().code, Errc::not_found);
}

} // namespace
} // namespace penguin::control
