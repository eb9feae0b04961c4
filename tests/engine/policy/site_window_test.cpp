#include "engine/policy/site_window.h"

#include <gtest/gtest.h>

namespace penguin::policy {
namespace {

using namespace std::chrono_literals;

const SteadyTime kStart{std::chrono::hours{1}};

void take(SiteWindow& window, std::size_t messages, SteadyTime at)
{
    for (std::size_t i = 0; i < messages; ++i) window.done(at);
}

TEST(SiteWindow, OfASiteThatTookNothingIsTheLeast) { EXPECT_EQ(SiteWindow{}.size(40, kStart), 40U); }

TEST(SiteWindow, IsTwiceWhatTheLastWholeSpanTook)
{
    SiteWindow window;
    take(window, 100, kStart);
    EXPECT_EQ(window.size(40, kStart + 100ms), 40U); // not whole yet
    EXPECT_EQ(window.size(40, kStart + 250ms), 200U);
    take(window, 30, kStart + 260ms);
    EXPECT_EQ(window.size(40, kStart + 400ms), 200U);
    EXPECT_EQ(window.size(40, kStart + 510ms), 60U);
}

TEST(SiteWindow, IsNeverBelowTheLeast)
{
    SiteWindow window;
    take(window, 3, kStart);
    EXPECT_EQ(window.size(40, kStart + 250ms), 40U);
}

TEST(SiteWindow, ForgetsAfterTwoQuietSpans)
{
    SiteWindow window;
    take(window, 100, kStart);
    EXPECT_EQ(window.size(40, kStart + 499ms), 200U);
    EXPECT_EQ(window.size(40, kStart + 500ms), 40U);
    take(window, 10, kStart + 600ms);
    EXPECT_EQ(window.size(1, kStart + 600ms), 1U);
    EXPECT_EQ(window.size(1, kStart + 850ms), 20U);
}

} // namespace
} // namespace penguin::policy
