#include "engine/mail/transfer_encoding.h"

#include <algorithm>

#include "engine/mail/base64.h"

namespace penguin {

namespace {

constexpr std::size_t kLineMax = 76; // RFC 2045 6.7 (5), with the soft line end's "="
constexpr std::string_view kHexDigits = "0123456789ABCDEF";

bool is_plain(unsigned char c) { return (c >= 0x21 && c <= 0x7E && c != '=') || c == ' ' || c == '\t'; }

// One line without its end.
void append_quoted_line(std::string_view line, std::string& out)
{
    std::size_t column = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const auto c = static_cast<unsigned char>(line[i]);
        const bool last = i + 1 == line.size();
        const bool plain = is_plain(c) && !(last && (c == ' ' || c == '\t')); // (3): no blank at a line's end
        const std::size_t width = plain ? 1 : 3;
        if (column + width > kLineMax - (last ? 0 : 1)) {
            out += "=\r\n";
            column = 0;
        }
        if (plain) {
            out += static_cast<char>(c);
        } else {
            out += '=';
            out += kHexDigits[c >> 4];
            out += kHexDigits[c & 15];
        }
        column += width;
    }
}

} // namespace

Transfer transfer_for(std::string_view text)
{
    const auto quoted = static_cast<std::size_t>(std::ranges::count_if(
        text, [](unsigned char c) { return c >= 0x80 || c == '=' || (c < 0x20 && c != '\r' && c != '\n'); }));
    // Quoted: 3 octets for 1; base64: 4 for 3, and nothing in it can be read by people.
    return quoted * 6 > text.size() ? Transfer::base64 : Transfer::quoted_printable;
}

void append_quoted_printable(std::string_view text, std::string& out)
{
    while (true) {
        const std::size_t end = text.find_first_of("\r\n");
        append_quoted_line(text.substr(0, end), out);
        if (end == std::string_view::npos) return;
        out += "\r\n";
        text.remove_prefix(end + (text.substr(end).starts_with("\r\n") ? 2 : 1));
    }
}

void append_base64_text(std::string_view text, std::string& out)
{
    const std::string digits = to_base64(with_crlf(text));
    for (std::size_t i = 0; i < digits.size(); i += kLineMax) {
        if (i > 0) out += "\r\n";
        out.append(digits, i, kLineMax);
    }
}

std::string with_crlf(std::string_view text)
{
    std::string out;
    out.reserve(text.size() + text.size() / 16);
    while (true) {
        const std::size_t end = text.find_first_of("\r\n");
        out += text.substr(0, end);
        if (end == std::string_view::npos) return out;
        out += "\r\n";
        text.remove_prefix(end + (text.substr(end).starts_with("\r\n") ? 2 : 1));
    }
}

} // namespace penguin
