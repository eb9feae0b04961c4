#include "control/db/tenancy.h"

#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>

#include "control/db/database.h"
#include "control/db/settings_version.h"
#include "tests/support/postgres_server.h"
#include "tests/support/run.h"

namespace penguin::control::db {
namespace {

using namespace std::chrono_literals;
using test::PostgresServer;
using tests::run;

const TenantId kTenant{Uuid::parse("00000000-0000-7000-8000-00000000000a").value()};
const WallTime kNow = from_unix_ms(1'795'494'547'123);

class TenancyTest : public testing::Test {
protected:
    static PoolOptions as(std::string_view role)
    {
        PoolOptions options;
        options.user = role;
        options.connections = 2;
        return options;
    }
    std::string sql(const std::string& statements) { return server.sql(name, statements); }

    PostgresServer& server = PostgresServer::instance();
    std::string name = server.migrated_database();
    asio::io_context io;
    Registry metrics;
    Database api{io.get_executor(), TierDsns::all(server.dsn(name)), as(kApiRole), metrics};
    Database worker{io.get_executor(), TierDsns::all(server.dsn(name)), as(kWorkerRole), metrics};
};

awaitable<Result<>> add_key(Transaction& tx, TenantId tenant, int number)
{
    const auto rows = co_await tx.query(
        "insert into control.api_keys (tenant_id, id, name, hash, scopes, created) values ($1, $2, 'k', '', '{}', $3)",
        Params{tenant, Uuid::v7(kNow + std::chrono::seconds{number}), kNow});
    if (!rows) co_return std::unexpected{rows.error()};
    co_return Result<>{};
}

TEST_F(TenancyTest, AtOnceIsOneTransactionOfTheTenant)
{
    const auto insert = [](int number) {
        return Statement{"insert into control.api_keys (tenant_id, id, name, hash, scopes, created)"
                         " values ($1, $2, 'k', '', '{}', $3)",
                         Params{kTenant, Uuid::v7(kNow + std::chrono::seconds{number}), kNow}};
    };
    const Statement count{"select count(*) as n from control.api_keys", {}};
    const auto two = run(io, at_once(api.control, kTenant, {insert(1), count}));
    ASSERT_TRUE(two) << two.error().detail;
    ASSERT_EQ(two->size(), 2U);
    EXPECT_EQ(two->back().front().get<int>("n"), 1);
    EXPECT_FALSE(run(io, at_once(api.control, kTenant, {insert(2), Statement{"select 1/0", {}}})));
    EXPECT_EQ(sql("select count(*) from control.api_keys"), "1");
    // The name of the tenant does not stay with the connection.
    const TenantId other{Uuid::parse("00000000-0000-7000-8000-00000000000b").value()};
    EXPECT_EQ(run(io, at_once(api.control, other, {count}))->front().front().get<int>("n"), 0);
    EXPECT_FALSE(run(io, at_once(api.control, other, {insert(3)})));
    const auto nobody = [&](Transaction& tx) { return tx.query(count.sql); };
    EXPECT_EQ(run(io, as_platform(api.queue, nobody))->front().get<int>("n"), 1); // keys are the platform's to find
}

TEST_F(TenancyTest, EqualDsnsShareOnePool)
{
    EXPECT_EQ(&api.control, &api.analytics);
    Database split{io.get_executor(),
                   TierDsns{server.dsn(name), server.dsn(name), "host=/nonexistent", server.dsn(name)}, as(kApiRole),
                   metrics};
    EXPECT_EQ(&split.control, &split.content);
    EXPECT_NE(&split.control, &split.queue);
    EXPECT_TRUE(run(io, api.check()));
    EXPECT_FALSE(run(io, split.check()));
    EXPECT_FALSE(split.healthy());
}

TEST_F(TenancyTest, AValueCommits)
{
    EXPECT_TRUE(run(io, as_tenant(api.control, kTenant, [](Transaction& tx) { return add_key(tx, kTenant, 1); })));
    EXPECT_EQ(sql("select count(*) from control.api_keys"), "1");
}

TEST_F(TenancyTest, AnErrorRollsBack)
{
    const auto work = [](Transaction& tx) -> awaitable<Result<>> {
        co_await add_key(tx, kTenant, 1);
        co_return fail(Errc::not_found, "changed my mind");
    };
    EXPECT_EQ(run(io, as_tenant(api.control, kTenant, work)).error().detail, "changed my mind");
    EXPECT_EQ(sql("select count(*) from control.api_keys"), "0");
    EXPECT_TRUE(run(io, api.check()));
}

TEST_F(TenancyTest, AnExceptionRollsBack)
{
    const auto work = [](Transaction& tx) -> awaitable<Result<>> {
        co_await add_key(tx, kTenant, 1);
        throw std::logic_error{"a bug"};
    };
    EXPECT_THROW(run(io, as_tenant(api.control, kTenant, work)), std::logic_error);
    EXPECT_EQ(sql("select count(*) from control.api_keys"), "0");
    EXPECT_TRUE(run(io, api.check()));
}

TEST_F(TenancyTest, WorkThatSwallowsAFailureIsNotCommitted)
{
    const auto work = [](Transaction& tx) -> awaitable<Result<>> {
        co_await add_key(tx, kTenant, 1);
        co_await tx.query("select 1/0");
        co_return Result<>{};
    };
    EXPECT_EQ(run(io, as_tenant(api.control, kTenant, work)).error().code, Errc::local_fault);
    EXPECT_EQ(sql("select count(*) from control.api_keys"), "0");
}

TEST_F(TenancyTest, NothingOfTheTenantStaysOnTheConnection)
{
    const auto who = [](Transaction& tx) -> awaitable<Result<std::string>> {
        const auto rows =
            co_await tx.query("select coalesce(current_setting('app.current_tenant_id', true), '') || '/' ||"
                              " coalesce(current_setting('app.platform', true), '') as who");
        if (!rows) co_return std::unexpected{rows.error()};
        co_return rows->front().get<std::string>("who");
    };
    EXPECT_EQ(run(io, as_tenant(api.control, kTenant, who)), kTenant.value().text() + "/");
    EXPECT_EQ(run(io, as_platform(api.control, who)), "/on");
    EXPECT_EQ(run(io, as_tenant(api.control, kTenant, who)), kTenant.value().text() + "/");
}

TEST_F(TenancyTest, ASerializationFailureIsRunAgain)
{
    int runs = 0;
    const auto work = [&](Transaction& tx) -> awaitable<Result<>> {
        ++runs;
        const Result<> added = co_await add_key(tx, kTenant, runs);
        if (!added) co_return added;
        if (runs < 3) {
            const auto rows = co_await tx.query("do $$ begin raise exception 'x' using errcode = '40001'; end $$");
            if (!rows) co_return std::unexpected{rows.error()};
        }
        co_return Result<>{};
    };
    EXPECT_TRUE(run(io, as_tenant(api.control, kTenant, work)));
    EXPECT_EQ(runs, 3);
    EXPECT_EQ(sql("select count(*) from control.api_keys"), "1");
}

TEST_F(TenancyTest, ButNotForEver)
{
    unsigned runs = 0;
    const auto work = [&](Transaction& tx) -> awaitable<Result<>> {
        ++runs;
        const auto rows = co_await tx.query("do $$ begin raise exception 'x' using errcode = '40P01'; end $$");
        if (!rows) co_return std::unexpected{rows.error()};
        co_return Result<>{};
    };
    EXPECT_EQ(run(io, as_tenant(api.control, kTenant, work)).error().code, Errc::unavailable);
    EXPECT_EQ(runs, kAttemptsMax);
}

TEST_F(TenancyTest, ABackendLostBeforeTheCommitIsRunAgainOnAnother)
{
    int runs = 0;
    const auto work = [&](Transaction& tx) -> awaitable<Result<>> {
        ++runs;
        const Result<> added = co_await add_key(tx, kTenant, runs);
        if (!added) co_return added;
        if (runs == 1)
            server.sql("postgres", "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'pm_api'");
        const auto rows = co_await tx.query("select 1");
        if (!rows) co_return std::unexpected{rows.error()};
        co_return Result<>{};
    };
    EXPECT_TRUE(run(io, as_tenant(api.control, kTenant, work)));
    EXPECT_EQ(runs, 2);
    EXPECT_EQ(sql("select count(*) from control.api_keys"), "1");
}

TEST_F(TenancyTest, ALostCommitIsNotRunAgain)
{
    int runs = 0;
    const auto work = [&](Transaction& tx) -> awaitable<Result<>> {
        ++runs;
        const Result<> added = co_await add_key(tx, kTenant, runs);
        server.sql("postgres", "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'pm_api'");
        co_return added;
    };
    EXPECT_EQ(run(io, as_tenant(api.control, kTenant, work)).error().code, Errc::unavailable);
    EXPECT_EQ(runs, 1);
}

TEST_F(TenancyTest, SettingsVersionMovesAndSuppressionsAreTakenOnce)
{
    const auto add = [](Transaction& tx) -> awaitable<Result<std::size_t>> {
        std::vector<NewSuppression> both;
        both.push_back({kTenant, "a@example.com", "bounce", "e1"});
        both.push_back({kTenant, "b@example.com", "bounce", "e2"});
        both.push_back({std::nullopt, "c@example.com", "manual", ""});
        Result<std::size_t> added = co_await add_suppressions(tx, std::move(both), kNow);
        co_return added;
    };
    EXPECT_EQ(run(io, as_platform(worker.control, add)), 3U);
    EXPECT_EQ(run(io, as_platform(worker.control, add)), 0U);
    EXPECT_EQ(sql("select string_agg(address || change, ',' order by address) from control.suppressions"),
              "a@example.com2,b@example.com2");
    const auto remove = [](Transaction& tx) { return remove_suppression(tx, kTenant, "a@example.com"); };
    EXPECT_TRUE(run(io, as_tenant(api.control, kTenant, remove)));
    EXPECT_EQ(run(io, as_tenant(api.control, kTenant, remove)).error().code, Errc::not_found);
    EXPECT_TRUE(run(io, as_platform(api.control, [](Transaction& tx) {
                        return settings_changed(tx, {.time = kNow, .action = "a", .actor = "", .resource = ""});
                    })));
    EXPECT_EQ(sql("select settings || '/' || suppressions_removed from control.settings_version"), "2/2");
}

} // namespace
} // namespace penguin::control::db
