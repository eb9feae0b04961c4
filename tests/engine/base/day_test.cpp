#include "engine/base/day.h"

#include <gtest/gtest.h>

namespace penguin {
namespace {

TEST(Day, GoesToTextAndBack)
{
    for (const char* text : {"2026-03-10", "2024-02-29", "0001-01-01", "9999-12-31", "1970-01-01"})
        EXPECT_EQ(day_text(parse_day(text).value()), text);
}

TEST(Day, WhatIsNoDayIsRefused)
{
    for (const char* text : {"", "2026-3-10", "2026-02-29", "2026-13-01", "2026-00-10", "2026-01-32", "0000-01-01",
                             "+026-01-01", "2026-01-01T", "2026/01/01", "20260101", " 026-01-01", "2026-0 -01"})
        EXPECT_EQ(parse_day(text).error().code, Errc::malformed) << text;
}

} // namespace
} // namespace penguin
