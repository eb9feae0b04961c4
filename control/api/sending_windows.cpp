#include "control/api/sending_windows.h"

#include "control/api/names.h"

namespace penguin::control::api {

namespace {

constexpr std::size_t kDaysMax = 7;

policy::DaysOfWeek read_days(ObjectReader& body)
{
    policy::DaysOfWeek days;
    const json::array* const array = body.array("days", 1, kDaysMax);
    bool known = true;
    if (array != nullptr)
        for (const json::value& day : *array) known = day.is_string() && days.add(day.get_string()) && known;
    if (!known) body.issue("days", "bad_value", "mon, tue, wed, thu, fri, sat, sun, each at most once");
    return days;
}

std::chrono::minutes read_clock(ObjectReader& body, std::string_view field)
{
    const std::string_view text = body.text(field, {.max = 16});
    const Result<std::chrono::minutes> of_day = policy::parse_clock(text);
    if (!of_day && !text.empty()) body.issue(field, "bad_format", of_day.error().detail);
    return of_day.value_or(std::chrono::minutes{0});
}

} // namespace

std::optional<policy::SendingWindow> read_window(ObjectReader& body)
{
    const policy::DaysOfWeek days = read_days(body);
    const std::chrono::minutes from = read_clock(body, "from");
    const std::chrono::minutes until = read_clock(body, "until");
    if (!body.has("time_zone")) body.issue("time_zone", "required", "is required");
    const std::optional<TimeZone> zone = read_time_zone(body, "time_zone");
    const bool of_recipients = body.boolean("recipients_time_zone", false);
    body.finish();
    if (body.issues().empty() && from >= until)
        body.issue("until", "out_of_range", "must be later than from, on the same day");
    if (!body.issues().empty()) return std::nullopt;
    return policy::SendingWindow{
        .days = days, .from = from, .until = until, .zone = *zone, .of_recipients = of_recipients};
}

json::value shape_of_window(const std::optional<std::string>& stored)
{
    const auto window = stored ? policy::SendingWindow::parse(*stored) : fail(Errc::missing, "none");
    if (!window) return nullptr;
    json::array days;
    std::string_view names = *stored;
    names = names.substr(0, names.find(' '));
    while (!names.empty()) {
        const std::string_view day = names.substr(0, names.find(','));
        names.remove_prefix(std::min(names.size(), day.size() + 1));
        days.emplace_back(json::string{day});
    }
    return json::object{{"days", std::move(days)},
                        {"from", policy::clock_text(window->from)},
                        {"until", policy::clock_text(window->until)},
                        {"time_zone", window->zone.name()},
                        {"recipients_time_zone", window->of_recipients}};
}

} // namespace penguin::control::api
