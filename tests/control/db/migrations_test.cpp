#include "control/db/migrations.h"

#include <future>

#include <gtest/gtest.h>

#include "tests/support/postgres_server.h"

namespace penguin::control::db {
namespace {

using test::PostgresServer;

class MigrationsTest : public testing::Test {
protected:
    auto apply(const std::vector<Migration>& migrations) { return migrate(TierDsns::all(dsn), migrations); }

    PostgresServer& server = PostgresServer::instance();
    std::string name = server.empty_database();
    std::string dsn = server.dsn(name);
    std::vector<Migration> two{
        {Tier::control, 1, "0001_first", "create table control.one (n int);"},
        {Tier::control, 2, "0002_second", "create table control.two (n int); insert into control.two values (2);"}};
};

TEST_F(MigrationsTest, OursApplyToAnEmptyDatabaseAndThenNothingIsLeft)
{
    const auto all = embedded_migrations();
    const auto before = pending_migrations(TierDsns::all(dsn), all);
    ASSERT_TRUE(before) << before.error().detail;
    EXPECT_EQ(before->size(), all.size());
    const auto applied = apply(all);
    ASSERT_TRUE(applied) << applied.error().detail;
    EXPECT_EQ(*applied, *before);
    EXPECT_EQ(apply(all)->size(), 0U);
    EXPECT_EQ(pending_migrations(TierDsns::all(dsn), all)->size(), 0U);
    EXPECT_EQ(pending_migrations(TierDsns::all(server.dsn(name, kWorkerRole)), all)->size(), 0U);
}

TEST_F(MigrationsTest, TiersMayLiveInDatabasesOfTheirOwn)
{
    TierDsns apart = TierDsns::all(dsn);
    const std::string other = server.empty_database();
    apart.analytics = server.dsn(other);
    ASSERT_TRUE(migrate(apart, embedded_migrations()));
    EXPECT_EQ(
        server.sql(name, "select to_regclass('analytics.events') is null and to_regclass('queue.batches') is not null"),
        "t");
    EXPECT_EQ(server.sql(other,
                         "select to_regclass('analytics.events') is not null and to_regclass('queue.batches') is null"),
              "t");
}

TEST_F(MigrationsTest, ANewOneIsAppliedAfterTheOldOnes)
{
    ASSERT_TRUE(apply({two[0]}));
    EXPECT_EQ(*apply(two), std::vector<std::string>{"control/0002_second"});
    EXPECT_EQ(server.sql(name, "select n from control.two"), "2");
}

TEST_F(MigrationsTest, AChangedOneIsRefused)
{
    ASSERT_TRUE(apply(two));
    two[0].sql += " -- a harmless comment";
    const auto refused = apply(two);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::refused);
    EXPECT_TRUE(refused.error().detail.contains("control/0001_first")) << refused.error().detail;
}

TEST_F(MigrationsTest, ASchemaOfANewerProgramIsAccepted)
{
    ASSERT_TRUE(apply(two));
    EXPECT_EQ(apply({two[0]}).value(), std::vector<std::string>{});
    EXPECT_EQ(pending_migrations(TierDsns::all(dsn), {two[0]}).value(), std::vector<std::string>{});
    two[0].sql += " -- a harmless comment";
    EXPECT_EQ(apply({two[0]}).error().code, Errc::refused) << "what it knows must be as it knows it";
}

TEST_F(MigrationsTest, ASchemaThatSaysThatOlderProgramsCannotWorkIsRefused)
{
    two[1].name = "0002_second_incompatible";
    ASSERT_TRUE(apply(two));
    two.push_back({Tier::control, 3, "0003_third", "create table control.three (n int);"});
    ASSERT_TRUE(apply(two));
    const auto refused = apply({two[0]});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::refused);
    EXPECT_TRUE(refused.error().detail.contains("0002_second_incompatible")) << refused.error().detail;
    EXPECT_EQ(pending_migrations(TierDsns::all(dsn), {two[0]}).error().code, Errc::refused);
    EXPECT_TRUE(apply({two[0], two[1]})) << "only what it does not know counts";
}

TEST_F(MigrationsTest, AFailedOneLeavesNothingOfItself)
{
    two[1].sql = "create table control.two (n int); select 1/0;";
    const auto failed = apply(two);
    ASSERT_FALSE(failed);
    EXPECT_TRUE(failed.error().detail.contains("control/0002_second")) << failed.error().detail;
    EXPECT_EQ(server.sql(name, "select to_regclass('control.one') is not null and to_regclass('control.two') is null"),
              "t");
    two[1].sql = "create table control.two (n int);";
    EXPECT_EQ(*apply(two), std::vector<std::string>{"control/0002_second"});
}

TEST_F(MigrationsTest, AGapInTheNumbersIsRefused)
{
    two[1].number = 3;
    EXPECT_EQ(apply(two).error().code, Errc::bad_value);
}

TEST_F(MigrationsTest, TwoNodesAtOnceApplyEachOnce)
{
    std::vector<std::future<Result<std::vector<std::string>>>> nodes;
    for (int i = 0; i < 3; ++i)
        nodes.push_back(std::async(std::launch::async, [&] { return apply(embedded_migrations()); }));
    std::size_t applied = 0;
    for (auto& node : nodes) {
        const auto result = node.get();
        ASSERT_TRUE(result) << result.error().detail;
        applied += result->size();
    }
    EXPECT_EQ(applied, embedded_migrations().size());
}

TEST_F(MigrationsTest, NoServerIsUnavailable)
{
    EXPECT_EQ(migrate(TierDsns::all("host=/nonexistent dbname=x"), two).error().code, Errc::unavailable);
}

} // namespace
} // namespace penguin::control::db
