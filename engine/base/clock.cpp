#include "engine/base/clock.h"

#include <algorithm>
#include <charconv>
#include <ctime>

#include <fmt/format.h>

namespace penguin {

namespace chr = std::chrono;

WallTime wall_now() { return chr::time_point_cast<chr::microseconds>(chr::system_clock::now()); }

chr::nanoseconds boot_now()
{
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    return chr::seconds{now.tv_sec} + chr::nanoseconds{now.tv_nsec};
}

namespace {

struct Fields {
    chr::year_month_day date;
    chr::hh_mm_ss<chr::milliseconds> time;
    chr::weekday weekday;
};

Fields split(WallTime time)
{
    const auto day = chr::floor<chr::days>(time);
    return {chr::year_month_day{day}, chr::hh_mm_ss{chr::floor<chr::milliseconds>(time - day)}, chr::weekday{day}};
}

// What can be written as RFC 3339 in UTC again, and kept by PostgreSQL, which has no year 0.
constexpr WallTime kFirst{chr::sys_days{chr::year{1} / 1 / 1}};
constexpr WallTime kEnd{chr::sys_days{chr::year{10'000} / 1 / 1}};

// Two or four digits, nothing else.
bool digits(std::string_view& text, std::size_t count, int& out)
{
    const std::string_view number = text.substr(0, count);
    if (number.size() < count || !std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; }))
        return false;
    std::from_chars(number.data(), number.data() + number.size(), out);
    text.remove_prefix(count);
    return true;
}

bool literal(std::string_view& text, std::string_view any_of)
{
    if (text.empty() || !any_of.contains(text.front())) return false;
    text.remove_prefix(1);
    return true;
}

// ".123456789": whatever is finer than a microsecond is dropped.
bool fraction(std::string_view& text, chr::microseconds& out)
{
    if (!literal(text, ".")) return true;
    std::int64_t value = 0;
    int seen = 0;
    for (; !text.empty() && text.front() >= '0' && text.front() <= '9' && seen < 10; ++seen, text.remove_prefix(1))
        if (seen < 6) value = value * 10 + (text.front() - '0');
    for (int i = seen; i < 6; ++i) value *= 10;
    out = chr::microseconds{value};
    return seen > 0 && seen < 10;
}

bool offset(std::string_view& text, chr::minutes& out)
{
    if (literal(text, "Zz")) return true;
    const bool negative = !text.empty() && text.front() == '-';
    int hours = 0;
    int minutes = 0;
    if (!literal(text, "+-") || !digits(text, 2, hours) || !literal(text, ":") || !digits(text, 2, minutes))
        return false;
    if (hours > 23 || minutes > 59) return false;
    out = chr::minutes{(hours * 60 + minutes) * (negative ? -1 : 1)};
    return true;
}

} // namespace

std::string to_rfc3339(WallTime time)
{
    const Fields at = split(time);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(at.date.year()),
                       static_cast<unsigned>(at.date.month()), static_cast<unsigned>(at.date.day()),
                       at.time.hours().count(), at.time.minutes().count(), at.time.seconds().count(),
                       at.time.subseconds().count());
}

Result<WallTime> parse_rfc3339(std::string_view text)
{
    const auto malformed = fail(Errc::malformed, "not an RFC 3339 time such as 2026-11-24T04:29:07Z");
    int year = 0;
    int month = 0;
    int day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
    chr::microseconds part{};
    chr::minutes shift{};
    if (!digits(text, 4, year) || !literal(text, "-") || !digits(text, 2, month) || !literal(text, "-") ||
        !digits(text, 2, day) || !literal(text, "Tt ") || !digits(text, 2, hour) || !literal(text, ":") ||
        !digits(text, 2, minute) || !literal(text, ":") || !digits(text, 2, second) || !fraction(text, part) ||
        !offset(text, shift) || !text.empty())
        return malformed;
    const chr::year_month_day date{chr::year{year}, chr::month{static_cast<unsigned>(month)},
                                   chr::day{static_cast<unsigned>(day)}};
    if (!date.ok() || hour > 23 || minute > 59 || second > 60) return malformed;
    const WallTime time =
        WallTime{chr::sys_days{date}} + chr::hours{hour} + chr::minutes{minute} + chr::seconds{second} + part - shift;
    if (time < kFirst || time >= kEnd) return malformed;
    return time;
}

std::string to_rfc5322(WallTime time)
{
    static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const Fields at = split(time);
    return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} +0000", kDays[at.weekday.c_encoding()],
                       static_cast<unsigned>(at.date.day()), kMonths[static_cast<unsigned>(at.date.month()) - 1],
                       static_cast<int>(at.date.year()), at.time.hours().count(), at.time.minutes().count(),
                       at.time.seconds().count());
}

} // namespace penguin
