#include "control/warmup/warmup_keeper.h"

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "engine/base/day.h"
#include "tests/support/postgres_server.h"
#include "tests/support/run.h"

namespace penguin::control {
namespace {

using namespace std::chrono_literals;
using test::PostgresServer;

constexpr policy::Day kDay{std::chrono::sys_days{std::chrono::year{2026} / 3 / 10}};
const std::string kSource = "00000000-0000-7000-8000-000000000001";

// One source of node-1 under the plan "cold", at the stage whose cap at Gmail is 28.
class WarmupKeeperTest : public testing::Test {
protected:
    WarmupKeeperTest()
    {
        sql(fmt::format(
            "insert into control.sources values ('{0}', '192.0.2.1', 'm.example', 'node-1', 'default', now());"
            "insert into control.warmups (source_id, plan, start, created) values ('{0}', 'cold', '2026-03-01', now());"
            "insert into control.warmup_lanes (source_id, provider, stage, decided) values"
            " ('{0}', 'gmail', 5, '2026-03-09')",
            kSource));
    }
    std::string sql(const std::string& statements) { return server.sql(name, statements); }
    WarmupKeeper keeper(const std::string& node = "node-1")
    {
        return WarmupKeeper{worker, NodeName{node},
                            [this](SourceId source, policy::Day day, const queue::WarmupCounts& counts) {
                                told.push_back(source.value().text() + " " + day_text(day));
                                for (const auto& [share, count] : counts)
                                    told.back() += fmt::format(" {}={}", share, count);
                            },
                            [this] { ++changes; }, metrics};
    }
    std::size_t look(WallTime now, const std::string& node = "node-1")
    {
        WarmupKeeper one = keeper(node);
        return tests::run(io, one.look(now)).value();
    }
    void sent(policy::Day day, int count, const std::string& more = "0, 0, 0")
    {
        sql(fmt::format(
            "insert into analytics.warmup_days (source, provider, day, sent, hard_bounces, blocks, deferrals)"
            " values ('192.0.2.1', 'gmail', '{}', {}, {})",
            day_text(day), count, more));
    }
    std::string lane()
    {
        return sql(
            "select stage || ' ' || coalesce(decided::text, '-') || ' ' || coalesce(stopped::text, '-') || ' ' || "
            "coalesce(stepped_back::text, '-') || ' ' || coalesce(last_sent::text, '-') from control.warmup_lanes");
    }
    std::string decisions()
    {
        return sql(
            "select coalesce(string_agg(day || ' ' || move || ' ' || from_stage || '>' || to_stage || ' ' || reason, "
            "', ' order by id), '') from control.warmup_decisions");
    }
    std::string audited()
    {
        return sql("select coalesce(string_agg(action, ' ' order by seq), '') from control.audit");
    }

    PostgresServer& server = PostgresServer::instance();
    std::string name = server.migrated_database();
    asio::io_context io;
    Registry metrics;
    db::Database worker{io.get_executor(), db::TierDsns::all(server.dsn(name)),
                        db::PoolOptions{.user = std::string{db::kWorkerRole}}, metrics};
    std::vector<std::string> told;
    int changes = 0;
};

TEST_F(WarmupKeeperTest, ADayIsJudgedOnceAfterItHasSettled)
{
    sent(kDay, 24);
    EXPECT_EQ(look(kDay + 24h + 9min), 0U) << "the ledger may not have all of it yet";
    EXPECT_EQ(look(kDay + 24h + 10min), 1U);
    EXPECT_EQ(lane(), "6 2026-03-10 - - 2026-03-10");
    EXPECT_EQ(decisions(), "2026-03-10 advance 5>6 used");
    EXPECT_EQ(sql("select numbers->>'sent' || '/' || (numbers->>'cap') from control.warmup_decisions"), "24/28");
    EXPECT_EQ(audited(), "warmup.advance");
    EXPECT_EQ(changes, 1);
    EXPECT_EQ(look(kDay + 25h), 0U) << "it is judged";
    EXPECT_EQ(look(kDay + 49h), 1U) << "and the next one, on which nothing was sent";
    EXPECT_EQ(lane(), "6 2026-03-11 - - 2026-03-10");
    EXPECT_EQ(changes, 1) << "a hold is in the log, and no change of the settings";
    EXPECT_EQ(audited(), "warmup.advance");
}

TEST_F(WarmupKeeperTest, APersonSaysHowMuchOfACapIsEnough)
{
    sent(kDay, 14);
    sql("update control.warmups set used_enough = 0.5");
    EXPECT_EQ(look(kDay + 25h), 1U);
    EXPECT_EQ(decisions(), "2026-03-10 advance 5>6 used");
}

TEST_F(WarmupKeeperTest, AnotherNodesSourcesAreItsOwnAffair)
{
    sent(kDay, 24);
    EXPECT_EQ(look(kDay + 25h, "node-2"), 0U);
    EXPECT_EQ(decisions(), "");
}

TEST_F(WarmupKeeperTest, OfTwoWhoDecideOneHasIt)
{
    sent(kDay, 24);
    WarmupKeeper first = keeper();
    WarmupKeeper second = keeper();
    std::size_t made = 0;
    std::size_t ended = 0;
    for (WarmupKeeper* one : {&first, &second})
        asio::co_spawn(
            io,
            [](WarmupKeeper& keeper) -> awaitable<std::size_t> {
                const Result<std::size_t> looked = co_await keeper.look(kDay + 25h);
                co_return looked.value_or(100);
            }(*one),
            [&](const std::exception_ptr&, std::size_t count) {
                made += count;
                ++ended;
            });
    while (ended < 2) io.run_one();
    EXPECT_EQ(made, 1U);
    EXPECT_EQ(decisions(), "2026-03-10 advance 5>6 used");
}

TEST_F(WarmupKeeperTest, ADayThatGoesWrongIsAnsweredAtOnce)
{
    sent(kDay, 20, "0, 15, 0");
    EXPECT_EQ(look(kDay + 9h), 1U);
    EXPECT_EQ(lane(), "4 2026-03-09 - 2026-03-10 2026-03-10");
    EXPECT_EQ(look(kDay + 9h + 30s), 0U);
    EXPECT_EQ(look(kDay + 25h), 1U);
    EXPECT_EQ(decisions(), "2026-03-10 step_back 5>4 blocks, 2026-03-10 hold 4>4 stepped_back");
    EXPECT_EQ(audited(), "warmup.step_back");
}

TEST_F(WarmupKeeperTest, AListingStopsTheSourceUntilItIsGone)
{
    sql(fmt::format(
        "insert into control.signals values ('source', '{}', '', '2026-03-10', 'listings', 'zen', 1, now())", kSource));
    EXPECT_EQ(look(kDay + 9h), 1U);
    EXPECT_EQ(lane(), "4 2026-03-09 2026-03-10 2026-03-10 -");
    EXPECT_EQ(look(kDay + 25h), 1U);
    EXPECT_EQ(lane(), "4 2026-03-10 2026-03-11 2026-03-10 -") << "listed still: nothing today either";
    sql(fmt::format(
        "insert into control.signals values ('source', '{}', '', '2026-03-11', 'listings', 'zen', 0, now())", kSource));
    EXPECT_EQ(look(kDay + 49h), 1U);
    EXPECT_EQ(look(kDay + 50h), 0U);
    EXPECT_EQ(decisions(), "2026-03-10 stop 5>4 listed, 2026-03-10 stop 4>4 listed, 2026-03-11 hold 4>4 unused");
}

TEST_F(WarmupKeeperTest, TheEngineIsToldWhatTheLedgerCounted)
{
    sent(kDay, 7);
    look(kDay + 9h);
    EXPECT_EQ(told, std::vector{kSource + " 2026-03-10 gmail=7"});
}

TEST_F(WarmupKeeperTest, NothingIsDecidedBeforeTheFirstDayNorOfAPlanThatNobodyKnows)
{
    sql("update control.warmups set start = '2026-03-12'");
    EXPECT_EQ(look(kDay + 25h), 0U);
    sql("update control.warmups set start = '2026-03-01', plan = 'of a newer program'");
    EXPECT_EQ(look(kDay + 25h), 0U);
    EXPECT_EQ(lane(), "5 2026-03-09 - - -");
}

TEST_F(WarmupKeeperTest, OldDecisionsAndSignalsAreForgotten)
{
    sql(fmt::format("insert into control.signals values ('source', '{}', '', '2024-03-10', 'traps', 'x', 1, now())",
                    kSource));
    sent(kDay, 1);
    look(kDay + 25h);
    EXPECT_EQ(sql("select count(*) from control.signals"), "0");
    look(kDay + std::chrono::days{500});
    EXPECT_EQ(sql("select count(*) from control.warmup_decisions where day < '2027-01-01'"), "0");
}

TEST_F(WarmupKeeperTest, PostgresAwayIsAnError)
{
    worker.close();
    WarmupKeeper one = keeper();
    EXPECT_FALSE(tests::run(io, one.look(kDay)));
}

} // namespace
} // namespace penguin::control
