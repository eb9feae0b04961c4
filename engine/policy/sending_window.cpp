#include "engine/policy/sending_window.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace penguin::policy {

namespace {

using std::chrono::days;
using std::chrono::local_days;
using std::chrono::minutes;

constexpr std::array<std::string_view, 7> kDays{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr minutes kDayLength{24 * 60};
constexpr int kLookDays = 15; // a week, and another should the only hour of a week fall out
constexpr std::string_view kOfRecipients = " recipient";

// Up to the next `end`, which is taken away too.
std::string_view next_part(std::string_view& text, char end)
{
    const std::string_view part = text.substr(0, text.find(end));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    return part;
}

int digits_of(std::string_view two)
{
    const bool are = two.size() == 2 && two[0] >= '0' && two[0] <= '9' && two[1] >= '0' && two[1] <= '9';
    return are ? (two[0] - '0') * 10 + (two[1] - '0') : -1;
}

} // namespace

bool DaysOfWeek::add(std::string_view name)
{
    for (std::size_t i = 0; i < kDays.size(); ++i) {
        if (kDays[i] != name) continue;
        const bool is_new = ((bits_ >> i) & 1U) == 0;
        bits_ |= 1U << i;
        return is_new;
    }
    return false;
}

std::string DaysOfWeek::text() const
{
    std::string out;
    for (std::size_t i = 0; i < kDays.size(); ++i)
        if (((bits_ >> i) & 1U) == 1) out += (out.empty() ? "" : ",") + std::string{kDays[i]};
    return out;
}

Result<minutes> parse_clock(std::string_view text)
{
    const int hours = text.size() == 5 && text[2] == ':' ? digits_of(text.substr(0, 2)) : -1;
    const int past = hours < 0 ? -1 : digits_of(text.substr(3));
    const minutes of_day{hours * 60 + past};
    if (past < 0 || past > 59 || of_day > kDayLength) return fail(Errc::bad_value, "a time from 00:00 to 24:00");
    return of_day;
}

std::string clock_text(minutes of_day) { return fmt::format("{:02}:{:02}", of_day.count() / 60, of_day.count() % 60); }

Result<SendingWindow> SendingWindow::parse(std::string_view text)
{
    std::string_view names = next_part(text, ' ');
    const auto from = parse_clock(next_part(text, '-'));
    const auto until = parse_clock(next_part(text, ' '));
    const bool of_recipients = text.ends_with(kOfRecipients);
    if (of_recipients) text.remove_suffix(kOfRecipients.size());
    const auto zone = TimeZone::find(text);
    DaysOfWeek days;
    bool known = true;
    while (!names.empty()) known = days.add(next_part(names, ',')) && known;
    if (!known || days.empty()) return fail(Errc::bad_value, "days: mon, tue, wed, thu, fri, sat, sun, each once");
    if (!from || !until || *from >= *until)
        return fail(Errc::bad_value, "hours: from 00:00, until later, at most 24:00");
    if (!zone) return std::unexpected{zone.error()};
    return SendingWindow{.days = days, .from = *from, .until = *until, .zone = *zone, .of_recipients = of_recipients};
}

std::string SendingWindow::text() const
{
    return fmt::format("{} {}-{} {}{}", days.text(), clock_text(from), clock_text(until), zone.name(),
                       of_recipients ? kOfRecipients : "");
}

bool SendingWindow::is_open(const TimeZone& in, WallTime at) const
{
    const auto shown = in.local(at);
    const local_days day = std::chrono::floor<std::chrono::days>(shown);
    return days.has(std::chrono::weekday{day}) && shown - day >= from && shown - day < until;
}

WallTime SendingWindow::opens(const TimeZone& in, WallTime at) const
{
    if (is_open(in, at)) return at;
    // Clocks that go back may go back into it.
    const WallTime change = in.next_change(at);
    const WallTime first = is_open(in, change) ? change : WallTime::max();
    local_days day = std::chrono::floor<std::chrono::days>(in.local(at));
    for (int looked = 0; looked < kLookDays; ++looked, day += std::chrono::days{1})
        for (const WallTime begins : {in.first(day + from), in.last(day + from)})
            if (begins > at && is_open(in, begins)) return std::min(first, begins);
    return std::min(first, in.first(day + from)); // no rule of a zone leaves so much out
}

} // namespace penguin::policy
