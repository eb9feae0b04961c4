#include "bench/rtt/span.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace penguin::bench {
namespace {

std::vector<Arrival> every(std::int64_t ms, std::size_t rounds, std::vector<std::uint64_t> connections)
{
    std::vector<Arrival> arrivals;
    for (std::size_t round = 0; round < rounds; ++round)
        for (const std::uint64_t connection : connections)
            arrivals.push_back({.at_ms = static_cast<std::int64_t>(round) * ms, .connection = connection});
    return arrivals;
}

TEST(Span, OfOneConnectionThatIsEven)
{
    const Span span = steady_span(every(50, 101, {1}));
    EXPECT_EQ(span.messages, 80U);
    EXPECT_DOUBLE_EQ(span.seconds, 4.0);
    EXPECT_DOUBLE_EQ(span.per_second(), 20.0);
}

// All answer in step: a span that began behind one burst and ended with another would have ten too many.
TEST(Span, HoldsWholeRoundsOfConnectionsInStep)
{
    for (const std::size_t rounds : {21, 22, 25, 50, 99})
        EXPECT_DOUBLE_EQ(steady_span(every(100, rounds, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})).per_second(), 100.0)
            << rounds;
}

TEST(Span, LeavesOutWhatConnectingTook)
{
    std::vector<Arrival> arrivals = every(10, 100, {1});
    arrivals.front().at_ms = -5'000;
    EXPECT_DOUBLE_EQ(steady_span(arrivals).per_second(), 100.0);
}

TEST(Span, LinesMayStandInAnyOrder)
{
    std::vector<Arrival> arrivals = every(10, 100, {1, 2});
    const double rate = steady_span(arrivals).per_second();
    std::ranges::reverse(arrivals);
    EXPECT_DOUBLE_EQ(steady_span(arrivals).per_second(), rate);
}

TEST(Span, TooFewTellNoRate)
{
    EXPECT_EQ(steady_span({}).per_second(), 0);
    EXPECT_EQ(steady_span({{.at_ms = 1, .connection = 1}}).per_second(), 0);
    EXPECT_EQ(steady_span({{.at_ms = 1, .connection = 1}, {.at_ms = 2, .connection = 2}}).per_second(), 0);
}

TEST(Span, ReadsTheSinksLog)
{
    const std::vector<Arrival> arrivals = arrivals_of("{\"time_ms\":1000,\"connection\":7,\"rcpt\":\"u1@d0.test\"}\n"
                                                      "{\"time_ms\":1050,\"connection\":8,\"rcpt\":\"u2@d0.test\"}\n"
                                                      "{\"time_ms\":11");
    EXPECT_EQ(arrivals, (std::vector<Arrival>{{.at_ms = 1'000, .connection = 7}, {.at_ms = 1'050, .connection = 8}}));
    EXPECT_EQ(connections_in(arrivals), 2U);
}

} // namespace
} // namespace penguin::bench
