#include "control/db/pg_connection.h"

#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>

#include "tests/support/postgres_server.h"
#include "tests/support/run.h"

namespace penguin::control::db {
namespace {

using namespace std::chrono_literals;
using test::PostgresServer;
using tests::run;

class PgConnectionTest : public testing::Test {
protected:
    PgConnectionTest()
    {
        auto opened = run(io, PgConnection::connect(ConnectOptions{server.dsn("postgres"), "", 5s}));
        if (!opened) throw std::runtime_error{opened.error().detail};
        connection = std::move(*opened);
    }
    Result<std::vector<Rows>> ask(std::vector<Statement> statements, Duration limit = 5s)
    {
        return run(io, connection->run(std::move(statements), limit));
    }
    Result<std::vector<Rows>> ask(std::string sql, Params params = {}, Duration limit = 5s)
    {
        return ask(std::vector<Statement>{{std::move(sql), std::move(params)}}, limit);
    }
    std::string backend()
    {
        return ask("select pg_backend_pid()::text as pid")->front().front().get<std::string>("pid");
    }

    PostgresServer& server = PostgresServer::instance();
    asio::io_context io;
    std::unique_ptr<PgConnection> connection;
};

TEST_F(PgConnectionTest, EveryKindOfValueSurvivesTheWay)
{
    const WallTime now = from_unix_ms(1'795'494'547'123) + 456us;
    const Uuid id = Uuid::v7(now);
    std::string octets;
    for (int i = 0; i < 256; ++i) octets += static_cast<char>(i);
    const std::vector<std::string> texts{"", "NULL", "a,b", "\"quoted\\\"", "{x}", "ümläut 😀"};
    const auto all = ask("select $1::uuid as id, $2::timestamptz as at, $3::bytea as octets, $4::text[] as texts,"
                         " $5::bigint as number, $6::boolean as yes, $7::text as nothing, $8::double precision as real,"
                         " ($9::bytea[])[1] as element, ($9::bytea[])[2] is null as gap, $10::uuid[] as none,"
                         " cardinality($11::bytea[]) as empty",
                         Params{id, now, Bytes{octets}, texts, std::int64_t{-1} << 62, true, nullptr, 0.1,
                                std::vector<std::optional<Bytes>>{Bytes{octets}, std::nullopt}, std::vector<Uuid>{},
                                std::vector<Bytes>{}});
    ASSERT_TRUE(all) << all.error().detail;
    const Row row = all->front().front();
    EXPECT_EQ(row.get<Uuid>("id"), id);
    EXPECT_EQ(row.get<WallTime>("at"), now);
    EXPECT_EQ(row.get<Bytes>("octets").value, octets);
    EXPECT_EQ(row.get<Bytes>("element").value, octets);
    EXPECT_EQ(row.get<std::vector<std::string>>("texts"), texts);
    EXPECT_EQ(row.get<std::int64_t>("number"), std::int64_t{-1} << 62);
    EXPECT_TRUE(row.get<bool>("yes"));
    EXPECT_TRUE(row.null("nothing"));
    EXPECT_EQ(row.get<double>("real"), 0.1);
    EXPECT_TRUE(row.get<bool>("gap"));
    EXPECT_EQ(row.text("none"), "{}");
    EXPECT_EQ(row.text("empty"), "0");
}

TEST_F(PgConnectionTest, SeveralStatementsComeBackInOrder)
{
    std::vector<Statement> statements;
    for (int i = 0; i < 500; ++i) statements.push_back({"select $1::int as n", Params{i}});
    const auto all = ask(std::move(statements));
    ASSERT_TRUE(all);
    ASSERT_EQ(all->size(), 500U);
    for (int i = 0; i < 500; ++i) EXPECT_EQ((*all)[static_cast<std::size_t>(i)].front().get<int>("n"), i);
}

TEST_F(PgConnectionTest, LargeValuesBothWaysDoNotLock)
{
    std::vector<Statement> statements;
    for (int i = 0; i < 8; ++i) statements.push_back({"select $1::text as back", Params{std::string(4'000'000, 'x')}});
    const auto all = ask(std::move(statements), 30s);
    ASSERT_TRUE(all) << all.error().detail;
    for (const Rows& rows : *all) EXPECT_EQ(rows.front().text("back").size(), 4'000'000U);
}

TEST_F(PgConnectionTest, AnErrorStopsTheStatementsBehindIt)
{
    ask("create temporary table seen (n int primary key)");
    const auto all = ask({{"insert into seen values (1)", {}},
                          {"insert into seen values (1)", {}},
                          {"insert into seen values (2)", {}}});
    ASSERT_FALSE(all);
    EXPECT_EQ(all.error().code, Errc::conflict);
    EXPECT_EQ(connection->failure().sqlstate, "23505");
    EXPECT_EQ(connection->failure().constraint, "seen_pkey");
    EXPECT_TRUE(connection->idle());
    EXPECT_EQ(ask("select count(*) as n from seen")->front().front().get<int>("n"), 0);
}

TEST_F(PgConnectionTest, ErrorsDoNotQuoteValues)
{
    const auto all = ask("select $1::int", Params{"somebody's data"});
    ASSERT_FALSE(all);
    EXPECT_EQ(all.error().code, Errc::bad_value);
    ask("create temporary table people (address text primary key)");
    ask("insert into people values ($1)", Params{"person@example.com"});
    const auto again = ask("insert into people values ($1)", Params{"person@example.com"});
    ASSERT_FALSE(again);
    EXPECT_FALSE(again.error().detail.contains("person@example.com")) << again.error().detail;
}

TEST_F(PgConnectionTest, AStatementThatTakesTooLongIsCancelledAndTheConnectionGoesOn)
{
    const std::string pid = backend();
    const auto slow = ask("select pg_sleep(60)", {}, 50ms);
    ASSERT_FALSE(slow);
    EXPECT_EQ(slow.error().code, Errc::timeout);
    EXPECT_FALSE(connection->lost());
    EXPECT_TRUE(connection->idle());
    EXPECT_EQ(backend(), pid);
}

TEST_F(PgConnectionTest, InATransactionTheCancelledStatementLeavesItToBeRolledBack)
{
    EXPECT_EQ(ask({{"begin", {}}, {"select pg_sleep(60)", {}}, {"select 1", {}}}, 50ms).error().code, Errc::timeout);
    EXPECT_FALSE(connection->idle());
    ASSERT_TRUE(ask("rollback"));
    EXPECT_TRUE(connection->idle());
}

TEST_F(PgConnectionTest, TheServersOwnTimeoutIsATimeout)
{
    ask("set statement_timeout = 30");
    EXPECT_EQ(ask("select pg_sleep(60)").error().code, Errc::timeout);
    EXPECT_TRUE(connection->idle());
}

TEST_F(PgConnectionTest, ATerminatedBackendIsALostConnection)
{
    server.sql("postgres", "select pg_terminate_backend(" + backend() + ")");
    const auto all = ask("select 1");
    ASSERT_FALSE(all);
    EXPECT_EQ(all.error().code, Errc::unavailable);
    EXPECT_TRUE(connection->lost());
    EXPECT_EQ(ask("select 1").error().code, Errc::unavailable);
}

TEST_F(PgConnectionTest, ABackendTerminatedInTheMiddleIsALostConnection)
{
    const auto all = ask({{"select 1", {}}, {"select pg_terminate_backend(pg_backend_pid())", {}}, {"select 2", {}}});
    ASSERT_FALSE(all);
    EXPECT_EQ(all.error().code, Errc::unavailable);
    EXPECT_TRUE(connection->lost());
}

TEST_F(PgConnectionTest, CancellingTheCoroutineLosesTheConnection)
{
    std::vector<Statement> slow{{"select pg_sleep(60)", {}}};
    const auto result = run(io, within<std::vector<Rows>>(50ms, "asking", connection->run(std::move(slow), 30s)));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::timeout);
    EXPECT_FALSE(connection->idle());
}

TEST_F(PgConnectionTest, NobodyListensIsUnavailable)
{
    const auto refused = run(io, PgConnection::connect(ConnectOptions{"host=/nonexistent dbname=x user=x", "", 5s}));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::unavailable);
    const auto no_role = run(io, PgConnection::connect(ConnectOptions{server.dsn("postgres"), "nobody_such", 5s}));
    ASSERT_FALSE(no_role);
    const auto bad_dsn = run(io, PgConnection::connect(ConnectOptions{"not a dsn", "", 5s}));
    ASSERT_FALSE(bad_dsn);
}

TEST_F(PgConnectionTest, TheUserOverTheDsnWins)
{
    server.migrated_database(); // makes the roles
    auto opened = run(io, PgConnection::connect(ConnectOptions{server.dsn("postgres"), "pm_api", 5s}));
    ASSERT_TRUE(opened);
    connection = std::move(*opened);
    EXPECT_EQ(ask("select current_user::text as who")->front().front().text("who"), "pm_api");
}

} // namespace
} // namespace penguin::control::db
