#include "control/settings/pause_keeper.h"

#include <gtest/gtest.h>

#include "control/settings/snapshot.h"
#include "tests/support/stores.h"

namespace penguin::control {
namespace {

using namespace test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;
using policy::Pause;
using policy::PauseScope;

// Two nodes: one hears a refusal, the other has to hold to it.
class PauseKeeperTest : public testing::Test {
protected:
    PauseKeeperTest()
    {
        std::string made = (fs::temp_directory_path() / "pauses-XXXXXX").string();
        folder = mkdtemp(made.data());
        other = make();
    }
    ~PauseKeeperTest() override { fs::remove_all(folder); }

    std::unique_ptr<SnapshotKeeper> make()
    {
        return std::make_unique<SnapshotKeeper>(
            worker.control, SnapshotKeeper::Options{NodeName{"node-2"}, folder, {}}, rules,
            [this](Snapshot published) { seen = published.settings->pauses; }, metrics);
    }
    std::string sql(const std::string& statements) { return server.sql(name, statements); }
    Pause lane(std::chrono::seconds since, std::chrono::seconds length, const std::string& rule = "r") const
    {
        return {.scope = PauseScope::lane,
                .subject = "192.0.2.1",
                .place = "mx.acme.example",
                .until = now + since + length,
                .since = now + since,
                .rule = rule,
                .reply = "421 no"};
    }
    std::size_t write(const std::vector<Pause>& pauses)
    {
        for (const Pause& pause : pauses) keeper.add(pause);
        const auto turn = [this]() -> awaitable<Result<std::size_t>> {
            co_await asio::post(io, asio::use_awaitable); // behind what was added
            co_return co_await keeper.write(wall_now());
        };
        return tests::run(io, turn()).value();
    }
    void resume(std::chrono::seconds at)
    {
        sql(fmt::format("update control.pauses set resumed = since + interval '{} seconds'; "
                        "update control.settings_version set pauses = pauses + 1",
                        at.count()));
    }
    // id of the only row, and whether it is resumed
    std::string row(const std::string& columns) { return sql("select " + columns + " from control.pauses"); }
    const std::vector<policy::SharedPause>& refreshed()
    {
        EXPECT_TRUE(tests::run(io, other->refresh()));
        return *seen;
    }

    PostgresServer& server = PostgresServer::instance();
    std::string name = server.migrated_database();
    asio::io_context io;
    Registry metrics;
    db::Database worker{io.get_executor(), db::TierDsns::all(server.dsn(name)), Stores::as(db::kWorkerRole), metrics};
    RulesInForce rules{policy::shipped_rule_file(), metrics};
    fs::path folder;
    std::shared_ptr<const std::vector<policy::SharedPause>> seen;
    std::unique_ptr<SnapshotKeeper> other;
    int stored = 0;
    PauseKeeper keeper{io.get_executor(), worker.control, NodeName{"node-1"}, [this] { ++stored; }, metrics};
    const WallTime now = std::chrono::floor<std::chrono::seconds>(wall_now());
};

TEST_F(PauseKeeperTest, OneThatANodeMadeIsInTheSettingsOfTheOthers)
{
    ASSERT_TRUE(tests::run(io, other->start()));
    EXPECT_EQ(write({lane(0s, 1h)}), 0U);
    EXPECT_EQ(stored, 1) << "this node's own snapshot need not wait for its look";
    EXPECT_EQ(row("rule || ' ' || reply || ' ' || node"), "r 421 no node-1");
    Pause expected = lane(0s, 1h);
    expected.reply.clear(); // of no use to an engine
    ASSERT_EQ(refreshed().size(), 1U);
    EXPECT_EQ(seen->front(), (policy::SharedPause{expected, std::nullopt}));
    EXPECT_FALSE(tests::run(io, other->refresh()).value()) << "nothing has moved";
}

TEST_F(PauseKeeperTest, TheyAreThereAfterARestartWithoutPostgres)
{
    ASSERT_TRUE(tests::run(io, other->start()));
    write({lane(0s, 1h)});
    refreshed();
    const policy::SharedPause before = seen->front();
    server.stop();
    seen.reset();
    other = make();
    const Result<> started = tests::run(io, other->start());
    server.start();
    ASSERT_TRUE(started) << started.error().detail;
    EXPECT_EQ(seen->front(), before);
}

TEST_F(PauseKeeperTest, OtherSettingsLeaveThemAsTheyAre)
{
    ASSERT_TRUE(tests::run(io, other->start()));
    write({lane(0s, 1h)});
    refreshed();
    const auto before = seen;
    sql("update control.settings_version set settings = settings + 1");
    refreshed();
    EXPECT_EQ(seen, before) << "the same object: no engine looks at it again";
}

TEST_F(PauseKeeperTest, TheLongerOneStaysSinceTheFirst)
{
    write({lane(0s, 1h)});
    const std::string id = row("id");
    write({lane(60s, 2h, "longer")});
    write({lane(90s, 1min, "shorter")});
    EXPECT_EQ(row("id"), id);
    EXPECT_EQ(row("rule || ' ' || (until - since)"), "longer 02:01:00");
    EXPECT_EQ(row("count(*)"), "1");
}

TEST_F(PauseKeeperTest, AResumedOneStaysSoForWhatWasHeardBefore)
{
    ASSERT_TRUE(tests::run(io, other->start()));
    write({lane(0s, 1h)});
    const std::string id = row("id");
    resume(100s);
    EXPECT_EQ(refreshed().front().resumed, now + 100s);
    write({lane(50s, 2h)}); // another node's, which had not heard of it
    EXPECT_EQ(row("resumed is not null"), "t");
    write({lane(101s, 1h, "anew")});
    EXPECT_EQ(row("resumed is null"), "t");
    EXPECT_EQ(row("rule || ' ' || (until - since)"), "anew 01:00:00");
    EXPECT_NE(row("id"), id) << "who resumes the old one must not mean this";
    EXPECT_EQ(refreshed().front().resumed, std::nullopt);
}

TEST_F(PauseKeeperTest, OneThatIsOverBeginsAnew)
{
    write({lane(-7'200s, 1h)});
    const std::string id = row("id");
    write({lane(0s, 1h)});
    EXPECT_EQ(row("until - since"), "01:00:00");
    EXPECT_NE(row("id"), id);
}

TEST_F(PauseKeeperTest, WhilePostgresIsAwayTheyWait)
{
    server.stop();
    keeper.add(lane(0s, 1h));
    keeper.add(lane(0s, 2h));
    const auto turn = [this]() -> awaitable<Result<std::size_t>> {
        co_await asio::post(io, asio::use_awaitable);
        co_return co_await keeper.write(wall_now());
    };
    const auto away = tests::run(io, turn());
    server.start();
    EXPECT_FALSE(away);
    const auto until_back = [&]() -> awaitable<bool> {
        for (int i = 0; i < 100; ++i) {
            if (co_await keeper.write(wall_now())) co_return true;
            co_await sleep_for(50ms);
        }
        co_return false;
    };
    EXPECT_TRUE(tests::run(io, until_back()));
    EXPECT_EQ(row("until - since"), "02:00:00");
}

TEST_F(PauseKeeperTest, ManyAreWrittenInPartsAndOldOnesGo)
{
    std::vector<Pause> many;
    for (std::size_t i = 0; i < kPausesACall + 1; ++i) {
        Pause one = lane(-7'200s, 30min);
        one.subject = "192.0.2." + std::to_string(i);
        many.push_back(one);
    }
    EXPECT_EQ(write(many), 1U);
    EXPECT_EQ(write({lane(0s, 1h)}), 0U);
    ASSERT_TRUE(tests::run(io, keeper.tidy()));
    EXPECT_EQ(row("count(*)"), "1");
}

TEST_F(PauseKeeperTest, TextOfForeignServersStopsNothing)
{
    Pause odd = lane(0s, 1h);
    odd.reply = std::string{"421 \xff\0x", 7};
    EXPECT_EQ(write({odd}), 0U);
    EXPECT_EQ(row("reply"), "421 ??x");
}

} // namespace
} // namespace penguin::control
