#include "engine/smtp/command_text.h"

#include <algorithm>
#include <charconv>

namespace penguin::smtp {

namespace {

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

} // namespace

bool equal_folded(std::string_view text, std::string_view upper_case)
{
    return std::ranges::equal(text, upper_case, [](char a, char b) { return upper(a) == b; });
}

bool take_prefix(std::string_view& text, std::string_view upper_case)
{
    if (!equal_folded(text.substr(0, upper_case.size()), upper_case)) return false;
    text.remove_prefix(upper_case.size());
    return true;
}

std::string_view take_word(std::string_view& text)
{
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return word;
}

std::optional<std::string_view> take_path(std::string_view& text)
{
    if (!text.starts_with('<')) return std::nullopt;
    bool quoted = false;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (quoted && text[i] == '\\')
            ++i;
        else if (text[i] == '"')
            quoted = !quoted;
        else if (text[i] == '>' && !quoted) {
            const std::string_view path = text.substr(1, i - 1);
            text.remove_prefix(i + 1);
            return path;
        }
    }
    return std::nullopt;
}

std::optional<std::uint64_t> number_in(std::string_view text)
{
    std::uint64_t value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

bool has_control(std::string_view line)
{
    return std::ranges::any_of(line, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

} // namespace penguin::smtp
