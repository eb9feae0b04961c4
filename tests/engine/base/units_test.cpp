#include "engine/base/units.h"

#include <gtest/gtest.h>

namespace penguin {
namespace {

using namespace std::chrono_literals;

TEST(Units, TimesAsTextAndBack)
{
    for (const auto time : {0ms, 1ms, 1500ms, 60'000ms, 388'800'000ms})
        EXPECT_EQ(parse_duration(duration_text(time)), time) << duration_text(time);
    EXPECT_EQ(duration_text(4 * 24h + 12h), "4d12h");
    for (const char* const wrong : {"", "5", "m", "5m1h", "5m5m", "-5m", "1.5h", "5 m", "9999999999s"})
        EXPECT_FALSE(parse_duration(wrong)) << wrong;
}

TEST(Units, SizesAsTextAndBack)
{
    for (const std::uint64_t size : {1ULL, 1023ULL, 1ULL << 10, 3ULL << 20, 1ULL << 30})
        EXPECT_EQ(parse_size(size_text(size)), size) << size_text(size);
    EXPECT_EQ(size_text(64ULL << 10), "64KiB");
    for (const char* const wrong : {"", "5", "KiB", "5kb", "5 MiB", "9999999999B"})
        EXPECT_FALSE(parse_size(wrong)) << wrong;
}

} // namespace
} // namespace penguin
