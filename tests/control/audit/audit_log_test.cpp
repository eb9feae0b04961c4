// The audit log in a real PostgreSQL: one chain, append-only to our roles, each tenant its own; and who keeps refused callers in it.
#include "control/audit/audit_log.h"

#include <thread>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "control/audit/record_text.h"
#include "control/db/database.h"
#include "control/db/migrations.h"
#include "control/db/settings_version.h"
#include "tests/support/postgres_server.h"
#include "tests/support/run.h"

namespace penguin::control::audit {
namespace {

using namespace std::chrono_literals;
using penguin::test::PostgresServer;
using tests::run;

const TenantId kA{*Uuid::parse("01936f8a-0000-7000-8000-00000000000a")};
const TenantId kB{*Uuid::parse("01936f8a-0000-7000-8000-00000000000b")};

db::AuditEntry entry_about(std::optional<TenantId> tenant, std::string resource = "tenant/x")
{
    return {.time = wall_now(),
            .action = "tenant.updated",
            .actor = "k",
            .tenant = tenant,
            .resource = std::move(resource)};
}

class AuditDbTest : public testing::Test {
protected:
    ~AuditDbTest() override
    {
        for (auto* database : {&api_, &worker_, &owner_}) (*database)->close();
        io_.restart();
        io_.poll();
    }
    std::unique_ptr<db::Database> connect(std::string_view user)
    {
        return std::make_unique<db::Database>(io_.get_executor(), db::TierDsns::all(server_.dsn(name_, user)),
                                              db::PoolOptions{}, metrics_);
    }
    Result<> append(db::AuditEntry entry)
    {
        return run(io_,
                   db::as_platform(api_->control, [&](db::Transaction& tx) { return db::append_audit(tx, entry); }));
    }
    Result<> append_as(TenantId tenant, db::AuditEntry entry)
    {
        return run(io_, db::as_tenant(api_->control, tenant,
                                      [&](db::Transaction& tx) { return db::append_audit(tx, entry); }));
    }
    Result<db::Rows> as(db::Database& who, std::optional<TenantId> tenant, std::string sql)
    {
        const auto work = [&sql](db::Transaction& tx) { return tx.query(sql); };
        return tenant ? run(io_, db::as_tenant(who.control, *tenant, work))
                      : run(io_, db::as_platform(who.control, work));
    }
    std::vector<AuditRecord> all()
    {
        const auto rows = as(*owner_, {}, std::string{"select "} + kRecordColumns + " from control.audit order by seq");
        std::vector<AuditRecord> records;
        for (const db::Row row : rows.value()) records.push_back(record_of(row));
        return records;
    }
    std::optional<ChainFault> fault()
    {
        ChainCheck check;
        for (const AuditRecord& record : all())
            if (auto found = check.take(record)) return found;
        return std::nullopt;
    }
    std::string sql(const std::string& text) { return server_.sql(name_, text); }

    PostgresServer& server_ = PostgresServer::instance();
    std::string name_ = server_.migrated_database();
    Registry metrics_;
    asio::io_context io_;
    std::unique_ptr<db::Database> api_ = connect("pm_api");
    std::unique_ptr<db::Database> worker_ = connect("pm_worker");
    std::unique_ptr<db::Database> owner_ = connect("postgres");
};

TEST_F(AuditDbTest, PostgresAndWeMakeTheSameHashOfAnyText)
{
    db::AuditEntry nasty = entry_about(kA, "\xC3\xA9,:\"\\\n\t'1:");
    nasty.time = WallTime{std::chrono::microseconds{1'700'000'000'000'001}};
    nasty.actor = "\xE2\x82\xAC\xF0\x9F\x90\xA7";
    nasty.detail = R"({"why":"a\nb","x":"\u0000"})";
    ASSERT_TRUE(append(nasty));
    ASSERT_TRUE(append({.time = WallTime{}, .action = "a", .actor = "", .resource = ""}));
    EXPECT_EQ(all().at(0).entry, nasty);
    EXPECT_EQ(fault(), std::nullopt);
    const Head head{2, all().at(1).hash};
    EXPECT_EQ(sql("select seq || ':' || encode(hash, 'hex') from control.audit_head"), head.text());
}

TEST_F(AuditDbTest, ARecordNeverStopsTheChangeThatItIsAbout)
{
    db::AuditEntry odd = entry_about(kA, std::string(600, 'r'));
    odd.actor = std::string(255, 'a') + "\xC3\xA9";
    odd.peer = std::string("a\0b", 3);
    odd.request_id = "\xFF";
    odd.detail = std::string(5'000, ' ');
    ASSERT_TRUE(append(odd));
    const db::AuditEntry kept = all().at(0).entry;
    EXPECT_EQ(kept.resource.size(), db::kAuditResourceMax);
    EXPECT_EQ(kept.actor, std::string(255, 'a'));
    EXPECT_EQ(kept.peer, "a?b");
    EXPECT_EQ(kept.request_id, "?");
    EXPECT_EQ(kept.detail, R"({"cut":true})");
    EXPECT_EQ(fault(), std::nullopt);
}

TEST_F(AuditDbTest, ManyAtOnceMakeOneChain)
{
    constexpr int kThreads = 4;
    constexpr int kEach = 50;
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i)
        threads.emplace_back([this, i] {
            asio::io_context io;
            Registry metrics;
            db::PgPool pool{io.get_executor(), {.dsn = server_.dsn(name_, i % 2 ? "pm_api" : "pm_worker")}, metrics};
            for (int n = 0; n < kEach; ++n) {
                const auto work = [](db::Transaction& tx) -> awaitable<Result<>> {
                    co_return co_await db::settings_changed(tx, entry_about(kA));
                };
                EXPECT_TRUE(run(io, db::as_platform(pool, work)));
            }
            pool.close();
        });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(all().size(), static_cast<std::size_t>(kThreads * kEach));
    EXPECT_EQ(fault(), std::nullopt);
}

TEST_F(AuditDbTest, AChangeThatIsRolledBackLeavesNoRecord)
{
    const auto work = [](db::Transaction& tx) -> awaitable<Result<>> {
        const Result<> noted = co_await db::settings_changed(tx, entry_about(kA));
        if (!noted) co_return noted;
        co_return fail(Errc::conflict, "after all");
    };
    EXPECT_FALSE(run(io_, db::as_platform(api_->control, work)));
    EXPECT_TRUE(all().empty());
    const Counter& told = metrics_.counter("penguin_audit_changes_total", "", {{"action", "tenant.updated"}});
    EXPECT_EQ(told.value(), 0U) << "nor is it told";
    ASSERT_TRUE(append(entry_about(kA)));
    EXPECT_EQ(told.value(), 1U);
    EXPECT_EQ(all().at(0).seq, 1) << "no gap";
    EXPECT_EQ(fault(), std::nullopt);
}

TEST_F(AuditDbTest, OurRolesAppendAndChangeNothing)
{
    ASSERT_TRUE(append(entry_about(kA)));
    for (db::Database* who : {api_.get(), worker_.get()}) {
        for (const std::optional<TenantId>& tenant : {std::optional<TenantId>{}, std::optional{kA}})
            for (const char* statement : {"insert into control.audit select seq + 1, time, action, actor, tenant_id, "
                                          "resource, peer, request_id, "
                                          "detail, hash from control.audit",
                                          "update control.audit set actor = 'x'", "delete from control.audit",
                                          "truncate control.audit", "update control.audit_head set seq = 0",
                                          "delete from control.audit_head", "select seq from control.audit_head"})
                EXPECT_EQ(as(*who, tenant, statement).error().code, Errc::denied) << statement;
    }
    EXPECT_EQ(all().size(), 1U);
    EXPECT_EQ(fault(), std::nullopt);
}

TEST_F(AuditDbTest, ATenantSeesAndSaysOnlyWhatIsAboutItself)
{
    ASSERT_TRUE(append(entry_about(kA)));
    ASSERT_TRUE(append(entry_about({})));
    ASSERT_TRUE(append_as(kB, entry_about(kB)));
    EXPECT_EQ(append_as(kB, entry_about(kA)).error().code, Errc::denied);
    EXPECT_EQ(append_as(kB, entry_about({})).error().code, Errc::denied);
    const std::string count = "select count(*) as n from control.audit";
    EXPECT_EQ(as(*api_, kA, count)->front().get<int>("n"), 1);
    EXPECT_EQ(as(*api_, kB, count)->front().get<int>("n"), 1);
    EXPECT_EQ(as(*api_, {}, count)->front().get<int>("n"), 3);
    EXPECT_EQ(server_.sql(name_, "set role pm_api; select count(*) from control.audit"), "0") << "nobody in particular";
    EXPECT_THROW(
        server_.sql(name_, "set role pm_api; select control.audit_append(now(), 'a', '', null, '', '', '', '{}')"),
        std::runtime_error);
    EXPECT_EQ(fault(), std::nullopt);
}

// An owner who is no superuser is bound by the policies too: the migration gives it what appending needs, and no more.
TEST_F(AuditDbTest, AnOwnerWithoutPrivilegesCanAppendAndNotChange)
{
    const std::string mine = server_.empty_database();
    server_.sql("postgres",
                "do $$ begin create role plain_owner login; exception when duplicate_object then null; end $$");
    server_.sql("postgres", "alter database " + mine + " owner to plain_owner");
    const db::TierDsns dsns = db::TierDsns::all(server_.dsn(mine, "plain_owner"));
    const auto applied = db::migrate(dsns, db::embedded_migrations());
    ASSERT_TRUE(applied) << applied.error().detail;
    name_ = mine;
    api_ = connect("pm_api");
    owner_ = connect("plain_owner");
    const auto appended = append(entry_about(kA));
    ASSERT_TRUE(appended) << appended.error().detail;
    ASSERT_EQ(all().size(), 1U);
    EXPECT_EQ(fault(), std::nullopt);
    EXPECT_EQ(as(*owner_, {}, "update control.audit set actor = 'x'")->affected(), 0U);
    EXPECT_EQ(as(*owner_, {}, "delete from control.audit")->affected(), 0U);
    EXPECT_EQ(all().size(), 1U);
}

TEST_F(AuditDbTest, KeysOfThePlatformThatCouldDoEverythingMayReadIt)
{
    const std::string fresh = server_.empty_database();
    auto migrations = db::embedded_migrations();
    std::erase_if(migrations,
                  [](const db::Migration& one) { return one.tier == db::Tier::control && one.number >= 2; });
    ASSERT_TRUE(db::migrate(db::TierDsns::all(server_.dsn(fresh)), migrations));
    server_.sql(fresh,
                "insert into control.platform_keys (id, name, hash, scopes, created) values "
                "(gen_random_uuid(), 'all', '', '{tenants:read,tenants:write,pools:read,pools:write,sources:read,"
                "sources:write,keys:read,keys:write,queue:write}', now()),"
                "(gen_random_uuid(), 'few', '', '{tenants:read,queue:write}', now())");
    ASSERT_TRUE(db::migrate(db::TierDsns::all(server_.dsn(fresh)), db::embedded_migrations()));
    EXPECT_EQ(
        server_.sql(fresh, "select string_agg(name, ',') from control.platform_keys where 'audit:read' = any(scopes)"),
        "all");
}

SecurityEvent failure(const std::string& peer)
{
    return {.kind = {.action = SecurityAction::auth_failed, .peer = peer, .actor = "", .why = "wrong secret"},
            .time = wall_now()};
}

class AuditLogTest : public AuditDbTest {
protected:
    bool write(SteadyTime::duration after) { return run(io_, log_.write(start_ + after)); }
    void stop(Duration limit)
    {
        const auto work = [&]() -> awaitable<Result<>> {
            co_await log_.stop(limit);
            co_return Result<>{};
        };
        EXPECT_TRUE(run(io_, work()));
    }
    std::uint64_t dropped() { return metrics_.counter("penguin_audit_dropped_total", "").value(); }

    AuditLog log_{api_->control, metrics_};
    SteadyTime start_ = std::chrono::steady_clock::now();
};

TEST_F(AuditLogTest, KeepsWhoWasRefused)
{
    for (int i = 0; i < 10; ++i) log_.note(failure("192.0.2.1"));
    log_.note({.kind = {.action = SecurityAction::request_denied,
                        .peer = "unix",
                        .actor = "k",
                        .tenant = kA,
                        .route = "GET /v1/tenants",
                        .why = "platform_required"},
               .request_id = "r",
               .time = wall_now()});
    EXPECT_TRUE(write(1s));
    const auto records = all();
    ASSERT_EQ(records.size(), 2U);
    EXPECT_EQ(records[0].entry.action, "auth.failed");
    EXPECT_EQ(records[0].entry.tenant, std::nullopt);
    EXPECT_NE(records[0].entry.detail.find(R"("count":10)"), std::string::npos);
    EXPECT_EQ(records[1].entry.tenant, kA);
    EXPECT_EQ(fault(), std::nullopt);
    EXPECT_EQ(metrics_.counter("penguin_audit_records_total", "", {{"action", "auth.failed"}}).value(), 1U);
    EXPECT_TRUE(write(2s));
    EXPECT_EQ(all().size(), 2U);
}

SecurityEvent denial(std::uint64_t number)
{
    return {.kind = {.action = SecurityAction::request_denied,
                     .peer = "192.0.2." + std::to_string(number % 200),
                     .actor = "k",
                     .route = "GET /v1/tenants",
                     .why = "platform_required"},
            .time = wall_now()};
}

// However many peers share in it.
TEST_F(AuditLogTest, ABurstOfFailuresOrDenialsIsAnAlertOnceAMinute)
{
    SteadyTime now = start_;
    AuditLog log{api_->control, metrics_, [&now] { return now; }};
    const auto bursts = [this](const char* of) {
        return metrics_.counter("penguin_audit_bursts_total", "", {{"of", of}}).value();
    };
    for (std::uint64_t i = 0; i < AuditLog::kBurst - 1; ++i) {
        SecurityEvent wrong = failure("192.0.2." + std::to_string(i));
        if (i % 2 == 1) wrong.kind.action = SecurityAction::auth_forged_token;
        log.note(std::move(wrong));
        log.note(denial(i));
    }
    EXPECT_EQ(bursts("auth.failed"), 0U);
    EXPECT_EQ(bursts("request.denied"), 0U);
    log.note(failure("192.0.2.1"));
    EXPECT_EQ(bursts("auth.failed"), 1U);
    EXPECT_EQ(bursts("request.denied"), 0U) << "each for itself";
    for (std::uint64_t i = 0; i < 3 * AuditLog::kBurst; ++i) log.note(denial(i));
    EXPECT_EQ(bursts("request.denied"), 1U);
    now += EventTally::kWindow;
    for (std::uint64_t i = 0; i < AuditLog::kBurst; ++i) log.note(denial(i));
    EXPECT_EQ(bursts("request.denied"), 2U);
    EXPECT_EQ(metrics_.counter("penguin_audit_events_total", "", {{"action", "request.denied"}}).value(),
              5 * AuditLog::kBurst - 1);
}

TEST_F(AuditLogTest, WaitsForPostgresAndCountsWhatFindsNoRoom)
{
    server_.stop();
    // A minute each, and as many kinds as a minute may tell.
    const std::size_t minutes = AuditLog::kWaitingMax / (EventTally::kRowsAMinute + 1) + 2;
    std::uint64_t noted = 0;
    for (std::size_t minute = 0; minute < minutes; ++minute) {
        for (std::size_t i = 0; i < 2 * EventTally::kRowsAMinute; ++i, ++noted)
            log_.note(failure(std::to_string(minute) + "." + std::to_string(i)));
        EXPECT_FALSE(write(minute * 1min));
    }
    EXPECT_GT(dropped(), 0U);
    server_.start();
    bool written = false;
    for (int i = 0; i < 200 && !written; ++i) { // until the pool's back-off has passed
        std::this_thread::sleep_for(50ms);
        written = write(minutes * 1min + i * 1ms);
    }
    ASSERT_TRUE(written);
    stop(5s);
    EXPECT_EQ(fault(), std::nullopt);
    EXPECT_GE(all().size(), AuditLog::kWaitingMax);
    const std::uint64_t told = std::stoull(sql("select sum((detail::jsonb ->> 'count')::bigint) from control.audit"));
    EXPECT_EQ(told + dropped(), noted) << "every event is told or counted as dropped";
}

TEST_F(AuditLogTest, WritesWhatIsThereBeforeItStops)
{
    for (int i = 0; i < 40; ++i) log_.note(failure("192.0.2." + std::to_string(i)));
    asio::co_spawn(io_, log_.run(), [](const std::exception_ptr&) {});
    stop(5s);
    const std::uint64_t told = std::stoull(sql("select sum((detail::jsonb ->> 'count')::bigint) from control.audit"));
    EXPECT_EQ(told, 40U);
}

TEST_F(AuditLogTest, StopsInTimeWithoutPostgres)
{
    log_.note(failure("192.0.2.1"));
    server_.stop();
    const auto begun = std::chrono::steady_clock::now();
    stop(1s);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 5s);
    server_.start();
    EXPECT_TRUE(sql("select count(*) from control.audit") == "0");
}

} // namespace
} // namespace penguin::control::audit
