// Tenants' rates and quotas, kept by the claim.
#include <cmath>

#include "engine/queue/scripts.h"
#include "tests/engine/queue/queue_fixture.h"

namespace penguin::test {

namespace {

using queue::Claimed;
using queue::EventKind;
using queue::Priority;
using queue::TenantLimits;
using queue::TenantRate;

int this_month()
{
    const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(wall_now())};
    return static_cast<int>(day.year()) * 100 + static_cast<int>(static_cast<unsigned>(day.month()));
}

class TenantTest : public QueueTest {
protected:
    static TenantLimits quota(std::int64_t messages) { return {.rate = {}, .monthly_quota = messages}; }
    static TenantLimits rate(std::uint32_t messages, std::chrono::seconds per)
    {
        return {.rate = TenantRate{.messages = messages, .per = per}, .monthly_quota = {}};
    }
    static void set(Node& node, unsigned tenant, const TenantLimits& limits)
    {
        node.must(node.queue().set_limits({{tenant_of(tenant), limits}}));
    }
    // As the ledger would, which has read the stream so far.
    static std::size_t count(Node& node, unsigned tenant, std::int64_t sent, const std::string& position = "")
    {
        return node.must(node.queue().count_month(position, this_month(), {{tenant_of(tenant), sent}}));
    }
    // A quota whose month is counted: nothing sent yet.
    static void set_counted(Node& node, unsigned tenant, std::int64_t messages, std::int64_t sent = 0)
    {
        set(node, tenant, quota(messages));
        EXPECT_EQ(count(node, tenant, sent), 1U);
    }
    static std::optional<std::int64_t> used(Node& node, unsigned tenant)
    {
        return node.must(node.queue().standing(tenant_of(tenant))).used;
    }
    static std::vector<Claimed> of(const std::vector<Claimed>& all, unsigned tenant)
    {
        std::vector<Claimed> some;
        for (const Claimed& one : all)
            if (one.entry.tenant == tenant_of(tenant)) some.push_back(one);
        return some;
    }
    std::string held_until(unsigned tenant)
    {
        return server().cli("ZSCORE '" + key + "held' " + tenant_of(tenant).value().text());
    }
};

TEST_F(TenantTest, AQuotaIsClaimedToItsLastMessageAndNoFurther)
{
    Node node{io, server().url(), "n1", "i1"};
    set_counted(node, 1, 25);
    node.enqueue(batch_entries(1, 1, 40));
    node.enqueue(batch_entries(2, 2, 40));
    std::vector<Claimed> got = node.claim(100);
    EXPECT_EQ(of(got, 1).size(), 25U);
    EXPECT_EQ(of(got, 2).size(), 40U) << "nobody else is held";
    EXPECT_TRUE(node.claim(100).empty());
    EXPECT_EQ(used(node, 1), 25);
    const auto standing = node.must(node.queue().standing(tenant_of(1)));
    EXPECT_EQ(standing.limits, quota(25));
    EXPECT_EQ(held_until(1), std::to_string(to_unix_ms(*standing.month_ends))) << "to the end of the month";
    EXPECT_EQ(node.summary().ready, 15U) << "what is held is counted";
    EXPECT_EQ(node.summary().tenants_held, 1U);
}

TEST_F(TenantTest, WhoIsHeldCostsAClaimNothing)
{
    Node node{io, server().url(), "n1", "i1"};
    set_counted(node, 1, 0);
    node.enqueue(batch_entries(1, 1, 5));
    node.enqueue(batch_entries(2, 2, 5, Priority::low));
    node.park(tokens_of(node.claim(10)), "gmail");
    EXPECT_EQ(node.claim(10).size(), 5U);
    const std::string before = server().cli("INFO persistence | grep -a rdb_changes_since_last_save");
    EXPECT_TRUE(node.claim(10).empty());
    EXPECT_EQ(server().cli("INFO persistence | grep -a rdb_changes_since_last_save"), before);
}

TEST_F(TenantTest, ManyHeldTenantsStandInNobodysWay)
{
    Node node{io, server().url(), "n1", "i1"};
    for (unsigned tenant = 1; tenant <= 500; ++tenant) {
        set_counted(node, tenant, 0);
        node.enqueue(batch_entries(tenant, tenant, 1));
    }
    node.enqueue(batch_entries(501, 501, 10));
    std::size_t got = 0;
    for (int calls = 0; calls < 3; ++calls) got += node.claim(100).size(); // 300 tenants a call at most
    EXPECT_EQ(got, 10U);
    EXPECT_EQ(node.summary().tenants_held, 500U);
}

struct Back {
    const char* name;
    std::function<void(Node&, const std::vector<Claimed>&)> give_back;
    std::int64_t used; // of 10 that were claimed
};

TEST_F(TenantTest, WhatDoesNotEndAsSentIsNotCounted)
{
    const Back cases[] = {
        {"released", [](Node& node, const auto& all) { node.release(tokens_of(all)); }, 0},
        {"released for others", [](Node& node, const auto& all) { node.release(tokens_of(all), wall_now() + 1h); }, 0},
        {"parked", [](Node& node, const auto& all) { node.park(tokens_of(all), "gmail"); }, 0},
        {"deferred", [](Node& node, const auto& all) { node.settle(outcomes_of(all, EventKind::deferred)); }, 0},
        {"expired", [](Node& node, const auto& all) { node.settle(outcomes_of(all, EventKind::expired)); }, 0},
        {"suppressed", [](Node& node, const auto& all) { node.settle(outcomes_of(all, EventKind::suppressed)); }, 0},
        {"cancelled", [](Node& node, const auto& all) { node.settle(outcomes_of(all, EventKind::cancelled)); }, 0},
        {"delivered", [](Node& node, const auto& all) { node.settle(outcomes_of(all, EventKind::delivered)); }, 10},
        {"bounced", [](Node& node, const auto& all) { node.settle(outcomes_of(all, EventKind::bounced)); }, 10},
    };
    for (const Back& one : cases) {
        server().cli("FLUSHALL");
        Node node{io, server().url(), "n1", "i1"};
        set_counted(node, 1, 10);
        node.enqueue(batch_entries(1, 1, 20));
        const auto claimed = node.claim(100);
        ASSERT_EQ(claimed.size(), 10U) << one.name;
        EXPECT_TRUE(node.claim(100).empty()) << one.name; // and the tenant is held
        one.give_back(node, claimed);
        EXPECT_EQ(used(node, 1), one.used) << one.name;
        EXPECT_EQ(node.claim(100).size(), 10U - static_cast<std::size_t>(one.used)) << one.name << ": at once";
    }
}

TEST_F(TenantTest, ParkedMailIsHeldAndComesBackToItsPlace)
{
    Node node{io, server().url(), "n1", "i1"};
    set_counted(node, 1, 10);
    node.enqueue(batch_entries(1, 1, 10));
    node.park(tokens_of(node.claim(10)), "gmail");
    set(node, 1, quota(0));
    EXPECT_TRUE(node.claim(100).empty());
    EXPECT_EQ(node.summary().parked, 10U);
    EXPECT_EQ(server().cli("EXISTS '" + key + "parked'"), "0") << "no place that a claim would look at";
    node.enqueue(batch_entries(1, 2, 1));
    EXPECT_TRUE(node.claim(100).empty());
    std::vector<MessageId> messages;
    for (unsigned i = 0; i < 3; ++i) messages.push_back({batch_of(1), i});
    EXPECT_EQ(node.must(node.queue().cancel(tenant_of(1), batch_of(1), messages)), 3U) << "is found there";
    set(node, 1, quota(100));
    EXPECT_EQ(node.claim(100).size(), 8U);
    EXPECT_EQ(server().cli("--scan --pattern '" + key + "held*'"), "");
}

TEST_F(TenantTest, ATenantWhoseMonthIsNotCountedWaitsForTheLedger)
{
    Node node{io, server().url(), "n1", "i1"};
    node.enqueue(batch_entries(1, 1, 30));
    const auto before = node.claim(6, 6); // without a quota: counted by nobody
    node.settle(outcomes_of({before.begin(), before.begin() + 2}, EventKind::delivered));
    node.settle(outcomes_of({before.begin() + 2, before.begin() + 3}, EventKind::bounced));
    node.settle(outcomes_of({before.begin() + 3, before.begin() + 4}, EventKind::deferred));
    set(node, 1, quota(100));
    EXPECT_TRUE(node.claim(100).empty());
    EXPECT_EQ(used(node, 1), std::nullopt);
    EXPECT_EQ(node.must(node.queue().uncounted(10)), std::vector{tenant_of(1)});
    EXPECT_EQ(node.summary().tenants_uncounted, 1U);
    EXPECT_EQ(count(node, 1, 90), 1U); // that the ledger knows; 3 are in the stream, 2 in the hand
    EXPECT_EQ(used(node, 1), 95);
    EXPECT_TRUE(node.must(node.queue().uncounted(10)).empty());
    EXPECT_EQ(node.claim(100).size(), 5U);
}

TEST_F(TenantTest, NothingIsCountedWhereItWouldNotBeExact)
{
    Node node{io, server().url(), "n1", "i1"};
    set(node, 1, quota(100));
    node.enqueue(batch_entries(2, 2, 30));
    for (const Claimed& one : node.claim(30, 30)) node.settle({outcome_of(one, EventKind::delivered)});
    EXPECT_EQ(count(node, 1, 0), 0U) << "the ledger is 30 entries behind";
    const std::string end = node.must(node.queue().read_events("", 100)).position;
    EXPECT_EQ(node.must(node.queue().count_month(end, this_month() + 1, {{tenant_of(1), 0}})), 0U) << "another month";
    node.must(node.queue().confirm_events(end, {}));
    EXPECT_EQ(count(node, 1, 0, "1-1"), 0U) << "another ledger is ahead";
    EXPECT_EQ(count(node, 1, 0, end), 1U);
    EXPECT_EQ(used(node, 1), 0);
}

TEST_F(TenantTest, AfterALossOfDataAllIsCountedAnew)
{
    Node a{io, server().url(), "n1", "i1"};
    set_counted(a, 1, 10);
    a.enqueue(batch_entries(1, 1, 20));
    const auto held = a.claim(4, 4);
    ASSERT_EQ(held.size(), 4U);
    server().cli("FLUSHALL");
    EXPECT_TRUE(a.must(a.queue().join(false)).data_lost);
    std::vector<queue::Held> memory;
    for (const Claimed& one : held) memory.push_back({one.token, one.entry, ""});
    EXPECT_TRUE(a.must(a.queue().rehand(memory)).empty());
    set(a, 1, quota(10));
    a.enqueue({entry_of(1, 1, 10), entry_of(1, 1, 11), entry_of(1, 1, 12)});
    EXPECT_EQ(count(a, 1, 5), 0U) << "nodes are telling their journals";
    EXPECT_TRUE(a.must(a.queue().recovered()).empty());
    EXPECT_TRUE(a.claim(100).empty()) << "not counted yet";
    EXPECT_EQ(count(a, 1, 5), 1U);
    EXPECT_EQ(used(a, 1), 9) << "5 in the ledger, 4 in the hand";
    EXPECT_EQ(a.claim(100).size(), 1U);
}

TEST_F(TenantTest, ANewEpochForgetsWhatAnOlderStateHasCounted)
{
    {
        Node a{io, server().url(), "n1", "i1"};
        set_counted(a, 1, 10, 10);
        a.enqueue(batch_entries(1, 1, 5));
        EXPECT_TRUE(a.claim(10).empty());
        a.must(a.queue().stop());
    }
    server().cli("DEL '" + key + "epoch'"); // as a restart looks to `start`
    Node b{io, server().url(), "n2", "i2"};
    EXPECT_TRUE(b.claim(10).empty());
    EXPECT_EQ(used(b, 1), std::nullopt);
    EXPECT_EQ(count(b, 1, 8), 1U);
    EXPECT_EQ(b.claim(10).size(), 2U);
}

TEST_F(TenantTest, WhatIsToldLateIsCountedByTheLedger)
{
    Node a{io, server().url(), "n1", "i1", 1s};
    Node b{io, server().url(), "n2", "i2", 1s};
    set_counted(b, 1, 10);
    b.enqueue(batch_entries(1, 1, 4));
    const auto lost = a.claim(4, 4);
    EXPECT_EQ(used(b, 1), 4);
    server().cli("HSET '" + key + "nodes' n1 '1 i1 1 - gone'"); // its lease is over
    b.must(b.queue().heartbeat("running"));
    EXPECT_EQ(used(b, 1), 0) << "who takes over gives back";
    const auto again = b.claim(4, 4);
    EXPECT_EQ(used(b, 1), 4);
    a.must(a.queue().start(false));
    a.settle(outcomes_of({lost.begin(), lost.begin() + 1}, EventKind::delivered)); // late: its token is in no hand
    EXPECT_EQ(used(b, 1), std::nullopt);
    b.enqueue(batch_entries(1, 2, 1));
    EXPECT_TRUE(b.claim(10).empty());
    EXPECT_EQ(count(b, 1, 0), 0U) << "the ledger may know it already";
    const std::string end = b.must(b.queue().read_events("", 100)).position;
    b.must(b.queue().confirm_events(end, {}));
    EXPECT_EQ(count(b, 1, 1, end), 1U);
    EXPECT_EQ(used(b, 1), 5) << "one that ended, four in hand: the one that goes twice is counted once when it is told";
}

TEST_F(TenantTest, AMonthBeginsAtNothing)
{
    Node node{io, server().url(), "n1", "i1"};
    set_counted(node, 1, 10, 10);
    server().cli("HSET '" + key + "spent' " + tenant_of(1).value().text() + " '0 202001 10'");
    node.enqueue(batch_entries(1, 1, 20));
    const auto claimed = node.claim(100);
    EXPECT_EQ(claimed.size(), 10U);
    EXPECT_EQ(used(node, 1), 10);
    // One that was claimed in an earlier month is none of this one's.
    server().cli("HSET '" + key + "hand:n1' 16f5e66e800-1 '1" + tenant_of(1).value().text() + "\n" +
                 entry_of(1, 9, 0).to_json() + "'");
    node.release({"16f5e66e800-1"});
    EXPECT_EQ(used(node, 1), 10);
    node.release({claimed[0].token});
    EXPECT_EQ(used(node, 1), 9);
}

// Every eleventh day of a hundred years: the scripts' month, and when the next one begins, are the library's.
TEST_F(TenantTest, TheCalendarOfTheScriptsIsTheCalendar)
{
    Node node{io, server().url(), "n1", "i1"};
    const std::string_view standing = queue::scripts::standing.text;
    const std::string script = std::string{standing.substr(0, standing.find("-- How a tenant stands"))} +
                               "return {month_of(tonumber(ARGV[2])), digits(next_month(tonumber(ARGV[2])))}";
    using std::chrono::sys_days;
    const sys_days last = std::chrono::year{2105} / 1 / 1;
    for (sys_days day = std::chrono::year{2004} / 12 / 31; day < last; day += std::chrono::days{11}) {
        const std::string ms = std::to_string(to_unix_ms(WallTime{day} + 23h + 59min));
        const auto answer = node.must(node.redis().command({"EVAL", script, "1", key + "nodes", key, ms}, 5s)).array();
        const std::chrono::year_month_day date{day};
        const std::chrono::year_month month{date.year(), date.month()};
        const int number = static_cast<int>(date.year()) * 100 + static_cast<int>(static_cast<unsigned>(date.month()));
        ASSERT_EQ(answer[0].text(), std::to_string(number));
        ASSERT_EQ(answer[1].text(),
                  std::to_string(to_unix_ms(WallTime{sys_days{(month + std::chrono::months{1}) / 1}})));
    }
}

TEST_F(TenantTest, ARateStartsWithOneSecondsMessagesAndGivesBackWhatWasNotTried)
{
    Node node{io, server().url(), "n1", "i1"};
    set(node, 1, rate(20, 1h)); // less than one a second: one at once, the next in 3 minutes
    set(node, 2, rate(36'000, 1h));
    node.enqueue(batch_entries(1, 1, 10));
    node.enqueue(batch_entries(2, 2, 30));
    const auto got = node.claim(100);
    EXPECT_EQ(of(got, 1).size(), 1U);
    EXPECT_GE(of(got, 2).size(), 10U);
    EXPECT_LE(of(got, 2).size(), 12U) << "ten, and what came while the test ran";
    const auto standing = node.must(node.queue().standing(tenant_of(1)));
    EXPECT_EQ(standing.rate_left, 0);
    ASSERT_TRUE(standing.rate_until);
    EXPECT_NEAR(std::chrono::duration<double>(*standing.rate_until - wall_now()).count(), 180, 5);
    node.settle({outcome_of(of(got, 1)[0], EventKind::deferred)}); // an attempt: it counts
    EXPECT_TRUE(of(node.claim(100), 1).empty());
}

TEST_F(TenantTest, WhatIsReleasedUnsentGivesItsRateBack)
{
    Node node{io, server().url(), "n1", "i1"};
    set(node, 1, rate(1, 1h));
    node.enqueue(batch_entries(1, 1, 10));
    for (int round = 0; round < 3; ++round) {
        const auto got = node.claim(100);
        ASSERT_EQ(got.size(), 1U) << round;
        EXPECT_TRUE(node.claim(100).empty());
        node.release(tokens_of(got));
    }
}

TEST_F(TenantTest, ARateIsKeptOverNodesAndTime)
{
    Node a{io, server().url(), "n1", "i1"};
    Node b{io, server().url(), "n2", "i2"};
    set(a, 1, rate(100, 1s));
    a.enqueue(batch_entries(1, 1, 1000));
    const WallTime begun = wall_now();
    std::size_t got = 0;
    do {
        got += a.claim(7).size();
        got += b.claim(7).size();
    } while (wall_now() < begun + 1s);
    const double seconds = std::chrono::duration<double>(wall_now() - begun).count();
    EXPECT_LE(static_cast<double>(got), 100 + std::ceil(100 * seconds)) << "a second's burst, and the rate";
    EXPECT_GE(got, 100U);
}

TEST_F(TenantTest, AChangeIsInForceWithTheNextClaim)
{
    Node node{io, server().url(), "n1", "i1"};
    set_counted(node, 1, 5);
    node.enqueue(batch_entries(1, 1, 40));
    EXPECT_EQ(node.claim(100).size(), 5U);
    EXPECT_TRUE(node.claim(100).empty());
    set(node, 1, quota(8));
    EXPECT_EQ(node.claim(100).size(), 3U) << "its count stays";
    EXPECT_TRUE(node.claim(100).empty());
    EXPECT_EQ(node.must(node.queue().limits()), (queue::SendQueue::LimitsByTenant{{tenant_of(1), quota(8)}}));
    set(node, 1, {});
    EXPECT_EQ(node.claim(100).size(), 32U);
    EXPECT_EQ(server().cli("--scan --pattern '" + key + "*'").find("spent"), std::string::npos) << "nothing is left";
    EXPECT_EQ(server().cli("EXISTS '" + key + "limits' '" + key + "held' '" + key + "uncounted'"), "0");
}

TEST_F(TenantTest, AnEntryOfADeadMessageIsNotCharged)
{
    Node node{io, server().url(), "n1", "i1"};
    set_counted(node, 1, 10);
    node.enqueue(batch_entries(1, 1, 2));
    server().cli("SET '" + key + "done:" + MessageId{batch_of(1), 0}.text() + "' 1");
    server().cli("SET '" + key + "dones' 1");
    EXPECT_EQ(node.claim(10).size(), 1U);
    EXPECT_EQ(used(node, 1), 1);
}

} // namespace

} // namespace penguin::test
