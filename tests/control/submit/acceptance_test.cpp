#include "control/submit/acceptance.h"

#include <gtest/gtest.h>

#include "tests/support/stores.h"

namespace penguin::control::submit {
namespace {

using namespace test;
using Kind = BatchRefused::Kind;
using Code = Refusal::Code;

RedisServer& redis_server()
{
    static RedisServer server;
    return server;
}

class AcceptanceTest : public testing::Test {
protected:
    AcceptanceTest()
    {
        redis_server().cli("FLUSHALL");
        add_tenant(server, name, kTenantA);
        stores = std::make_unique<Stores>(server, name, redis_server().url());
    }
    std::string sql(const std::string& statements) { return server.sql(name, statements); }

    PostgresServer& server = PostgresServer::instance();
    std::string name = server.migrated_database();
    std::unique_ptr<Stores> stores;
};

TEST_F(AcceptanceTest, AnAcceptedBatchIsInBothTiers)
{
    const auto accepted = stores->accept(batch_to(kTenantA, 1234));
    ASSERT_TRUE(accepted) << accepted.error().detail;
    EXPECT_EQ(accepted->count, 1234U);
    EXPECT_TRUE(accepted->refused.empty());
    EXPECT_EQ(stores->wakes, 1);
    EXPECT_EQ(sql("select total || ' ' || cardinality(recipients) || ' ' || state || ' ' || pool from queue.batches"),
              "1234 3 accepted default");
    EXPECT_EQ(sql("select count(*) from content.contents c join queue.batches b on b.content_id = c.id and b.tenant_id "
                  "= c.tenant_id"),
              "1");
    EXPECT_EQ(sql("select retained_until >= expires + interval '7 days' from content.contents c join queue.batches b "
                  "on b.content_id = c.id"),
              "t");
    const auto person = stores->must(find_recipient(stores->api.queue, kTenantA, {accepted->batch, 1233}));
    EXPECT_EQ(person.to.text(), "r1233@b.example");
    EXPECT_EQ(person.vars, R"({"n":1,"name":"Person 1233"})");
    EXPECT_EQ(stores->run(find_recipient(stores->api.queue, kTenantA, {accepted->batch, 1234})).error().code,
              Errc::not_found);
    EXPECT_EQ(stores->run(find_recipient(stores->api.queue, kTenantB, {accepted->batch, 0})).error().code,
              Errc::not_found);
}

TEST_F(AcceptanceTest, OverTheBacklogItRefusesUntilThePumpHasTakenSome)
{
    Backlog backlog{stores->worker.queue, 1'000, stores->metrics};
    Acceptance bounded{stores->api, stores->workers.get_executor(), [] {}, stores->metrics, &backlog};
    const auto accept = [&](std::size_t count, const std::string& key = "") {
        return stores->run(bounded.accept(batch_to(kTenantA, count, key), wall_now()));
    };
    ASSERT_TRUE(stores->accept(batch_to(kTenantA, 300))); // by another node
    ASSERT_TRUE(accept(600, "first"));
    ASSERT_TRUE(accept(300)) << "what the other took is not known yet";
    stores->must(backlog.look());
    EXPECT_EQ(accept(1).error().kind, Kind::backlog_full);
    const Answer again = accept(600, "first");
    ASSERT_TRUE(again) << again.error().detail;
    EXPECT_TRUE(again->repeated);
    EXPECT_EQ(sql("select count(*) from queue.batches"), "3");
    EXPECT_TRUE(stores->metrics.expose().contains("penguin_submit_backlog_messages{pool=\"default\"} 1200"));
    EXPECT_TRUE(stores->metrics.expose().contains("penguin_submit_backlog_refusals_total 1"));

    EXPECT_EQ(stores->must(stores->pump.turn()), 800U); // batches of 300 and 600: what a turn gives a tenant
    stores->must(backlog.look());
    EXPECT_TRUE(accept(600));
    EXPECT_EQ(accept(1).error().kind, Kind::backlog_full) << "what was taken here counts at once";
    while (stores->must(stores->pump.turn()) > 0) {
    }
    stores->must(backlog.look());
    EXPECT_TRUE(accept(1));
}

TEST_F(AcceptanceTest, TheSameContentIsKeptOnce)
{
    ASSERT_TRUE(stores->accept(batch_to(kTenantA, 1)));
    ASSERT_TRUE(stores->accept(batch_to(kTenantA, 2)));
    EXPECT_EQ(sql("select count(*) from content.contents"), "1");
    EXPECT_EQ(sql("select count(*) from queue.batches"), "2");
}

TEST_F(AcceptanceTest, IndicesCountTheAcceptedOnes)
{
    sql("insert into control.suppressions (tenant_id, address, change, created) values ('" + kTenantA.value().text() +
        "', 'r0@b.example', 2, now())");
    sql("insert into control.global_suppressions (address, change, created) values ('r2@b.example', 2, now())");
    BatchRequest request = batch_to(kTenantA, 4);
    request.recipients[0].email = "R0@B.Example";
    request.recipients.push_back({"r1@b.example", "", ""});
    request.recipients.push_back({"nobody", "", ""});
    const auto accepted = stores->accept(request);
    ASSERT_TRUE(accepted) << accepted.error().detail;
    EXPECT_EQ(accepted->count, 2U);
    ASSERT_EQ(accepted->refused.size(), 4U);
    const std::vector<std::pair<std::size_t, Code>> expected{
        {0, Code::suppressed}, {2, Code::suppressed}, {4, Code::duplicate_recipient}, {5, Code::bad_address}};
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ(accepted->refused[i].index, expected[i].first);
        EXPECT_EQ(accepted->refused[i].code, expected[i].second);
    }
    EXPECT_EQ(stores->must(find_recipient(stores->api.queue, kTenantA, {accepted->batch, 1})).to.text(),
              "r3@b.example");
}

TEST_F(AcceptanceTest, OtherTenantsSuppressionsDoNotCount)
{
    sql("insert into control.suppressions (tenant_id, address, change, created) values ('" + kTenantB.value().text() +
        "', 'r0@b.example', 2, now())");
    EXPECT_EQ(stores->accept(batch_to(kTenantA, 1))->count, 1U);
}

struct RefusedCase {
    const char* name;
    const char* before; // SQL
    void (*change)(BatchRequest&);
    Kind kind;
};

const RefusedCase kRefused[] = {
    {"NoSuchTenant", "", [](BatchRequest& r) { r.tenant = kTenantB; }, Kind::tenant_not_active},
    {"Suspended", "update control.tenants set status = 'suspended'", [](BatchRequest&) {}, Kind::tenant_not_active},
    {"Deleted", "update control.tenants set status = 'deleted'", [](BatchRequest&) {}, Kind::tenant_not_active},
    {"DomainNotVerified", "update control.domains set verified = null", [](BatchRequest&) {},
     Kind::domain_not_verified},
    {"DomainOfAnother", "update control.domains set tenant_id = '00000000-0000-7000-8000-00000000000b'",
     [](BatchRequest&) {}, Kind::domain_not_verified},
    {"OtherDomain", "",
     [](BatchRequest& r) { std::get<TemplateContent>(r.content).from.address = address("me@other.example"); },
     Kind::domain_not_verified},
    {"BelowTheDomain", "",
     [](BatchRequest& r) { std::get<TemplateContent>(r.content).from.address = address("me@sub.sender.example"); },
     Kind::domain_not_verified},
    {"SenderOfOtherDomain", "", [](BatchRequest& r) { r.sender = address("me@other.example"); },
     Kind::domain_not_verified},
    {"EveryoneSuppressed",
     "insert into control.global_suppressions (address, change, created) values ('r0@b.example', 2, now())",
     [](BatchRequest&) {}, Kind::no_recipient_accepted},
    {"BadContent", "", [](BatchRequest& r) { std::get<TemplateContent>(r.content).text = "{{"; }, Kind::bad_content},
    {"NoRecipient", "", [](BatchRequest& r) { r.recipients.clear(); }, Kind::bad_request},
};

TEST_F(AcceptanceTest, RefusesAndStoresNothing)
{
    for (const RefusedCase& one : kRefused) {
        const std::string database = server.migrated_database();
        add_tenant(server, database, kTenantA);
        if (one.before[0] != '\0') server.sql(database, one.before);
        redis_server().cli("FLUSHALL"); // so that the node's name is free
        Stores own{server, database, redis_server().url()};
        BatchRequest request = batch_to(kTenantA, 1);
        one.change(request);
        const auto answer = own.accept(request);
        ASSERT_FALSE(answer) << one.name;
        EXPECT_EQ(answer.error().kind, one.kind) << one.name << ": " << answer.error().detail;
        if (one.kind == Kind::no_recipient_accepted) EXPECT_EQ(answer.error().refused.size(), 1U);
        EXPECT_EQ(own.sql("select count(*) from queue.batches"), "0") << one.name;
        EXPECT_EQ(own.sql("select count(*) from content.contents"), "0") << one.name;
        EXPECT_EQ(own.wakes, 0);
    }
}

TEST_F(AcceptanceTest, TheSameKeyGivesTheSameAnswerWhateverHasChanged)
{
    BatchRequest request = batch_to(kTenantA, 3, "key-1");
    request.recipients.push_back({"no\xff"
                                  "body",
                                  "", ""}); // not even UTF-8
    const auto first = stores->accept(request);
    ASSERT_TRUE(first);
    sql("update control.domains set verified = null");
    sql("insert into control.global_suppressions (address, change, created) values ('r0@b.example', 2, now())");
    const auto again = stores->accept(request);
    ASSERT_TRUE(again) << again.error().detail;
    EXPECT_EQ(again->batch, first->batch);
    EXPECT_EQ(again->count, 3U);
    EXPECT_EQ(again->refused, first->refused);
    EXPECT_TRUE(again->repeated);
    EXPECT_EQ(sql("select count(*) from queue.batches"), "1");

    request.recipients.pop_back();
    EXPECT_EQ(stores->accept(request).error().kind, Kind::key_reused);
    EXPECT_EQ(stores->accept(batch_to(kTenantA, 3, "key-2")).error().kind, Kind::domain_not_verified);
}

TEST_F(AcceptanceTest, AKeyBelongsToItsTenant)
{
    add_tenant(server, name, kTenantB, "b-sender.example");
    ASSERT_TRUE(stores->accept(batch_to(kTenantA, 1, "key")));
    BatchRequest other = batch_to(kTenantB, 2, "key");
    std::get<TemplateContent>(other.content).from.address = address("me@b-sender.example");
    const auto accepted = stores->accept(other);
    ASSERT_TRUE(accepted) << accepted.error().detail;
    EXPECT_FALSE(accepted->repeated);
    EXPECT_EQ(accepted->count, 2U);
}

TEST_F(AcceptanceTest, TwoAtOnceWithOneKeyAreOneBatch)
{
    using namespace asio::experimental::awaitable_operators;
    const auto both = [&]() -> awaitable<bool> {
        auto [a, b] = co_await (stores->acceptance.accept(batch_to(kTenantA, 5, "key"), wall_now()) &&
                                stores->acceptance.accept(batch_to(kTenantA, 5, "key"), wall_now()));
        co_return a&& b && a->batch == b->batch && a->repeated != b->repeated;
    };
    EXPECT_TRUE(stores->run(both()));
    EXPECT_EQ(sql("select count(*) from queue.batches"), "1");
}

TEST_F(AcceptanceTest, PostgresAwayIsUnavailableAndThenGoesOn)
{
    ASSERT_TRUE(stores->accept(batch_to(kTenantA, 1)));
    server.stop();
    const auto away = stores->accept(batch_to(kTenantA, 1, "k"));
    server.start();
    ASSERT_FALSE(away);
    EXPECT_EQ(away.error().kind, Kind::unavailable);
    stores->run([]() -> awaitable<bool> { co_return co_await sleep_for(std::chrono::seconds{1}); }());
    const auto back = stores->accept(batch_to(kTenantA, 1, "k"));
    EXPECT_TRUE(back) << back.error().detail;
}

} // namespace
} // namespace penguin::control::submit
