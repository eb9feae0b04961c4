#include "control/ctl/table.h"

#include <algorithm>
#include <cwchar>
#include <locale.h>

#include "engine/base/utf8.h"

namespace penguin::control::ctl {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD"; // U+FFFD
constexpr std::string_view kBetween = "  ";

// The character at the front of `text`, in octets; 0: it is not UTF-8.
std::size_t character_length(std::string_view text)
{
    for (std::size_t length = 1; length <= std::min<std::size_t>(4, text.size()); ++length)
        if (is_utf8(text.substr(0, length))) return length;
    return 0;
}

wchar_t code_point(std::string_view character)
{
    const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(character[i]); };
    if (character.size() == 1) return static_cast<wchar_t>(octet(0));
    unsigned value = octet(0) & (0xFFU >> (character.size() + 1));
    for (std::size_t i = 1; i < character.size(); ++i) value = value << 6 | (octet(i) & 0x3FU);
    return static_cast<wchar_t>(value);
}

// -1: not to be shown.
int columns_of(wchar_t point)
{
    static const locale_t utf8 = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    if (utf8 == nullptr) return point < 0x20 || (point >= 0x7F && point < 0xA0) ? -1 : 1;
    const locale_t before = ::uselocale(utf8);
    const int columns = ::wcwidth(point);
    ::uselocale(before);
    return columns;
}

// Marks that turn the direction of what follows hide as much as an escape sequence does (Unicode UAX 9).
bool turns_direction(wchar_t point)
{
    return (point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069) || point == 0x200E ||
           point == 0x200F;
}

} // namespace

std::string shown_text(std::string_view text)
{
    std::string out;
    while (!text.empty()) {
        const std::size_t length = character_length(text);
        const std::string_view character = text.substr(0, std::max<std::size_t>(length, 1));
        const wchar_t point = length == 0 ? 0 : code_point(character);
        out += length == 0 || columns_of(point) < 0 || point == 0 || turns_direction(point) ? kReplacement : character;
        text.remove_prefix(character.size());
    }
    return out;
}

std::size_t width_of(std::string_view shown)
{
    std::size_t width = 0;
    while (!shown.empty()) {
        const std::size_t length = std::max<std::size_t>(character_length(shown), 1);
        width += static_cast<std::size_t>(std::max(columns_of(code_point(shown.substr(0, length))), 0));
        shown.remove_prefix(length);
    }
    return width;
}

std::string padded(std::string_view shown, std::size_t width, bool number)
{
    const std::string space(width - std::min(width, width_of(shown)), ' ');
    return number ? space + std::string{shown} : std::string{shown} + space;
}

Table::Table(std::vector<std::string> titles) : titles_{std::move(titles)}
{
    for (const std::string& title : titles_) widths_.push_back(width_of(title));
    numbers_.resize(titles_.size(), false);
}

void Table::look_at(const std::vector<Row>& rows)
{
    for (std::size_t i = 0; i < titles_.size(); ++i) {
        for (const Row& row : rows) widths_[i] = std::max(widths_[i], width_of(row[i].text));
        if (!begun_)
            numbers_[i] = !rows.empty() && std::ranges::all_of(rows, [i](const Row& row) { return row[i].number; });
    }
}

std::string Table::line(const Row& row) const
{
    std::string out;
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (i > 0) out += kBetween;
        const bool last = i + 1 == row.size();
        out += padded(row[i].text, last && !numbers_[i] ? 0 : widths_[i], numbers_[i]);
    }
    return out + '\n';
}

std::string Table::lines(const std::vector<Row>& rows)
{
    look_at(rows);
    std::string out;
    if (!begun_) {
        Row titles;
        for (const std::string& title : titles_) titles.push_back({title, false});
        out = line(titles);
        begun_ = true;
    }
    for (const Row& row : rows) out += line(row);
    return out;
}

} // namespace penguin::control::ctl
