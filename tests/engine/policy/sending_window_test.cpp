#include "engine/policy/sending_window.h"

#include <random>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace penguin::policy {
namespace {

using namespace std::chrono_literals;

SendingWindow window_of(std::string_view text)
{
    const auto window = SendingWindow::parse(text);
    if (!window) throw std::runtime_error{window.error().detail};
    return *window;
}

WallTime utc(std::string_view text) { return parse_rfc3339(text).value(); }

std::string opens(std::string_view window, std::string_view at)
{
    const SendingWindow made = window_of(window);
    return to_rfc3339(made.opens(made.zone, utc(at))).substr(0, 16);
}

struct Opening {
    const char* name;
    const char* window;
    const char* at; // UTC
    const char* opens;
};

// 2026: clocks in Berlin go forward on 29 March at 01:00 UTC and back on 25 October at 01:00 UTC; New York on 8 March and 1 November.
constexpr Opening kOpenings[] = {
    {"InIt", "mon 09:00-17:00 Europe/Berlin", "2026-01-05T10:00:00Z", "2026-01-05T10:00"},
    {"AtItsFirstMinute", "mon 09:00-17:00 Europe/Berlin", "2026-01-05T08:00:00Z", "2026-01-05T08:00"},
    {"BeforeIt", "mon 09:00-17:00 Europe/Berlin", "2026-01-05T07:59:59Z", "2026-01-05T08:00"},
    {"AtItsEnd", "mon 09:00-17:00 Europe/Berlin", "2026-01-05T16:00:00Z", "2026-01-12T08:00"},
    {"OverTheWeekend", "mon,tue,wed,thu,fri 09:00-17:00 Europe/Berlin", "2026-01-09T18:00:00Z", "2026-01-12T08:00"},
    {"InSummer", "mon,tue,wed,thu,fri 09:00-17:00 Europe/Berlin", "2026-07-01T20:00:00Z", "2026-07-02T07:00"},
    {"TheDayIsTheZones", "sun 00:00-24:00 Asia/Tokyo", "2026-01-03T14:59:59Z", "2026-01-03T15:00"},
    {"WholeDays", "sat,sun 00:00-24:00 UTC", "2026-01-09T12:00:00Z", "2026-01-10T00:00"},
    {"OverTheJumpForward", "sat,mon 09:00-10:00 Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-30T07:00"},
    {"BeginsInTheHourLeftOut", "sun 02:30-05:00 Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00"},
    {"LiesInTheHourLeftOut", "sun 02:00-03:00 Europe/Berlin", "2026-03-28T12:00:00Z", "2026-04-05T00:00"},
    {"TheHourThatComesTwice", "sun 02:00-03:00 Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:00"},
    {"AndItsSecondTime", "sun 02:00-03:00 Europe/Berlin", "2026-10-25T01:30:00Z", "2026-10-25T01:30"},
    {"AfterItsSecondTime", "sun 02:00-03:00 Europe/Berlin", "2026-10-25T02:00:00Z", "2026-11-01T01:00"},
    {"BegunOnceMore", "sun 02:30-03:00 Europe/Berlin", "2026-10-25T01:10:00Z", "2026-10-25T01:30"},
    {"BackIntoIt", "sun 01:30-02:30 Europe/Berlin", "2026-10-25T00:40:00Z", "2026-10-25T01:00"},
    {"NewYorkInMarch", "sun 01:00-04:00 America/New_York", "2026-03-08T07:30:00Z", "2026-03-08T07:30"},
    {"HalfHours", "mon 09:00-17:00 Asia/Kolkata", "2026-01-04T12:00:00Z", "2026-01-05T03:30"},
};

class SendingWindowTest : public testing::TestWithParam<Opening> {};

TEST_P(SendingWindowTest, OpensWhenTheClockOnTheWallSaysSo)
{
    EXPECT_EQ(opens(GetParam().window, GetParam().at), GetParam().opens);
}

INSTANTIATE_TEST_SUITE_P(Clocks, SendingWindowTest, testing::ValuesIn(kOpenings),
                         [](const auto& row) { return row.param.name; });

TEST(SendingWindow, TextComesBack)
{
    for (const char* text : {"mon,tue,wed,thu,fri 09:00-17:00 Europe/Berlin", "sun 00:00-24:00 UTC recipient",
                             "sat 23:59-24:00 America/Argentina/ComodRivadavia"})
        EXPECT_EQ(window_of(text).text(), text);
    EXPECT_EQ(window_of("fri,mon 09:00-17:00 UTC").text(), "mon,fri 09:00-17:00 UTC");
    EXPECT_TRUE(window_of("mon 09:00-17:00 UTC recipient").of_recipients);
}

TEST(SendingWindow, WhatIsNoneIsRefused)
{
    for (const char* text : {"",
                             "mon",
                             "mon 09:00-17:00",
                             "mon 09:00-17:00 ",
                             "mon 09:00-17:00 Mars/Base",
                             "mon 09:00-17:00 ../../etc/passwd",
                             "mon 09:00-17:00 UTC ",
                             "mon 09:00-17:00 UTC recipients",
                             "montag 09:00-17:00 UTC",
                             "mon,mon 09:00-17:00 UTC",
                             ", 09:00-17:00 UTC",
                             " 09:00-17:00 UTC",
                             "mon 17:00-09:00 UTC",
                             "mon 09:00-09:00 UTC",
                             "mon 9:00-17:00 UTC",
                             "mon 09:60-17:00 UTC",
                             "mon 09:00-24:01 UTC",
                             "mon 09:00-25:00 UTC",
                             "mon 0900-1700 UTC",
                             "mon -1:00-17:00 UTC"}) {
        const auto window = SendingWindow::parse(text);
        ASSERT_FALSE(window) << text;
        EXPECT_EQ(window.error().code, Errc::bad_value) << text;
    }
    EXPECT_FALSE(TimeZone::find(std::string(65, 'A')));
    EXPECT_FALSE(TimeZone::find(std::string_view{"UTC\0x", 5}));
}

// Whatever the window, the zone and the time: it opens at a time at which it is open, and no minute before that is in it.
TEST(SendingWindow, NothingInTheWindowIsMissed)
{
    std::mt19937 random{20261128}; // NOLINT(cert-msc51-cpp): the same cases each time
    const char* const zones[] = {"UTC",          "Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
                                 "Pacific/Apia", "Asia/Kathmandu"};
    const auto pick = [&](int most) { return static_cast<int>(random() % static_cast<unsigned>(most)); };
    for (int i = 0; i < 100; ++i) {
        const int from = pick(24 * 60);
        const int until = from + 1 + pick(24 * 60 - from);
        const SendingWindow window = window_of(fmt::format(
            "{} {}-{} {}",
            std::array{"mon", "tue,sat", "sun", "mon,tue,wed,thu,fri"}.at(static_cast<std::size_t>(pick(4))),
            clock_text(std::chrono::minutes{from}), clock_text(std::chrono::minutes{until}),
            zones[static_cast<std::size_t>(pick(6))]));
        const WallTime at = utc("2026-01-01T00:00:00Z") + std::chrono::minutes{pick(366 * 24 * 60)};
        const WallTime opens = window.opens(window.zone, at);
        ASSERT_TRUE(window.is_open(window.zone, opens)) << window.text() << " " << to_rfc3339(at);
        for (WallTime before = at; before < opens; before += 1min)
            ASSERT_FALSE(window.is_open(window.zone, before)) << window.text() << " " << to_rfc3339(before);
    }
}

} // namespace
} // namespace penguin::policy
