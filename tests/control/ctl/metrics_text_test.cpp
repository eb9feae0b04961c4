#include "control/ctl/metrics_text.h"

#include <gtest/gtest.h>

#include "engine/base/metrics.h"

namespace penguin::control::ctl {
namespace {

TEST(MetricsText, ReadsWhatARegistryWrites)
{
    Registry registry;
    registry.counter("penguin_a_total", "A.", {{"kind", "x"}}).add(3);
    registry.counter("penguin_a_total", "A.", {{"kind", "with \"quotes\", \\ and\nline"}}).add(4);
    registry.gauge("penguin_b", "B.").set(-5);
    registry.histogram("penguin_c_seconds", "C.", {0.1, 1}).observe(0.5);
    const auto metrics = Metrics::parse(registry.expose());
    ASSERT_TRUE(metrics) << metrics.error().detail;
    EXPECT_EQ(metrics->sum("penguin_a_total"), 7);
    EXPECT_EQ(metrics->sum("penguin_a_total", "kind", "with \"quotes\", \\ and\nline"), 4);
    EXPECT_EQ(metrics->sum("penguin_b"), -5);
    EXPECT_EQ(metrics->sum("penguin_c_seconds_bucket", "le", "1"), 1);
    EXPECT_EQ(metrics->of("penguin_c_seconds_bucket").size(), 3U);
}

TEST(MetricsText, WhatOthersMayWrite)
{
    const auto metrics = Metrics::parse(
        "# a comment\n\n  \nplain 1\ntimed 2 1700000000000\nspaced{a=\"1\",b=\"2\",} \t 3e2\nnan NaN\ninf +Inf");
    ASSERT_TRUE(metrics) << metrics.error().detail;
    EXPECT_EQ(metrics->sum("plain"), 1);
    EXPECT_EQ(metrics->sum("timed"), 2);
    EXPECT_EQ(metrics->sum("spaced", "b", "2"), 300);
    EXPECT_FALSE(metrics->has("nan") || metrics->has("inf")) << "no number to show";
    EXPECT_EQ(metrics->samples().size(), 3U);
}

TEST(MetricsText, WhatIsNotThereIsNothing)
{
    const auto metrics = Metrics::parse("");
    ASSERT_TRUE(metrics);
    EXPECT_FALSE(metrics->has("a"));
    EXPECT_EQ(metrics->sum("a"), 0);
    EXPECT_TRUE(metrics->of("a").empty());
}

TEST(MetricsText, RefusesWhatIsNoSampleByItsLine)
{
    for (const char* text : {"a 1\nb", "a 1\nb{", "a 1\nb{x=\"1\"", "a 1\nb{x=\"1} 2", "a 1\nb{x} 2",
                             "a 1\nb{=\"1\"} 2", "a 1\n{x=\"1\"} 2"}) {
        const auto metrics = Metrics::parse(text);
        ASSERT_FALSE(metrics) << text;
        EXPECT_EQ(metrics.error().code, Errc::malformed);
        EXPECT_EQ(metrics.error().detail, "metrics, line 2: is no sample") << text;
    }
}

TEST(MetricsText, IsBounded)
{
    std::string text;
    for (std::size_t i = 0; i <= Metrics::kSamplesMax; ++i) text += "a 1\n";
    EXPECT_EQ(Metrics::parse(text).error().code, Errc::too_long);
    EXPECT_TRUE(Metrics::parse(std::string_view{text}.substr(4)));
}

} // namespace
} // namespace penguin::control::ctl
