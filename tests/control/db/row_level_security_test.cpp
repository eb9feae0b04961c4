// Holds every table of the four tiers against the rules of control/README.md. Generated from the catalogue, so that a new
// table without protection fails.
#include <map>
#include <set>

#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>

#include "control/db/database.h"
#include "tests/support/postgres_server.h"
#include "tests/support/run.h"

namespace penguin::control::db {
namespace {

using namespace std::chrono_literals;
using test::PostgresServer;
using tests::run;

const std::string kA = "00000000-0000-7000-8000-00000000000a";
const std::string kB = "00000000-0000-7000-8000-00000000000b";

// Without row-level security: no tenant's data in them.
const std::set<std::string> kOpenTables{"control.settings_version", "control.migrations", "content.migrations",
                                        "queue.migrations", "analytics.migrations"};
// A platform transaction sees rows of every tenant here, and nowhere else.
const std::set<std::string> kPlatformSees{"control.tenants", "control.api_keys", "control.audit"};

// One chain for the installation: its key is the place in it.
const std::set<std::string> kKeyedOtherwise{"control.audit"};

struct Table {
    std::string name;
    bool has_tenant = false;
    bool row_security = false;
    bool forced = false;
    bool api_reads = false;
    bool api_inserts = false;
    bool api_updates = false;
    std::string first_of_key; // first column of the primary key, or ""
};

class RowLevelSecurityTest : public testing::Test {
protected:
    RowLevelSecurityTest()
    {
        owner = connect("postgres");
        api = connect("pm_api");
        // Rows are made up from the column types alone, so nothing may ask for more than the types.
        must(*owner, "do $$ declare c record; begin for c in select conrelid::regclass as t, conname from pg_constraint"
                     " where contype in ('c', 'f') and connamespace::regnamespace::text in "
                     "('control','content','queue','analytics')"
                     " and conparentid = 0 loop execute format('alter table %s drop constraint if exists %I cascade', "
                     "c.t, c.conname); end loop; end $$");
        const Rows rows = must(
            *owner,
            "select n.nspname || '.' || c.relname as name, c.relrowsecurity as secured, c.relforcerowsecurity as "
            "forced,"
            " exists (select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id') as tenant,"
            " has_table_privilege('pm_api', c.oid, 'select') as reads, has_table_privilege('pm_api', c.oid, 'insert') "
            "as inserts,"
            " has_table_privilege('pm_api', c.oid, 'update') as updates,"
            " coalesce((select a.attname from pg_index i join pg_attribute a on a.attrelid = c.oid and a.attnum = "
            "i.indkey[0]"
            "   where i.indrelid = c.oid and i.indisprimary), '') as first"
            " from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " where n.nspname in ('control', 'content', 'queue', 'analytics') and c.relkind in ('r', 'p', 'v', 'm', "
            "'f')"
            " and not c.relispartition order by 1");
        for (const Row row : rows)
            tables.push_back({row.get<std::string>("name"), row.get<bool>("tenant"), row.get<bool>("secured"),
                              row.get<bool>("forced"), row.get<bool>("reads"), row.get<bool>("inserts"),
                              row.get<bool>("updates"), row.get<std::string>("first")});
    }

    std::unique_ptr<PgConnection> connect(const std::string& user)
    {
        auto opened = run(io, PgConnection::connect(ConnectOptions{server.dsn(name, user), "", 5s}));
        if (!opened) throw std::runtime_error{opened.error().detail};
        return std::move(*opened);
    }
    Rows must(PgConnection& connection, const std::string& sql)
    {
        auto rows = run(io, connection.run({Statement{sql, {}}}, 5s));
        if (!rows) throw std::runtime_error{sql + ": " + rows.error().detail};
        return rows->front();
    }
    // By pm_api in the context of a tenant, the platform ("on") or nobody (""). Rolled back afterwards.
    Result<Rows> as(const std::string& who, const std::string& sql)
    {
        const std::string setting = who == "on" ? "app.platform" : "app.current_tenant_id";
        auto rows =
            run(io, api->run({Statement{"begin", {}},
                              Statement{"select set_config($1, $2, true)", Params{setting, who}}, Statement{sql, {}}},
                             5s));
        must(*api, "rollback");
        if (!rows) return std::unexpected{rows.error()};
        return rows->back();
    }
    int count(const std::string& who, const std::string& table)
    {
        const Result<Rows> rows = as(who, "select count(*) as n from " + table);
        return rows ? rows->front().get<int>("n") : -1;
    }
    // A row of made-up values; `tenant` where the table says whose it is.
    std::string insert_into(const std::string& table, const std::string& tenant)
    {
        const Rows columns =
            must(*owner, "select attname::text as name, format_type(atttypid, null) as type from pg_attribute"
                         " where attrelid = '" +
                             table + "'::regclass and attnum > 0 and not attisdropped");
        const std::map<std::string, std::string> values{{"uuid", "gen_random_uuid()"},
                                                        {"text", "gen_random_uuid()::text"},
                                                        {"integer", "1"},
                                                        {"smallint", "1"},
                                                        {"bigint", "1"},
                                                        {"bytea", "''"},
                                                        {"boolean", "true"},
                                                        {"timestamp with time zone", "now()"},
                                                        {"date", "current_date"},
                                                        {"jsonb", "'{}'"},
                                                        {"text[]", "'{}'"},
                                                        {"bytea[]", "'{}'"},
                                                        {"inet", "'192.0.2.1'"},
                                                        {"double precision", "1"}};
        std::string names;
        std::string list;
        for (const Row column : columns) {
            const auto column_name = column.get<std::string>("name");
            const bool owner_column = column_name == "tenant_id" || (table == "control.tenants" && column_name == "id");
            names += (names.empty() ? "" : ", ") + column_name;
            list += (list.empty() ? "" : ", ") +
                    (owner_column ? "'" + tenant + "'" : values.at(column.get<std::string>("type")));
        }
        return "insert into " + table + " (" + names + ") values (" + list + ")";
    }

    PostgresServer& server = PostgresServer::instance();
    std::string name = server.migrated_database();
    asio::io_context io;
    std::unique_ptr<PgConnection> owner;
    std::unique_ptr<PgConnection> api;
    std::vector<Table> tables;
};

bool is_tenants(const Table& table) { return table.has_tenant || table.name == "control.tenants"; }

TEST_F(RowLevelSecurityTest, ThereAreTables) { EXPECT_GE(tables.size(), 21U); }

TEST_F(RowLevelSecurityTest, TheRolesOwnNothingAndBypassNothing)
{
    EXPECT_EQ(must(*owner,
                   "select count(*) as n from pg_roles where rolname in ('pm_api', 'pm_worker') and not rolsuper"
                   " and not rolbypassrls and not rolcreaterole and not rolcreatedb")
                  .front()
                  .get<int>("n"),
              2);
    EXPECT_EQ(
        must(*owner, "select count(*) as n from pg_class where relowner in ('pm_api'::regrole, 'pm_worker'::regrole)")
            .front()
            .get<int>("n"),
        0);
    EXPECT_FALSE(as("", "create table control.mine (n int)"));
    EXPECT_FALSE(as("", "alter table control.domains disable row level security"));
    EXPECT_FALSE(as("", "set role pm_worker"));
}

TEST_F(RowLevelSecurityTest, EveryTableThatTheApiMayTouchIsSecured)
{
    for (const Table& table : tables) {
        if (!table.api_reads && !table.api_inserts && !table.api_updates) continue;
        if (kOpenTables.contains(table.name)) {
            EXPECT_FALSE(is_tenants(table)) << table.name;
            continue;
        }
        EXPECT_TRUE(table.row_security) << table.name;
        EXPECT_TRUE(table.forced) << table.name;
    }
    // Row-level security of the parent is not asked when a partition is named.
    const Rows partitions =
        must(*owner, "select c.oid::regclass::text as name, has_table_privilege('pm_api', c.oid, 'select') as reads"
                     " from pg_class c where c.relispartition and c.relkind = 'r'");
    EXPECT_GE(partitions.size(), 1U);
    for (const Row row : partitions) EXPECT_FALSE(row.get<bool>("reads")) << row.text("name");
}

TEST_F(RowLevelSecurityTest, TenantIdComesFirstInThePrimaryKey)
{
    for (const Table& table : tables)
        if (table.has_tenant && !table.first_of_key.empty() && !kKeyedOtherwise.contains(table.name))
            EXPECT_EQ(table.first_of_key, "tenant_id") << table.name;
}

TEST_F(RowLevelSecurityTest, ATenantSeesItsOwnRowsAndNoOthers)
{
    for (const Table& table : tables) {
        if (!is_tenants(table)) continue;
        must(*owner, insert_into(table.name, kB));
        EXPECT_EQ(count(kB, table.name), 1) << table.name;
        EXPECT_EQ(count(kA, table.name), 0) << table.name;
        EXPECT_EQ(count("", table.name), 0) << table.name;
        EXPECT_EQ(count("on", table.name), kPlatformSees.contains(table.name) ? 1 : 0) << table.name;
    }
}

TEST_F(RowLevelSecurityTest, ATenantChangesNothingOfOthers)
{
    for (const Table& table : tables) {
        if (!is_tenants(table)) continue;
        must(*owner, insert_into(table.name, kB));
        const std::string column = table.has_tenant ? "tenant_id" : "id";
        for (const std::string& who : {kA, std::string{}}) {
            if (table.api_inserts)
                EXPECT_EQ(as(who, insert_into(table.name, kB)).error().code, Errc::denied) << table.name;
            if (table.api_updates) {
                const Result<Rows> stolen = as(who, "update " + table.name + " set " + column + " = '" + kA + "'");
                EXPECT_TRUE(!stolen || stolen->affected() == 0) << table.name;
            }
            const Result<Rows> deleted = as(who, "delete from " + table.name);
            EXPECT_TRUE(!deleted || deleted->affected() == 0) << table.name;
        }
        // Nor gives it a row of its own away.
        if (table.api_updates && table.has_tenant)
            EXPECT_FALSE(as(kB, "update " + table.name + " set tenant_id = '" + kA + "'")) << table.name;
    }
}

TEST_F(RowLevelSecurityTest, PlatformTablesBelongToThePlatform)
{
    for (const Table& table : tables) {
        if (is_tenants(table) || kOpenTables.contains(table.name)) continue;
        must(*owner, "delete from " + table.name);
        must(*owner, insert_into(table.name, ""));
        const int tenant_sees = table.name == "control.global_suppressions" ? 1 : table.api_reads ? 0 : -1;
        EXPECT_EQ(count(kA, table.name), tenant_sees) << table.name;
        EXPECT_EQ(count("", table.name), table.api_reads ? 0 : -1) << table.name;
        EXPECT_EQ(count("on", table.name), table.api_reads ? 1 : -1) << table.name;
        EXPECT_FALSE(as(kA, insert_into(table.name, ""))) << table.name;
        const Result<Rows> deleted = as(kA, "delete from " + table.name);
        EXPECT_TRUE(!deleted || deleted->affected() == 0) << table.name;
    }
}

TEST_F(RowLevelSecurityTest, TheApiMayNotMakePartitions)
{
    EXPECT_EQ(as("on", "select analytics.add_event_partition(current_date)").error().code, Errc::denied);
}

} // namespace
} // namespace penguin::control::db
