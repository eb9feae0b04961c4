#include "engine/base/day.h"

#include <charconv>

#include <fmt/format.h>

namespace penguin {

namespace {

// A number of exactly these digits; 0 when it is none.
unsigned digits_at(std::string_view text, std::size_t at, std::size_t count)
{
    unsigned value = 0;
    const char* const from = text.data() + at;
    const auto [end, code] = std::from_chars(from, from + count, value);
    return code == std::errc{} && end == from + count ? value : 0;
}

} // namespace

std::string day_text(std::chrono::sys_days day)
{
    const std::chrono::year_month_day date{day};
    return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                       static_cast<unsigned>(date.day()));
}

Result<std::chrono::sys_days> parse_day(std::string_view text)
{
    if (text.size() != 10 || text[4] != '-' || text[7] != '-')
        return fail(Errc::malformed, "no day such as 2026-03-10");
    const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(digits_at(text, 0, 4))},
                                           std::chrono::month{digits_at(text, 5, 2)},
                                           std::chrono::day{digits_at(text, 8, 2)}};
    if (!date.ok() || date.year() < std::chrono::year{1}) return fail(Errc::malformed, "no day such as 2026-03-10");
    return std::chrono::sys_days{date};
}

} // namespace penguin
