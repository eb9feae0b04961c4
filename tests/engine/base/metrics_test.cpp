#include "engine/base/metrics.h"

#include <gtest/gtest.h>

namespace penguin {
namespace {

TEST(Metrics, ExposesThePrometheusText)
{
    Registry registry;
    registry.counter("penguin_claimed_total", "Messages claimed.", {{"pool", "a\"b"}}).add(3);
    registry.gauge("penguin_lanes", "Lanes.").set(-2);
    Histogram& seconds = registry.histogram("penguin_wait_seconds", "Wait.", {0.5, 1});
    seconds.observe(0.5);
    seconds.observe(2);
    EXPECT_EQ(registry.expose(), "# HELP penguin_claimed_total Messages claimed.\n"
                                 "# TYPE penguin_claimed_total counter\n"
                                 "penguin_claimed_total{pool=\"a\\\"b\"} 3\n"
                                 "# HELP penguin_lanes Lanes.\n"
                                 "# TYPE penguin_lanes gauge\n"
                                 "penguin_lanes -2\n"
                                 "# HELP penguin_wait_seconds Wait.\n"
                                 "# TYPE penguin_wait_seconds histogram\n"
                                 "penguin_wait_seconds_bucket{le=\"0.5\"} 1\n"
                                 "penguin_wait_seconds_bucket{le=\"1\"} 1\n"
                                 "penguin_wait_seconds_bucket{le=\"+Inf\"} 2\n"
                                 "penguin_wait_seconds_sum 2.5\n"
                                 "penguin_wait_seconds_count 2\n");
}

TEST(Metrics, TheNumberOfSeriesIsBounded)
{
    Registry registry;
    for (std::size_t i = 0; i < Registry::kSeriesMax + 10; ++i)
        registry.counter("c_total", "C.", {{"site", std::to_string(i)}}).add();
    EXPECT_EQ(registry.counter("c_total", "C.", {{"site", "yet another"}}).value(), 10U);
}

TEST(Metrics, GaugesThatAreReadAreReadAtEachExposition)
{
    Registry registry;
    int calls = 0;
    registry.on_expose([&] { registry.gauge("g", "G.").set(++calls); });
    EXPECT_TRUE(registry.expose().contains("g 1\n"));
    EXPECT_TRUE(registry.expose().contains("g 2\n"));
}

} // namespace
} // namespace penguin
