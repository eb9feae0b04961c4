// engine/policy/sending_window.h
// When the mail of a campaign may go: days of the week and hours of the day, by the clock of the sender's time zone or of each
// recipient's. Pure.
//
//   in      the window, the zone, the time
//   out     when it may go: now, or when the window opens next
//   change  by the clock on the wall: on the day on which clocks go forward a window that begins in the hour that is left out begins
//           when they jump; one that lies in it whole is not that day. An hour that comes twice is in the window twice
//   text    "mon,tue,wed,thu,fri 09:00-17:00 Europe/Berlin", with " recipient" behind it: their own zone where they have one
//   errors  bad_value
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/time_zone.h"

namespace penguin::policy {

class DaysOfWeek {
public:
    // "mon" to "sun". False: no such day, or it is there already.
    bool add(std::string_view name);
    bool has(std::chrono::weekday day) const { return ((bits_ >> (day.iso_encoding() - 1)) & 1U) == 1; }
    bool empty() const { return bits_ == 0; }
    std::string text() const; // "mon,wed"
    friend bool operator==(const DaysOfWeek&, const DaysOfWeek&) = default;

private:
    unsigned bits_ = 0;
};

// "00:00" to "24:00".
Result<std::chrono::minutes> parse_clock(std::string_view text);
std::string clock_text(std::chrono::minutes of_day);

struct SendingWindow {
    DaysOfWeek days;            // one at least
    std::chrono::minutes from;  // of the day
    std::chrono::minutes until; // later than `from`; at it the window is closed
    TimeZone zone;
    bool of_recipients = false; // `zone` only for those without one

    static Result<SendingWindow> parse(std::string_view text);
    std::string text() const;

    bool is_open(const TimeZone& in, WallTime at) const;
    // `at`, or the first moment after it at which it is open.
    WallTime opens(const TimeZone& in, WallTime at) const;
    friend bool operator==(const SendingWindow&, const SendingWindow&) = default;
};

} // namespace penguin::policy
