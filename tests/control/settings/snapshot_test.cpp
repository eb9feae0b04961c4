#include "control/settings/snapshot.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "control/db/settings_version.h"
#include "tests/support/stores.h"

namespace penguin::control {
namespace {

using namespace test;
namespace fs = std::filesystem;

class SnapshotTest : public testing::Test {
protected:
    SnapshotTest()
    {
        add_tenant(server, name, kTenantA);
        std::string made = (fs::temp_directory_path() / "settings-XXXXXX").string();
        folder = mkdtemp(made.data());
        keeper = make();
    }
    ~SnapshotTest() override { fs::remove_all(folder); }

    std::unique_ptr<SnapshotKeeper> make()
    {
        delivery::LaneLimits limits;
        limits.connections = 3;
        keeper.reset(); // which works with the rules
        rules = std::make_unique<RulesInForce>(policy::shipped_rule_file(), metrics);
        return std::make_unique<SnapshotKeeper>(
            worker.control, SnapshotKeeper::Options{NodeName{"node-1"}, folder, limits}, *rules,
            [this](Snapshot published) { snapshots.push_back(std::move(published)); }, metrics);
    }
    std::string sql(const std::string& statements) { return server.sql(name, statements); }
    bool refresh() { return tests::run(io, keeper->refresh()).value(); }
    void changed() { sql("update control.settings_version set settings = settings + 1"); }
    void suppress(std::optional<TenantId> tenant, std::string text)
    {
        const auto add = [&](db::Transaction& tx) -> awaitable<Result<std::size_t>> {
            std::vector<db::NewSuppression> one;
            one.push_back({tenant, text, "manual", ""});
            Result<std::size_t> added = co_await db::add_suppressions(tx, std::move(one), wall_now());
            co_return added;
        };
        ASSERT_TRUE(tests::run(io, db::as_platform(worker.control, add)));
    }
    bool covered(TenantId tenant, std::string_view text)
    {
        return snapshots.back().settings->suppressions->covers(tenant, address(text));
    }

    PostgresServer& server = PostgresServer::instance();
    std::string name = server.migrated_database();
    asio::io_context io;
    Registry metrics;
    db::Database worker{io.get_executor(), db::TierDsns::all(server.dsn(name)), Stores::as(db::kWorkerRole), metrics};
    fs::path folder;
    std::vector<Snapshot> snapshots;
    std::unique_ptr<RulesInForce> rules;
    std::unique_ptr<SnapshotKeeper> keeper;
};

TEST_F(SnapshotTest, HoldsWhatTheEngineNeeds)
{
    sql("insert into control.sources values (gen_random_uuid(), '192.0.2.1', 'mail.example', 'node-1', 'default', "
        "now()),"
        " (gen_random_uuid(), '192.0.2.2', 'mail2.example', 'node-2', 'default', now())");
    sql("insert into control.dkim_keys select tenant_id, gen_random_uuid(), id, 's1', 'rsa-sha256', 'p', '\\x00ff', 3, "
        "true, now() from control.domains");
    sql("insert into control.dkim_keys select tenant_id, gen_random_uuid(), id, 's2', 'rsa-sha256', 'p', '\\x00', 1, "
        "false, now() from control.domains");
    add_tenant(server, name, kTenantB, "unverified.example", "suspended");
    sql("update control.domains set verified = null where name = 'unverified.example'; update control.tenants set "
        "weight = 2.5 where id = '" +
        kTenantA.value().text() + "'");
    ASSERT_TRUE(tests::run(io, keeper->start()));
    ASSERT_EQ(snapshots.size(), 1U);
    const delivery::Settings& settings = *snapshots[0].settings;
    EXPECT_EQ(settings.version, 4U);
    EXPECT_EQ(settings.limits.connections, 3U);
    ASSERT_EQ(settings.sources.size(), 1U);
    EXPECT_EQ(settings.sources[0].address.to_string(), "192.0.2.1");
    EXPECT_EQ(settings.tenants.at(kTenantA).weight, 2.5);
    EXPECT_FALSE(settings.tenants.at(kTenantA).suspended);
    EXPECT_TRUE(settings.tenants.at(kTenantB).suspended);
    EXPECT_EQ(settings.domains.size(), 1U);
    EXPECT_EQ(settings.domains.at(DomainName::parse("sender.example").value()).tenant, kTenantA);
    ASSERT_EQ(snapshots[0].keys.size(), 1U);
    EXPECT_EQ(snapshots[0].keys[0].selector, "s1");
    EXPECT_EQ(snapshots[0].keys[0].sealed, (std::string{"\0\xff", 2}));
    EXPECT_EQ(snapshots[0].keys[0].version, 3U);
}

TEST_F(SnapshotTest, HoldsTheWarmUpOfThisNodesSources)
{
    sql("insert into control.sources values ('00000000-0000-7000-8000-000000000001', '192.0.2.1', 'm.example', "
        "'node-1', "
        "'default', now()), ('00000000-0000-7000-8000-000000000002', '192.0.2.2', 'n.example', 'node-2', 'default', "
        "now());"
        "insert into control.warmups (source_id, plan, start, hour_from, hour_to, created)"
        " select id, 'cold', date '2026-03-01', 7, 19, now() from control.sources;"
        "insert into control.warmup_lanes (source_id, provider, stage, stopped, cap)"
        " select id, 'gmail', 5, date '2026-03-10', null::bigint from control.sources"
        " union all select id, 'other', 0, null, 12 from control.sources");
    ASSERT_TRUE(tests::run(io, keeper->start()));
    const delivery::Settings& settings = *snapshots.back().settings;
    ASSERT_EQ(settings.warmups.size(), 1U);
    const delivery::WarmupShares& shares = settings.warmups.at(settings.sources.front().id);
    EXPECT_EQ(shares.at("gmail"), (policy::WarmupRule{.cap = 28,
                                                      .start = policy::Day{std::chrono::year{2026} / 3 / 1},
                                                      .stopped = policy::Day{std::chrono::year{2026} / 3 / 10},
                                                      .hour_from = 7,
                                                      .hour_to = 19}));
    EXPECT_EQ(shares.at("other").cap, 12U);
}

TEST_F(SnapshotTest, IsPublishedOnlyWhenSomethingMoved)
{
    ASSERT_TRUE(tests::run(io, keeper->start()));
    EXPECT_FALSE(refresh());
    sql("update control.tenants set weight = 7");
    EXPECT_FALSE(refresh());
    changed();
    EXPECT_TRUE(refresh());
    EXPECT_EQ(snapshots.back().settings->tenants.at(kTenantA).weight, 7);
    EXPECT_GT(snapshots[1].settings->version, snapshots[0].settings->version);
    EXPECT_EQ(snapshots[1].settings->suppressions, snapshots[0].settings->suppressions)
        << "the list was read again for nothing";
    EXPECT_FALSE(refresh());
}

TEST_F(SnapshotTest, OfCampaignsItHasThoseThatAreStopped)
{
    const auto add = [&](int number, const char* state, const char* changed) {
        sql(fmt::format("insert into control.campaigns values ('{}', '00000000-0000-7000-8000-{:012}', '{}', {})",
                        kTenantA.value().text(), number, state, changed));
    };
    const auto stopped = [&](int number) {
        const auto id = Uuid::parse(fmt::format("00000000-0000-7000-8000-{:012}", number)).value();
        return snapshots.back().settings->stopped(kTenantA, CampaignId{id});
    };
    add(1, "active", "now()");
    add(2, "paused", "now() - interval '1 year'");
    add(3, "cancelled", "now() - interval '60 days'");
    add(4, "cancelled", "now() - interval '62 days'"); // nothing that it was accepted with can be left
    ASSERT_TRUE(tests::run(io, keeper->start()));
    EXPECT_EQ(snapshots.back().settings->campaigns.size(), 2U);
    EXPECT_EQ(stopped(2), delivery::CampaignState::paused);
    EXPECT_EQ(stopped(3), delivery::CampaignState::cancelled);
    sql("update control.campaigns set state = 'active' where state = 'paused'");
    changed();
    EXPECT_TRUE(refresh());
    EXPECT_EQ(stopped(2), std::nullopt);
    EXPECT_EQ(stopped(3), delivery::CampaignState::cancelled);
    const SettingsFile kept = parse_settings_file(read_file(folder / "settings.json").value()).value();
    EXPECT_EQ(settings_of(kept).campaigns, snapshots.back().settings->campaigns);
}

class StoredRulesTest : public SnapshotTest {
protected:
    void store(int number, const std::string& text)
    {
        sql(fmt::format("insert into control.rule_versions (number, text, author, shipped, created) "
                        "values ({}, '{}', 'a', 's', now()); "
                        "update control.settings_version set settings = settings + 1",
                        number, text));
    }
    static std::string rule(const std::string& id)
    {
        return fmt::format("[[rule]]\nid = \"{}\"\nsays = \"code 7\"\nclass = \"rate_limited\"\n", id);
    }
    std::string first() { return snapshots.back().settings->rules->rules().front()->id; }
};

TEST_F(StoredRulesTest, TheNewestVersionIsInForceAndKeptOnDisk)
{
    ASSERT_TRUE(tests::run(io, keeper->start()));
    EXPECT_EQ(snapshots.back().settings->rules->rules().size(), policy::shipped_rules()->rules().size());
    store(1, rule("one"));
    store(2, rule("two"));
    EXPECT_TRUE(refresh());
    EXPECT_EQ(first(), "two");
    const auto book = snapshots.back().settings->rules;
    changed();
    EXPECT_TRUE(refresh());
    EXPECT_EQ(snapshots.back().settings->rules, book) << "compiled again for nothing";
    server.stop();
    keeper = make();
    const Result<> started = tests::run(io, keeper->start());
    server.start();
    ASSERT_TRUE(started) << started.error().detail;
    EXPECT_EQ(first(), "two");
    EXPECT_EQ(rules->stored().number, 2);
}

TEST_F(StoredRulesTest, OneThatCannotBeUsedHereLeavesTheOneBeforeAlsoOverARestart)
{
    store(1, rule("one"));
    ASSERT_TRUE(tests::run(io, keeper->start()));
    EXPECT_EQ(first(), "one");
    store(2, "[[rule]]\nid = \"of-another-program\"\noff = true\n");
    EXPECT_TRUE(refresh());
    EXPECT_EQ(first(), "one");
    EXPECT_EQ(rules->refused()->version.number, 2);
    keeper = make();
    ASSERT_TRUE(tests::run(io, keeper->start()));
    EXPECT_EQ(first(), "one");
    EXPECT_EQ(rules->stored().number, 1);
    EXPECT_EQ(rules->refused()->version.number, 2);
    store(3, rule("three"));
    EXPECT_TRUE(refresh());
    EXPECT_EQ(first(), "three");
    EXPECT_EQ(rules->refused(), std::nullopt);
}

TEST_F(StoredRulesTest, WithoutAnyVersionTheLayersOfTheNodeCount)
{
    store(1, rule("one"));
    ASSERT_TRUE(tests::run(io, keeper->start()));
    sql("delete from control.rule_versions");
    changed();
    EXPECT_TRUE(refresh());
    EXPECT_EQ(snapshots.back().settings->rules->rules().size(), policy::shipped_rules()->rules().size());
}

TEST_F(SnapshotTest, SuppressionsComeAndGo)
{
    suppress(kTenantA, "a@b.example");
    ASSERT_TRUE(tests::run(io, keeper->start()));
    EXPECT_TRUE(covered(kTenantA, "a@b.example"));
    suppress(kTenantA, "c@b.example");
    suppress(std::nullopt, "all@b.example");
    EXPECT_TRUE(refresh());
    EXPECT_TRUE(covered(kTenantA, "a@b.example"));
    EXPECT_TRUE(covered(kTenantA, "c@b.example"));
    EXPECT_FALSE(covered(kTenantB, "c@b.example"));
    EXPECT_TRUE(covered(kTenantB, "all@b.example"));
    EXPECT_TRUE(
        tests::run(io, db::as_platform(worker.control, [](db::Transaction& tx) { return tx.query("select 1"); })));
    sql("delete from control.suppressions where address = 'a@b.example'; update control.settings_version set "
        "suppressions_removed = suppressions_removed + 1");
    EXPECT_TRUE(refresh());
    EXPECT_FALSE(covered(kTenantA, "a@b.example"));
    EXPECT_TRUE(covered(kTenantA, "c@b.example"));
}

TEST_F(SnapshotTest, MorePagesThanOne)
{
    sql("insert into control.suppressions select '" + kTenantA.value().text() +
        "', 'p' || n || '@b.example', '', '', 1, now() from generate_series(1, 25000) n");
    sql("insert into control.global_suppressions select 'g' || n || '@b.example', '', '', 1, now() from "
        "generate_series(1, 20000) n");
    ASSERT_TRUE(tests::run(io, keeper->start()));
    EXPECT_EQ(snapshots[0].settings->suppressions->size(), 45'000U);
}

TEST_F(SnapshotTest, StartsFromDiskWhilePostgresIsAwayAndCatchesUp)
{
    suppress(kTenantA, "a@b.example");
    ASSERT_TRUE(tests::run(io, keeper->start()));
    suppress(kTenantA, "later@b.example");
    EXPECT_TRUE(refresh());
    const std::uint64_t version = snapshots.back().settings->version;
    server.stop();
    keeper = make();
    const Result<> started = tests::run(io, keeper->start());
    EXPECT_FALSE(tests::run(io, keeper->refresh()));
    server.start();
    ASSERT_TRUE(started) << started.error().detail;
    EXPECT_EQ(snapshots.back().settings->version, version);
    EXPECT_TRUE(snapshots.back().settings->from_disk);
    EXPECT_EQ(snapshots.back().settings->tenants.size(), 1U);
    EXPECT_TRUE(covered(kTenantA, "a@b.example"));
    EXPECT_TRUE(covered(kTenantA, "later@b.example"));
    const auto until_back = [&]() -> awaitable<bool> {
        for (int i = 0; i < 100; ++i) {
            const Result<bool> done = co_await keeper->refresh();
            if (done) co_return *done;
            co_await sleep_for(std::chrono::milliseconds{50});
        }
        co_return false;
    };
    EXPECT_TRUE(tests::run(io, until_back()));
    EXPECT_FALSE(snapshots.back().settings->from_disk);
}

TEST_F(SnapshotTest, NeitherPostgresNorDiskIsAnError)
{
    server.stop();
    const Result<> started = tests::run(io, keeper->start());
    server.start();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, Errc::unavailable);
    EXPECT_TRUE(snapshots.empty());
}

TEST_F(SnapshotTest, WithoutTheSuppressionListNothingIsSent)
{
    ASSERT_TRUE(tests::run(io, keeper->start()));
    fs::remove(folder / "suppressions.txt");
    server.stop();
    keeper = make();
    const Result<> started = tests::run(io, keeper->start());
    server.start();
    EXPECT_FALSE(started);
}

TEST_F(SnapshotTest, AFullDiskDoesNotStopTheEngine)
{
    fs::remove_all(folder);
    ASSERT_TRUE(tests::run(io, keeper->start()));
    suppress(kTenantA, "a@b.example");
    EXPECT_TRUE(refresh());
    fs::create_directory(folder);
    suppress(kTenantA, "b@b.example");
    EXPECT_TRUE(refresh());
    // The lines that could not be appended are there all the same: the file was written whole.
    delivery::Suppressions kept;
    add_suppression_lines(read_file(folder / "suppressions.txt").value(), kept);
    EXPECT_EQ(kept.size(), 2U);
}

} // namespace
} // namespace penguin::control
