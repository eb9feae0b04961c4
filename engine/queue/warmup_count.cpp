#include "engine/queue/warmup_count.h"

#include <algorithm>

#include <fmt/format.h>

namespace penguin::queue {

std::string warmup_count_of(std::string_view event_json)
{
    // Quotes inside of a text are escaped, so that no reply of a server looks like this.
    if (!event_json.contains(R"("warmup":")")) return "";
    const Result<Event> event = Event::parse(event_json);
    if (!event || event->warmup.empty() || event->source.empty()) return "";
    const std::string count =
        fmt::format("{}:{}", event->source, day_text(std::chrono::floor<std::chrono::days>(event->at)));
    const auto is_blank = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
    if (std::ranges::any_of(count, is_blank) || std::ranges::any_of(event->warmup, is_blank)) return "";
    return count + " " + event->warmup;
}

} // namespace penguin::queue
