// Small submissions that come together: each has its own answer, whatever happens to the others of its group.
#include <set>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <gtest/gtest.h>

#include "control/submit/submission_group.h"
#include "tests/support/stores.h"

namespace penguin::control::submit {
namespace {

using namespace test;
using Kind = BatchRefused::Kind;

RedisServer& redis_server()
{
    static RedisServer server;
    return server;
}

// A trigger's body that does `what` once, although its transaction is rolled back.
std::string once(const std::string& table, const std::string& what)
{
    return "create sequence once; create function act() returns trigger language plpgsql security definer as $$ begin "
           "if "
           "nextval('once') = 1 then " +
           what + "; end if; return new; end $$; create trigger act before insert on " + table +
           " for each row execute function act()";
}

class GroupTest : public testing::Test {
protected:
    GroupTest()
    {
        redis_server().cli("FLUSHALL");
        add_tenant(server, name, kTenantA);
        add_tenant(server, name, kTenantB, "b-sender.example");
        stores = std::make_unique<Stores>(server, name, redis_server().url());
    }
    std::string sql(const std::string& statements) { return server.sql(name, statements); }

    static BatchRequest request(TenantId tenant, std::size_t number, std::size_t recipients = 1, std::string key = "")
    {
        BatchRequest made = batch_to(tenant, recipients, std::move(key));
        auto& content = std::get<TemplateContent>(made.content);
        if (tenant == kTenantB) content.from.address = address("me@b-sender.example");
        content.subject = fmt::format("Number {}", number);
        return made;
    }
    std::vector<Answer> accept_all(std::vector<BatchRequest> requests)
    {
        std::vector<Answer> answers(requests.size(), refuse(Kind::fault, "no answer"));
        std::size_t left = requests.size();
        const auto one = [&](std::size_t i) -> awaitable<void> {
            answers[i] = co_await stores->acceptance.accept(std::move(requests[i]), wall_now());
            --left;
        };
        const auto all = [&]() -> awaitable<bool> {
            for (std::size_t i = 0; i < requests.size(); ++i) asio::co_spawn(stores->io, one(i), asio::detached);
            while (left > 0) co_await sleep_for(std::chrono::milliseconds{5});
            co_return true;
        };
        EXPECT_TRUE(stores->run(all()));
        return answers;
    }

    PostgresServer& server = PostgresServer::instance();
    std::string name = server.migrated_database();
    std::unique_ptr<Stores> stores;
};

TEST_F(GroupTest, EachIsItsOwnBatchUnderItsOwnTenant)
{
    std::vector<BatchRequest> requests;
    for (std::size_t i = 0; i < 200; ++i) requests.push_back(request(i % 2 == 0 ? kTenantA : kTenantB, i, 1 + i % 3));
    const std::vector<Answer> answers = accept_all(std::move(requests));
    std::set<BatchId> ids;
    for (std::size_t i = 0; i < answers.size(); ++i) {
        ASSERT_TRUE(answers[i]) << answers[i].error().detail;
        ids.insert(answers[i]->batch);
        EXPECT_EQ(answers[i]->count, 1 + i % 3);
        const TenantId tenant = i % 2 == 0 ? kTenantA : kTenantB;
        const MessageId last{answers[i]->batch, static_cast<std::uint32_t>(i % 3)};
        EXPECT_EQ(stores->must(find_recipient(stores->api.queue, tenant, last)).to.text(),
                  fmt::format("r{}@b.example", i % 3));
    }
    EXPECT_EQ(ids.size(), 200U);
    EXPECT_EQ(stores->wakes, 200);
    EXPECT_EQ(sql("select string_agg(tenant_id || ' ' || n, ',' order by tenant_id) from"
                  " (select tenant_id, count(*) as n from queue.batches group by tenant_id) t"),
              kTenantA.value().text() + " 100," + kTenantB.value().text() + " 100");
    EXPECT_EQ(sql("select count(*) from queue.batches b join content.contents c"
                  " on c.tenant_id = b.tenant_id and c.id = b.content_id"),
              "200");
    EXPECT_EQ(sql("select count(*) from content.contents"), "200");
    EXPECT_LT(stores->metrics.counter("penguin_submit_groups_total", "").value(), 100U);
}

TEST_F(GroupTest, AConflictingKeyIsOnlyItsOwnFailure)
{
    ASSERT_TRUE(stores->accept(request(kTenantA, 0, 2, "taken")));
    std::vector<BatchRequest> requests;
    for (std::size_t i = 0; i < 20; ++i) requests.push_back(request(kTenantA, i, 1, fmt::format("key-{}", i)));
    requests.push_back(request(kTenantA, 1, 1, "taken"));
    requests.push_back(request(kTenantA, 0, 2, "taken"));
    requests.push_back(request(kTenantA, 7, 1, "key-7"));
    requests.push_back(request(kTenantA, 99, 1, "key-8"));
    const std::vector<Answer> answers = accept_all(std::move(requests));
    for (std::size_t i = 0; i < 20; ++i)
        if (i != 8) EXPECT_TRUE(answers[i]) << i << answers[i].error().detail;
    EXPECT_EQ(answers[20].error().kind, Kind::key_reused);
    EXPECT_TRUE(answers[21]->repeated);
    EXPECT_EQ(answers[22]->batch, answers[7]->batch);
    EXPECT_NE(answers[22]->repeated, answers[7]->repeated);
    EXPECT_NE(answers[23].has_value(), answers[8].has_value()); // one of the two was first
    EXPECT_EQ(sql("select count(*) from queue.batches"), "21");
}

TEST_F(GroupTest, EqualContentsOfAGroupAreOneRowThatLastsForAll)
{
    std::vector<BatchRequest> requests(10, request(kTenantA, 0));
    requests[5].expires = wall_now() + std::chrono::hours{24 * 20};
    for (const Answer& answer : accept_all(std::move(requests))) EXPECT_TRUE(answer);
    EXPECT_EQ(sql("select count(*) from content.contents"), "1");
    EXPECT_EQ(sql("select retained_until > now() + interval '26 days' from content.contents"), "t");
}

TEST_F(GroupTest, OneThatTheStoreRefusesDoesNotFailTheOthers)
{
    sql("create function act() returns trigger language plpgsql as $$ begin if new.total = 3 then raise exception "
        "'no'; "
        "end if; return new; end $$; create trigger act before insert on queue.batches for each row execute function "
        "act()");
    std::vector<BatchRequest> requests;
    for (std::size_t i = 0; i < 30; ++i) requests.push_back(request(kTenantA, i, i == 17 ? 3 : 1));
    const std::vector<Answer> answers = accept_all(std::move(requests));
    for (std::size_t i = 0; i < answers.size(); ++i)
        if (i != 17) EXPECT_TRUE(answers[i]) << i << answers[i].error().detail;
    ASSERT_FALSE(answers[17]);
    EXPECT_EQ(answers[17].error().kind, Kind::fault);
    EXPECT_EQ(sql("select count(*) from queue.batches"), "29");
}

TEST_F(GroupTest, AConnectionThatIsKilledInTheMiddleIsRepeatedAndLeavesNothingHalf)
{
    sql(once("queue.batches", "perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(1)"));
    std::vector<BatchRequest> requests;
    for (std::size_t i = 0; i < 30; ++i) requests.push_back(request(kTenantA, i));
    const std::vector<Answer> answers = accept_all(std::move(requests));
    for (const Answer& answer : answers) EXPECT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(sql("select count(*) || ' ' || count(distinct content_id) from queue.batches"), "30 30");
}

TEST_F(GroupTest, ARepeatedWriteFindsItsOwnBatch)
{
    const auto checked = [] { return *check_batch(request(kTenantA, 1, 2), wall_now()); };
    Submission first{checked(), wall_now()};
    Submission again{checked(), wall_now()}; // as after a COMMIT whose answer was lost
    again.id = first.id;
    const auto both = [&]() -> awaitable<bool> {
        co_await accept_together(stores->api, nullptr, {&first});
        co_await accept_together(stores->api, nullptr, {&again});
        co_return true;
    };
    EXPECT_TRUE(stores->run(both()));
    ASSERT_TRUE(*again.answer) << (*again.answer).error().detail;
    EXPECT_EQ((*again.answer)->batch, first.id);
    EXPECT_FALSE((*again.answer)->repeated);
    EXPECT_EQ(sql("select count(*) from queue.batches"), "1");
}

TEST_F(GroupTest, TooManyThatWaitAreTurnedAway)
{
    sql(once("content.contents", "perform pg_sleep(3)"));
    std::vector<BatchRequest> requests;
    for (std::size_t i = 0; i < kWaitingOfTenantMax + 100; ++i) requests.push_back(request(kTenantA, i % 10));
    std::size_t taken = 0;
    for (const Answer& answer : accept_all(std::move(requests))) {
        if (answer)
            ++taken;
        else
            EXPECT_EQ(answer.error().kind, Kind::unavailable) << answer.error().detail;
    }
    EXPECT_GE(taken, kWaitingOfTenantMax);
    EXPECT_LT(taken, kWaitingOfTenantMax + 100);
    EXPECT_EQ(sql("select count(*) from queue.batches"), std::to_string(taken));
}

TEST_F(GroupTest, WhoGivesUpLeavesNothingAndHoldsNobodyUp)
{
    sql(once("content.contents", "perform pg_sleep(1)"));
    const auto scene = [&]() -> awaitable<bool> {
        using namespace asio::experimental::awaitable_operators;
        asio::steady_timer soon{stores->io, std::chrono::milliseconds{300}};
        const auto late = [&]() -> awaitable<void> { // joins behind the first and is cancelled there
            co_await sleep_for(std::chrono::milliseconds{100});
            const Answer answer = co_await stores->acceptance.accept(request(kTenantA, 2), wall_now());
        };
        const auto hasty = [&]() -> awaitable<bool> {
            co_await (late() || soon.async_wait(use_result));
            const Answer next = co_await stores->acceptance.accept(request(kTenantA, 3), wall_now());
            co_return next.has_value();
        };
        auto [first, third] = co_await (stores->acceptance.accept(request(kTenantA, 1), wall_now()) && hasty());
        co_return first.has_value() && third;
    };
    EXPECT_TRUE(stores->run(scene()));
    EXPECT_EQ(sql("select count(*) from queue.batches"), "2");
}

} // namespace
} // namespace penguin::control::submit
