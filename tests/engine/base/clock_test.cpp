#include "engine/base/clock.h"

#include <gtest/gtest.h>

namespace penguin {
namespace {

TEST(Clock, ShowsTimesInTheThreeFormsOfOurProtocols)
{
    const WallTime at = from_unix_ms(1'795'494'547'123);
    EXPECT_EQ(to_rfc3339(at), "2026-11-24T04:29:07.123Z");
    EXPECT_EQ(to_rfc5322(at), "Tue, 24 Nov 2026 04:29:07 +0000");
    EXPECT_EQ(to_unix_ms(at), 1'795'494'547'123);
}

struct TimeCase {
    const char* text;
    std::int64_t unix_ms;
};
constexpr TimeCase kTimes[] = {
    {"2026-11-24T04:29:07Z", 1'795'494'547'000},           {"2026-11-24T04:29:07.1Z", 1'795'494'547'100},
    {"2026-11-24t04:29:07.123456789z", 1'795'494'547'123}, {"2026-11-24T06:29:07+02:00", 1'795'494'547'000},
    {"2026-11-23T23:29:07-05:00", 1'795'494'547'000},      {"1970-01-01T00:00:00Z", 0},
};
TEST(Clock, ParsesRfc3339)
{
    for (const TimeCase& row : kTimes) {
        const Result<WallTime> parsed = parse_rfc3339(row.text);
        ASSERT_TRUE(parsed) << row.text;
        EXPECT_EQ(to_unix_ms(*parsed), row.unix_ms) << row.text;
    }
}

TEST(Clock, RefusesWhatIsNotRfc3339)
{
    for (const char* text : {"", "2026-11-24", "2026-11-24T04:29:07", "2026-13-24T04:29:07Z", "2026-02-30T04:29:07Z",
                             "2026-11-24T24:00:00Z", "2026-11-24T04:29:07.Z", "2026-11-24T04:29:07Zx",
                             "2026-11-24T04:29:07+25:00", "+026-11-24T04:29:07Z"})
        EXPECT_EQ(parse_rfc3339(text).error().code, Errc::malformed) << text;
}

// They would be written as no RFC 3339 time again, or be no time of PostgreSQL's.
TEST(Clock, RefusesWhatIsOutsideOfTheYears1To9999InUtc)
{
    for (const char* text :
         {"0000-12-31T23:59:59Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "9999-12-31T23:59:60Z"})
        EXPECT_EQ(parse_rfc3339(text).error().code, Errc::malformed) << text;
    for (const char* text : {"0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"})
        EXPECT_EQ(to_rfc3339(parse_rfc3339(text).value()), text);
}

} // namespace
} // namespace penguin
