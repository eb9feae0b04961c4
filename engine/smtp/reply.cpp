#include "engine/smtp/reply.h"

#include <charconv>

namespace penguin::smtp {

namespace {

constexpr int kPartMax = 999; // RFC 3463 2: up to three digits

// Takes "<digits>" off the front.
std::optional<std::uint16_t> take_part(std::string_view& text)
{
    const bool digit_first = !text.empty() && text.front() >= '0' && text.front() <= '9';
    if (!digit_first) return std::nullopt;
    std::uint16_t value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || value > kPartMax || end - text.data() > 3) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return value;
}

bool take_dot(std::string_view& text)
{
    if (!text.starts_with('.')) return false;
    text.remove_prefix(1);
    return true;
}

} // namespace

std::string EnhancedCode::text() const
{
    return std::to_string(klass) + "." + std::to_string(subject) + "." + std::to_string(detail);
}

std::optional<EnhancedCode> EnhancedCode::parse(std::string_view line, int code)
{
    const std::optional<std::uint16_t> klass = take_part(line);
    if (!klass || (*klass != 2 && *klass != 4 && *klass != 5) || *klass != code / 100) return std::nullopt;
    if (!take_dot(line)) return std::nullopt;
    const std::optional<std::uint16_t> subject = take_part(line);
    if (!subject || !take_dot(line)) return std::nullopt;
    const std::optional<std::uint16_t> detail = take_part(line);
    if (!detail || !(line.empty() || line.front() == ' ')) return std::nullopt;
    return EnhancedCode{static_cast<std::uint8_t>(*klass), *subject, *detail};
}

Reply Reply::make(int code, std::vector<std::string> lines)
{
    Reply reply;
    reply.code = code;
    reply.lines = std::move(lines);
    if (!reply.lines.empty()) reply.enhanced = EnhancedCode::parse(reply.lines.front(), code);
    return reply;
}

std::string Reply::text() const
{
    std::string out;
    for (const std::string& line : lines) {
        if (!out.empty()) out += ' ';
        out += line;
    }
    return out;
}

} // namespace penguin::smtp
