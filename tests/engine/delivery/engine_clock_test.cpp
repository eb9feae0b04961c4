// The node's wall clock is wrong by an hour: when a message goes, expires, is tried again, and what an event says of the time is
// all by the fleet's clock, which is Redis'. Here it is Redis' that is moved (tests/faults/clock_shim.c): what counts is the
// difference, and the test's own clock is right.
#include "tests/engine/delivery/engine_fixture.h"

namespace penguin::test {
namespace {

using queue::EventKind;

class WrongClockTest : public EngineTest, public testing::WithParamInterface<int> {
protected:
    WrongClockTest() : EngineTest{{"LD_PRELOAD=" CLOCK_SHIM, "FAULTS_CLOCK_OFFSET_S=" + std::to_string(GetParam())}} {}

    WallTime fleet_now() const { return from_unix_ms(std::stoll(redis.cli("TIME")) * 1000); }

    // By a producer that looks at no clock: what is not due lies in the ready list until a node sees it.
    void push(const queue::Entry& entry)
    {
        const std::string tenant = entry.tenant.value().text();
        redis.cli("RPUSH 'pm:{default}:ready:" + tenant + ":1' '" + entry.to_json() + "'");
        redis.cli("ZADD 'pm:{default}:active:1' NX 0 " + tenant);
    }
    queue::Entry entry_to(unsigned index) const
    {
        queue::Entry entry = entry_of(1, 1, index);
        entry.from = *EmailAddress::parse("news@sender.test");
        entry.to = *EmailAddress::parse("r" + std::to_string(index) + "@one.test.example");
        entry.content = kContent;
        entry.queued = fleet_now() - 10s;
        return entry;
    }
    void expect_near(WallTime time, WallTime wanted) { EXPECT_LT(std::chrono::abs(time - wanted), 5min); }
};

TEST_P(WrongClockTest, TheFleetsIsAnotherThanOurs) // else the others would show nothing
{
    expect_near(fleet_now(), wall_now() + std::chrono::seconds{GetParam()});
}

TEST_P(WrongClockTest, NotBeforeIsByTheFleetsClock)
{
    bench::Sink& one = sink(11);
    queue::Entry later = entry_to(0);
    later.not_before = fleet_now() + 30min;
    queue::Entry now = entry_to(1);
    now.not_before = fleet_now() - 30min;
    push(later);
    push(now);
    start_engine();
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 1 && producer_.summary().due == 1; })) << told();
    EXPECT_EQ(only(EventKind::delivered).message, now.id);
    EXPECT_EQ(one.counts().messages, 1U);
    EXPECT_EQ(producer_.summary().in_hands, 0U);
}

TEST_P(WrongClockTest, ExpiryIsByTheFleetsClock)
{
    sink(11);
    queue::Entry dead = entry_to(0);
    dead.expires = fleet_now() - 30min;
    queue::Entry alive = entry_to(1);
    alive.expires = fleet_now() + 30min;
    push(dead);
    push(alive);
    start_engine();
    ASSERT_TRUE(until([&] { return events().size() == 2; })) << told();
    EXPECT_EQ(only(EventKind::expired).message, dead.id);
    EXPECT_EQ(only(EventKind::delivered).message, alive.id);
}

TEST_P(WrongClockTest, RetriesAndTheTimesOfEventsAreByTheFleetsClock)
{
    sink(11, {R"(phase=rcpt code=451 text="4.2.1 come again" first-attempts-only)"});
    push(entry_to(0));
    start_engine();
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 1; })) << told();
    const queue::Event deferred = only(EventKind::deferred);
    const queue::Event delivered = only(EventKind::delivered);
    expect_near(deferred.at, fleet_now());
    expect_near(deferred.next.value(), fleet_now());
    EXPECT_GE(*deferred.next, deferred.at);
    expect_near(delivered.at, fleet_now());
    EXPECT_GE(delivered.latency_ms, 8'000) << "from the acceptance ten seconds before, by the same clock";
    EXPECT_LT(delivered.latency_ms, 300'000);
}

INSTANTIATE_TEST_SUITE_P(FromOurs, WrongClockTest, testing::Values(3600, -3600),
                         [](const auto& hour) { return hour.param > 0 ? "AnHourAhead" : "AnHourBehind"; });

} // namespace
} // namespace penguin::test
