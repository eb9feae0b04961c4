// The engine when Redis restarts or loses all, and when its node's name or hand goes to another: what was sent is told, once.
#include <set>

#include "tests/engine/delivery/engine_fixture.h"

namespace penguin::test {
namespace {

using queue::EventKind;

TEST_F(EngineTest, ACrashedPredecessorsHandIsTakenUpAtOnce)
{
    bench::Sink& one = sink(11);
    enqueue(1, addresses("one.test.example", 10));
    {
        Node crashed{io_, redis.url(), "node", "crashed"};
        ASSERT_EQ(crashed.claim(10).size(), 10U);
    }
    start_engine();
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 10; }));
    EXPECT_EQ(one.counts().messages, 10U);
}

TEST_F(EngineTest, RedisThatRestartsLosesNoOutcome)
{
    bench::Sink& one = sink(11, {"phase=body delay-ms=20 code=250 text=ok"});
    start_engine();
    enqueue(1, addresses("one.test.example", 200));
    ASSERT_TRUE(until([&] { return one.counts().messages >= 50; }));
    redis.stop();
    redis.start();
    ASSERT_TRUE(until([&] { return one.counts().messages >= 200; }));
    Node reader{io_, redis.url(), "reader", "r", std::chrono::seconds{30}, false};
    ASSERT_TRUE(until([&] {
        const std::vector<queue::Event> all = reader.events();
        return std::ranges::count(all, EventKind::delivered, &queue::Event::kind) == 200;
    }));
    EXPECT_EQ(one.counts().messages, 200U);
}

// Nothing tells Redis what was delivered while it is away: the journal does, to the next process.
TEST_F(EngineTest, OutcomesThatRedisWasNotToldAreToldByTheNextProcess)
{
    bench::Sink& one = sink(11, {"phase=body delay-ms=300 code=250 text=ok"});
    start_engine();
    enqueue(1, addresses("one.test.example", 10));
    ASSERT_TRUE(until([&] { return one.counts().connections >= 2; }));
    redis.stop();
    ASSERT_TRUE(until([&] { return one.counts().messages >= 2; }));
    engine_->stop(std::chrono::seconds{2}); // what is under way gets its 250
    EXPECT_LT(one.counts().messages, 10U) << "a next body waits until Redis has the last outcome";
    redis.start();
    start_engine();
    Node reader{io_, redis.url(), "reader", "r", std::chrono::seconds{30}, false};
    ASSERT_TRUE(until([&] { return reader.events().size() >= 10; }));
    EXPECT_EQ(reader.events().size(), 10U);
    EXPECT_TRUE(metrics.expose().contains("penguin_journal_told_again_total")) << metrics.expose();
    EXPECT_EQ(one.counts().messages, 10U);
}

TEST_F(EngineTest, ARedisThatLostEverythingHasNothingSentTwice)
{
    bench::Sink& one = sink(11, {"phase=body delay-ms=20 code=250 text=ok"});
    start_engine();
    enqueue(1, addresses("one.test.example", 300));
    ASSERT_TRUE(until([&] { return one.counts().messages >= 100; }));
    redis.cli("FLUSHALL");
    ASSERT_TRUE(until([&] { return redis.cli("GET 'pm:{default}:epoch'").ends_with(" ok"); }));
    enqueue(1, addresses("one.test.example", 300)); // all of them, as the reconciler would for an empty ledger
    const auto ended = [&] {
        std::set<MessageId> messages;
        for (const queue::Event& event : events())
            if (event.kind == EventKind::delivered) messages.insert(event.message);
        return messages.size();
    };
    ASSERT_TRUE(until([&] { return ended() == 300; })) << ended();
    EXPECT_EQ(one.counts().messages, 300U);
    EXPECT_EQ(producer_.summary().in_hands, 0U);
}

// As after SIGSTOP: the lease ran out, another node has the hand. It begins nothing, and comes back by itself.
TEST_F(EngineTest, ANodeThatWasTakenOverJoinsAgain)
{
    bench::Sink& one = sink(11, {"phase=body delay-ms=200 code=250 text=ok"});
    start_engine();
    enqueue(1, addresses("one.test.example", 40));
    ASSERT_TRUE(until([&] { return one.counts().connections >= 10; }));
    const std::string incarnation = "engine-" + std::to_string(incarnation_);
    redis.cli("HSET 'pm:{default}:nodes' node '1 " + incarnation + " 1 - up'");
    {
        Node other{io_, redis.url(), "other", "other-1"};
        other.must(other.queue().heartbeat("up"));
        other.must(other.queue().stop());
    }
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) >= 40; })) << told();
    EXPECT_EQ(one.counts().messages, 40U) << "what is under way here is not begun a second time";
    EXPECT_TRUE(until([&] { return engine_->status().claiming; }));
}

TEST_F(EngineTest, AnotherLiveIncarnationKeepsItsNameAndNothingIsClaimed)
{
    bench::Sink& one = sink(11);
    Node other{io_, redis.url(), "node", "other"};
    start_engine([](delivery::EngineOptions& options) { options.crashed_before = false; });
    enqueue(1, addresses("one.test.example", 10));
    ASSERT_TRUE(
        until([&] { return !engine_->status().why_not.empty() && engine_->status().why_not != "default: starting"; }));
    EXPECT_FALSE(engine_->status().claiming);
    EXPECT_EQ(one.counts().connections, 0U);
    EXPECT_EQ(producer_.summary().ready, 10U);
}

// Outcomes need more of Redis' memory than the entries that they replace.
TEST_F(EngineTest, NothingIsClaimedWhileRedisIsNearlyFull)
{
    bench::Sink& one = sink(11);
    enqueue(1, addresses("one.test.example", 10));
    redis.cli("SETRANGE ballast 60000000 x"); // else a client's buffer would be percents
    const std::string info = redis.cli("INFO memory");
    const std::size_t used = std::stoull(info.substr(info.find("used_memory:") + 12));
    redis.cli("CONFIG SET maxmemory " + std::to_string(used * 100 / 97));
    start_engine();
    ASSERT_TRUE(until([&] { return engine_->status().why_not.contains("of its memory"); }))
        << engine_->status().why_not;
    EXPECT_EQ(one.counts().connections, 0U);
    EXPECT_EQ(producer_.summary().ready, 10U);
    redis.cli("CONFIG SET maxmemory 1gb");
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 10; })) << engine_->status().why_not;
}

} // namespace
} // namespace penguin::test
