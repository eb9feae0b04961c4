// Outcomes: on time, late, told twice; and the ledger that reads them.
#include "tests/engine/queue/queue_fixture.h"

namespace penguin::test {

namespace {

using queue::Claimed;
using queue::Event;
using queue::EventKind;

using SettleTest = QueueTest;

TEST_F(SettleTest, AFinalOutcomeIsToldOnceAndTheHandIsEmpty)
{
    Node node{io, server().url(), "n1", "i1"};
    node.enqueue(batch_entries(1, 1, 3));
    const std::vector<Claimed> got = node.claim(10);
    const queue::SettleReport report = node.settle(outcomes_of(got, EventKind::delivered));
    EXPECT_EQ(report.settled, 3U);
    EXPECT_EQ(report.late, 0U);
    EXPECT_TRUE(node.hand().empty());
    const std::vector<Event> events = node.events();
    ASSERT_EQ(events.size(), 3U);
    EXPECT_EQ(events[0].kind, EventKind::delivered);
    EXPECT_EQ(events[0].recipient, "r0@b.example");
    EXPECT_FALSE(events[0].late);
    EXPECT_EQ(server().cli("XLEN '" + key + "events'"), "1") << "one stream entry a call";
}

TEST_F(SettleTest, ADeferredMessageWaitsAndComesBackWithItsAttemptCounted)
{
    Node node{io, server().url(), "n1", "i1"};
    node.enqueue(batch_entries(1, 1, 1));
    const std::vector<Claimed> got = node.claim(10);
    node.settle(outcomes_of(got, EventKind::deferred));
    EXPECT_TRUE(node.claim(10).empty());
    EXPECT_EQ(node.summary().due, 1U);
    server().cli("ZADD '" + key + "due' 1 " + got[0].entry.id.text());
    const std::vector<Claimed> again = node.claim(10);
    ASSERT_EQ(again.size(), 1U);
    EXPECT_EQ(again[0].entry.attempt, 1U);
    EXPECT_NE(again[0].token, got[0].token);
}

TEST_F(SettleTest, ATokenTwiceInOneCallCountsOnce)
{
    Node node{io, server().url(), "n1", "i1"};
    node.enqueue(batch_entries(1, 1, 1));
    std::vector<queue::Settlement> twice = outcomes_of(node.claim(10), EventKind::deferred);
    twice.push_back(twice[0]);
    EXPECT_EQ(node.settle(twice).settled, 1U);
    EXPECT_EQ(node.events().size(), 1U);
}

TEST_F(SettleTest, AfterATakeOverFinalOutcomesAreLateAndRetriesAreDropped)
{
    Node dead{io, server().url(), "n1", "i1"};
    dead.enqueue(batch_entries(1, 1, 2));
    const std::vector<Claimed> got = dead.claim(10);
    server().cli("HSET '" + key + "nodes' n1 '1 i1 1 up'"); // its lease ran out long ago
    Node living{io, server().url(), "n2", "i2"};
    living.must(living.queue().heartbeat("up"));

    const std::vector<queue::Settlement> outcomes{outcome_of(got[0], EventKind::delivered),
                                                  outcome_of(got[1], EventKind::deferred)};
    const std::span<const queue::Settlement> told{outcomes};
    EXPECT_EQ(dead.try_(dead.queue().settle(told)).error().code, Errc::stale) << "without its name it is not heard";
    dead.must(dead.queue().start(false));
    const queue::SettleReport report = dead.settle(outcomes);
    EXPECT_EQ(report.settled, 0U);
    EXPECT_EQ(report.late, 1U);
    const std::vector<Event> events = living.events();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_TRUE(events[0].late);
    EXPECT_EQ(events[0].kind, EventKind::delivered);

    // The delivered one is not handed out again, the other one is.
    const std::vector<Claimed> again = living.claim(10);
    ASSERT_EQ(again.size(), 1U);
    EXPECT_EQ(again[0].entry.id, got[1].entry.id);
    EXPECT_GT(std::stol(server().cli("TTL '" + key + "done:" + got[0].entry.id.text() + "'")), 3600);
}

TEST_F(SettleTest, WhatEndedLateIsNotCancelledOnceMore)
{
    Node dead{io, server().url(), "n1", "i1"};
    dead.enqueue(batch_entries(1, 1, 2));
    const std::vector<Claimed> got = dead.claim(10);
    server().cli("HSET '" + key + "nodes' n1 '1 i1 1 up'");
    Node living{io, server().url(), "n2", "i2"};
    living.must(living.queue().heartbeat("up"));
    dead.must(dead.queue().start(false));
    const std::vector<queue::Settlement> outcome{outcome_of(got[0], EventKind::delivered)};
    ASSERT_EQ(dead.settle(outcome).late, 1U);

    const std::vector<MessageId> both{got[0].entry.id, got[1].entry.id};
    EXPECT_EQ(living.must(living.queue().cancel(tenant_of(1), batch_of(1), both)), 1U);
    const std::vector<Event> events = living.events();
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(events[0].kind, EventKind::delivered);
    EXPECT_EQ(events[1].kind, EventKind::cancelled);
    EXPECT_EQ(events[1].message, got[1].entry.id);
    EXPECT_TRUE(living.claim(10).empty()) << "neither waits any more";
}

// Its last octet was out when the hand was taken over: another node sends it again, and the repetition must be known by its mark.
TEST_F(SettleTest, ALateDeferralThatMayBeADuplicateIsToldAndChangesNothingElse)
{
    Node dead{io, server().url(), "n1", "i1"};
    dead.enqueue(batch_entries(1, 1, 3));
    const std::vector<Claimed> got = dead.claim(10);
    server().cli("HSET '" + key + "nodes' n1 '1 i1 1 up'");
    Node living{io, server().url(), "n2", "i2"};
    living.must(living.queue().heartbeat("up"));
    dead.must(dead.queue().start(false));

    std::vector<queue::Settlement> outcomes = outcomes_of(got, EventKind::deferred);
    outcomes[1].event.may_be_duplicate = true;
    outcomes[2].event.reply = R"(451 "may_be_duplicate":true)"; // what a server says proves nothing
    EXPECT_EQ(dead.settle(outcomes).late, 1U);
    EXPECT_EQ(dead.settle(outcomes).late, 0U) << "told once";
    const std::vector<Event> events = living.events();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].id, outcomes[1].event.id);
    EXPECT_TRUE(events[0].late && events[0].may_be_duplicate);
    EXPECT_EQ(living.summary().due, 0U) << "its retry is not scheduled a second time";
    EXPECT_EQ(living.claim(10).size(), 3U);
}

TEST_F(SettleTest, ALateFinalOutcomeTakesTheWaitingRetryAway)
{
    Node dead{io, server().url(), "n1", "i1"};
    dead.enqueue(batch_entries(1, 1, 1));
    const std::vector<Claimed> got = dead.claim(10);
    server().cli("HSET '" + key + "nodes' n1 '1 i1 1 up'");
    Node living{io, server().url(), "n2", "i2"};
    living.must(living.queue().heartbeat("up"));
    living.settle(outcomes_of(living.claim(10), EventKind::deferred));
    EXPECT_EQ(living.summary().due, 1U);
    dead.must(dead.queue().start(false));
    EXPECT_EQ(dead.settle(outcomes_of(got, EventKind::bounced)).late, 1U);
    EXPECT_EQ(living.summary().due, 0U);
}

TEST_F(SettleTest, TheLedgerReadsOnFromItsPositionAndConfirmClears)
{
    Node node{io, server().url(), "n1", "i1"};
    node.enqueue(batch_entries(1, 1, 30));
    for (int i = 0; i < 3; ++i) node.settle(outcomes_of(node.claim(10), EventKind::delivered));
    const auto first = node.must(node.queue().read_events("", 2));
    EXPECT_EQ(first.events.size(), 20U);
    const auto second = node.must(node.queue().read_events(first.position, 2));
    EXPECT_EQ(second.events.size(), 10U);
    const auto nothing = node.must(node.queue().read_events(second.position, 2));
    EXPECT_TRUE(nothing.events.empty());
    EXPECT_EQ(nothing.position, second.position);

    std::vector<MessageId> done;
    for (const Event& event : first.events) done.push_back(event.message);
    node.must(node.queue().confirm_events(first.position, done));
    const std::string live = "'" + key + "live:" + batch_of(1).value().text() + "'";
    EXPECT_EQ(server().cli("BITCOUNT " + live), "10");
    EXPECT_EQ(node.summary().events, 1U);
    EXPECT_EQ(server().cli("GET '" + key + "ledger'"), first.position);

    done.clear();
    for (const Event& event : second.events) done.push_back(event.message);
    node.must(node.queue().confirm_events(second.position, done));
    EXPECT_EQ(server().cli("EXISTS " + live), "0");
    EXPECT_EQ(node.summary().events, 0U);
    node.must(node.queue().confirm_events(second.position, done)); // told twice: nothing happens
    EXPECT_EQ(server().cli("EXISTS " + live), "0");
}

TEST_F(SettleTest, ConfirmTakesTenThousandMessagesOfManyBatches)
{
    Node node{io, server().url(), "n1", "i1"};
    std::vector<MessageId> all;
    for (unsigned batch = 0; batch < 20; ++batch) {
        node.enqueue(batch_entries(1, batch, 500));
        for (unsigned i = 0; i < 500; ++i) all.push_back({batch_of(batch), i});
    }
    node.must(node.queue().confirm_events("1-0", all));
    EXPECT_EQ(server().cli("--scan --pattern '" + key + "live:*'"), "");
}

TEST_F(SettleTest, ConfirmRefusesWhatIsNotAPosition)
{
    Node node{io, server().url(), "n1", "i1"};
    for (const std::string bad : {"", "x", "1", "1-", "-1", "1-2x"})
        EXPECT_EQ(node.try_(node.queue().confirm_events(bad, {})).error().code, Errc::bad_value) << bad;
}

TEST_F(SettleTest, ForeignThingsInTheStreamDoNotStopTheLedger)
{
    Node node{io, server().url(), "n1", "i1"};
    server().cli("XADD '" + key + "events' '*' o 'not json'");
    server().cli("XADD '" + key + "events' '*' o '[{\"id\":1},2]' x y");
    node.enqueue(batch_entries(1, 1, 1));
    node.settle(outcomes_of(node.claim(10), EventKind::delivered));
    const auto read = node.must(node.queue().read_events("", 10));
    EXPECT_EQ(read.events.size(), 1U);
    EXPECT_EQ(server().cli("XREVRANGE '" + key + "events' + - COUNT 1").substr(0, read.position.size()), read.position);
}

TEST_F(SettleTest, OneNodeReadsForTheLedger)
{
    Node one{io, server().url(), "n1", "i1"};
    Node two{io, server().url(), "n2", "i2"};
    EXPECT_TRUE(one.must(one.queue().hold_ledger_lock()));
    EXPECT_TRUE(one.must(one.queue().hold_ledger_lock()));
    EXPECT_FALSE(two.must(two.queue().hold_ledger_lock()));
    EXPECT_GT(std::stol(server().cli("PTTL '" + key + "ledger-lock'")), 1000);
    server().cli("DEL '" + key + "ledger-lock'"); // as when its lease ends
    EXPECT_TRUE(two.must(two.queue().hold_ledger_lock()));
    EXPECT_FALSE(one.must(one.queue().hold_ledger_lock()));
}

TEST_F(SettleTest, ContentIsKeptByTenant)
{
    Node node{io, server().url(), "n1", "i1"};
    const ContentId id{std::string(64, 'a')};
    const std::string bytes{"a\0b\r\n", 5};
    node.must(node.queue().put_content(tenant_of(1), id, bytes, 60s));
    EXPECT_EQ(node.must(node.queue().get_content(tenant_of(1), id)), bytes);
    EXPECT_EQ(node.must(node.queue().get_content(tenant_of(2), id)), std::nullopt);
}

TEST_F(SettleTest, WhenAllIsDoneAlmostNoKeyIsLeft)
{
    Node node{io, server().url(), "n1", "i1"};
    for (unsigned tenant = 1; tenant <= 20; ++tenant) node.enqueue(batch_entries(tenant, tenant, 50));
    std::vector<MessageId> done;
    for (int round = 0; done.size() < 1000; ++round) {
        ASSERT_LT(round, 2000);
        const std::vector<Claimed> got = node.claim(100);
        if (round % 3 == 1)
            node.park(tokens_of(got), "gmail");
        else if (round % 3 == 2)
            node.release(tokens_of(got));
        else {
            node.settle(outcomes_of(got, EventKind::delivered));
            for (const Claimed& one : got) done.push_back(one.entry.id);
        }
    }
    node.claim(100); // finds the tenants empty and forgets them
    const auto read = node.must(node.queue().read_events("", 10'000));
    node.must(node.queue().confirm_events(read.position, done));
    node.must(node.queue().stop());
    const std::string left = server().cli("--scan");
    std::set<std::string> keys;
    for (std::size_t at = 0; at < left.size();) {
        const auto end = std::min(left.find('\n', at), left.size());
        keys.insert(left.substr(at + key.size(), end - at - key.size()));
        at = end + 1;
    }
    const std::set<std::string> constant{"epoch", "events", "ledger", "told", "tokens", "turn", "vt:0", "vt:1", "vt:2"};
    std::set<std::string> surplus;
    std::ranges::set_difference(keys, constant, std::inserter(surplus, surplus.end()));
    EXPECT_EQ(surplus, std::set<std::string>{});
}

// Outcomes of a source under a warm-up plan, at half past noon of a day.
std::vector<queue::Settlement> warmed(const std::vector<Claimed>& claimed, EventKind kind, const std::string& share)
{
    std::vector<queue::Settlement> out = outcomes_of(claimed, kind);
    for (queue::Settlement& one : out) {
        one.event.source = "192.0.2.1";
        one.event.warmup = share;
        one.event.at = from_unix_ms(1'773'145'800'000); // 2026-03-10
    }
    return out;
}
constexpr std::chrono::sys_days kWarmDay{std::chrono::year{2026} / 3 / 10};

TEST_F(SettleTest, OutcomesUnderAWarmUpPlanAreCountedWithTheirSettling)
{
    Node node{io, server().url(), "n1", "i1"};
    node.enqueue(batch_entries(1, 1, 6));
    const std::vector<Claimed> got = node.claim(10);
    const std::vector<Claimed> first{got.begin(), got.begin() + 2};
    const std::vector<Claimed> second{got.begin() + 2, got.begin() + 5};
    std::vector<queue::Settlement> all = warmed(first, EventKind::delivered, "gmail");
    std::ranges::move(warmed(second, EventKind::deferred, "other"), std::back_inserter(all));
    all.push_back(outcomes_of({got[5]}, EventKind::delivered).front()); // of a source without a plan
    node.settle(all);
    EXPECT_EQ(node.must(node.queue().warmup_counts("192.0.2.1", kWarmDay)),
              (queue::WarmupCounts{{"gmail", 2}, {"other", 3}}));
    EXPECT_TRUE(node.must(node.queue().warmup_counts("192.0.2.1", kWarmDay + std::chrono::days{1})).empty());
    EXPECT_TRUE(node.must(node.queue().warmup_counts("192.0.2.2", kWarmDay)).empty());
    EXPECT_GT(std::stoi(server().cli("TTL '" + key + "warmup:192.0.2.1:2026-03-10'")), 86'400);
}

TEST_F(SettleTest, WhatIsToldTwiceIsCountedOnce)
{
    Node node{io, server().url(), "n1", "i1"};
    node.queue().keeps_journal("journal");
    node.enqueue(batch_entries(1, 1, 1));
    std::vector<queue::WrittenSettlement> told;
    for (queue::Settlement& one : warmed(node.claim(10), EventKind::delivered, "gmail")) {
        told.push_back(written(one));
        told.back().sequence = 1;
    }
    for (const bool again : {false, false, true})
        node.must(node.queue().settle(std::span<const queue::WrittenSettlement>{told}, again));
    EXPECT_EQ(node.must(node.queue().warmup_counts("192.0.2.1", kWarmDay)), (queue::WarmupCounts{{"gmail", 1}}));

    server().cli("FLUSHALL"); // Redis lost everything: what the journal tells again is counted again
    node.must(node.queue().join(true));
    node.must(node.queue().settle(std::span<const queue::WrittenSettlement>{told}, true));
    EXPECT_EQ(node.must(node.queue().warmup_counts("192.0.2.1", kWarmDay)), (queue::WarmupCounts{{"gmail", 1}}));
}

TEST_F(SettleTest, ACountThatCannotBeWrittenStopsNoOutcome)
{
    Node node{io, server().url(), "n1", "i1"};
    server().cli("SET '" + key + "warmup:192.0.2.1:2026-03-10' odd");
    node.enqueue(batch_entries(1, 1, 1));
    EXPECT_EQ(node.settle(warmed(node.claim(10), EventKind::delivered, "gmail")).settled, 1U);
    EXPECT_EQ(node.events().size(), 1U);
}

TEST(WarmupCount, IsOfEventsThatNameAShareAndASource)
{
    Event event{.source = "2001:db8::1", .warmup = "m365"};
    event.id = "x";
    event.at = from_unix_ms(1'773'187'199'999);
    event.message = *MessageId::parse("018f0000-0000-7000-8000-000000000001.0");
    event.reply = R"(250 "warmup":"gmail" is what I say)";
    EXPECT_EQ(queue::warmup_count_of(event.to_json()), "2001:db8::1:2026-03-10 m365");
    event.warmup = "";
    EXPECT_EQ(queue::warmup_count_of(event.to_json()), "") << "whatever a server says";
    event.warmup = "a b\n1 c d";
    EXPECT_EQ(queue::warmup_count_of(event.to_json()), "") << "no line of its own";
    event.warmup = "m365";
    event.source = "";
    EXPECT_EQ(queue::warmup_count_of(event.to_json()), "");
}

} // namespace

} // namespace penguin::test
