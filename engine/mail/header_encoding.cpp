#include "engine/mail/header_encoding.h"

#include <algorithm>
#include <array>
#include <optional>

#include "engine/base/utf8.h"
#include "engine/mail/base64.h"
#include "engine/mail/gmime.h"

namespace penguin {

namespace {

constexpr std::size_t kLineGoal = 78;      // RFC 5322 2.1.1
constexpr std::size_t kWordMax = 75;       // RFC 2047 2
constexpr std::size_t kPlainWordMax = 800; // a longer one cannot be folded, so it becomes encoded words
constexpr std::size_t kQuotedNameMax = 200;
constexpr std::string_view kHex = "0123456789ABCDEF";
constexpr std::string_view kWordQ = "=?UTF-8?Q?";
constexpr std::string_view kWordB = "=?UTF-8?B?";
constexpr std::string_view kWordEnd = "?=";

bool is_alnum(unsigned char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

// RFC 2047 5 (3): what is safe in a phrase is safe everywhere.
bool is_word_octet(unsigned char c) { return is_alnum(c) || std::string_view{"!*+-/"}.contains(static_cast<char>(c)); }

bool is_phrase_octet(unsigned char c)
{
    return is_alnum(c) || std::string_view{" !#$%&'*+-/=?^_`{|}~"}.contains(static_cast<char>(c));
}

std::size_t column_of(std::string_view out) { return out.size() - (out.rfind('\n') + 1); } // npos + 1 is the start

std::size_t character_length(std::string_view text)
{
    std::size_t length = 1;
    while (length < text.size() && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80) ++length;
    return length;
}

std::size_t quoted_width(std::string_view character)
{
    if (character == " ") return 1;
    return character.size() == 1 && is_word_octet(static_cast<unsigned char>(character[0])) ? 1 : 3 * character.size();
}

void append_quoted_character(std::string_view character, std::string& out)
{
    for (const char c : character) {
        const auto octet = static_cast<unsigned char>(c);
        if (c == ' ') {
            out += '_';
        } else if (is_word_octet(octet)) {
            out += c;
        } else {
            out += '=';
            out += kHex[octet >> 4];
            out += kHex[octet & 15];
        }
    }
}

// Encoded words, at most kWordMax octets each, cut between characters, a line each but the first.
void append_encoded(std::string_view text, std::string& out)
{
    std::size_t quoted = 0;
    for (std::string_view rest = text; !rest.empty(); rest.remove_prefix(character_length(rest)))
        quoted += quoted_width(rest.substr(0, character_length(rest)));
    const bool base64 = quoted * 2 > (text.size() + 2) / 3 * 4 * 3; // a little longer, but people can read it
    const std::string_view start = base64 ? kWordB : kWordQ;
    bool first = true;
    while (!text.empty()) {
        std::size_t room = kWordMax - start.size() - kWordEnd.size();
        const std::size_t column = column_of(out);
        if (first && column + kWordMax > kLineGoal) room -= std::min(column + kWordMax - kLineGoal, room - 20);
        if (!first) out += "\r\n ";
        first = false;
        std::size_t taken = 0;
        std::size_t width = 0;
        while (taken < text.size()) {
            const std::size_t length = character_length(text.substr(taken));
            const std::size_t more =
                base64 ? (taken + length + 2) / 3 * 4 : width + quoted_width(text.substr(taken, length));
            if (more > room && taken > 0) break;
            width = more;
            taken += length;
        }
        out += start;
        if (base64) {
            out += to_base64(text.substr(0, taken));
        } else {
            for (std::size_t i = 0; i < taken;) {
                const std::size_t length = character_length(text.substr(i));
                append_quoted_character(text.substr(i, length), out);
                i += length;
            }
        }
        out += kWordEnd;
        text.remove_prefix(taken);
    }
}

bool needs_encoding(std::string_view value) { return !is_ascii(value) || value.contains("=?"); }

bool has_long_word(std::string_view value)
{
    while (!value.empty()) {
        const std::size_t end = std::min(value.find(' '), value.size());
        if (end > kPlainWordMax) return true;
        value.remove_prefix(std::min(end + 1, value.size()));
    }
    return false;
}

// Folds before a run of spaces, never so that a line has nothing but spaces: `value` starts and ends with a word.
void append_folded(std::string_view value, std::string& out)
{
    while (!value.empty()) {
        const std::size_t word = std::min(value.find_first_not_of(' '), value.size());
        const std::size_t end = std::min(value.find(' ', word), value.size());
        if (word > 0 && column_of(out) + end > kLineGoal) out += "\r\n";
        out += value.substr(0, end);
        value.remove_prefix(end);
    }
}

void append_name(std::string_view name, std::string& out)
{
    if (needs_encoding(name) || name.size() > kQuotedNameMax) return append_encoded(name, out);
    if (std::ranges::all_of(name, [](char c) { return is_phrase_octet(static_cast<unsigned char>(c)); })) {
        out += name;
        return;
    }
    out += '"';
    for (const char c : name) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    out += '"';
}

// Also `a@b.example <c@d.example>`, which a name from a variable can make: what is before the < becomes the name.
std::optional<NamedAddress> one_mailbox(std::string_view line)
{
    if (Result<NamedAddress> one = parse_named_address(line)) return std::move(*one);
    const std::size_t angle = line.find('<');
    if (angle == std::string_view::npos || !line.ends_with('>')) return std::nullopt;
    const std::string_view before = line.substr(0, angle);
    if (before.find_first_of("\"\\<>(),;:[]") != std::string_view::npos) return std::nullopt;
    Result<EmailAddress> address = EmailAddress::parse(line.substr(angle + 1, line.size() - angle - 2));
    if (!address) return std::nullopt;
    return NamedAddress{std::string{before}, std::move(*address)};
}

} // namespace

bool is_ascii(std::string_view text)
{
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool is_field_name(std::string_view name)
{
    if (name.empty() || name.size() > kFieldNameMax) return false;
    return std::ranges::all_of(name, [](char c) { return c > 0x20 && c < 0x7F && c != ':'; });
}

bool same_name(std::string_view a, std::string_view b)
{
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return std::ranges::equal(a, b, {}, lower, lower);
}

bool is_address_field(std::string_view name)
{
    constexpr std::array kNames{"From",        "Sender",    "Reply-To",  "To",           "Cc",
                                "Resent-From", "Resent-To", "Resent-Cc", "Resent-Sender"};
    return std::ranges::any_of(kNames, [&](std::string_view known) { return same_name(known, name); });
}

std::string one_line(std::string_view value)
{
    std::string line{value};
    std::ranges::replace_if(line, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
    const std::size_t first = std::min(line.find_first_not_of(' '), line.size());
    line.erase(0, first);
    line.erase(line.find_last_not_of(' ') + 1); // npos + 1: all of it
    if (!is_utf8(line)) line = gmime::take(g_utf8_make_valid(line.data(), static_cast<gssize>(line.size())));
    return line;
}

void append_unstructured(std::string_view name, std::string_view value, std::string& out)
{
    const std::string line = one_line(value);
    out += name;
    out += ": ";
    if (needs_encoding(line) || has_long_word(line))
        append_encoded(line, out);
    else
        append_folded(line, out);
    out += "\r\n";
}

void append_mailbox(std::string_view name, const NamedAddress& mailbox, std::string& out)
{
    const std::string display = one_line(mailbox.name);
    const std::string address = mailbox.address.text();
    out += name;
    out += ": ";
    if (display.empty()) {
        out += address;
    } else {
        append_name(display, out);
        out += column_of(out) + address.size() + 3 > kLineGoal ? "\r\n <" : " <";
        out += address;
        out += '>';
    }
    out += "\r\n";
}

void append_mailboxes(std::string_view name, std::string_view list, std::string& out)
{
    const std::string line = one_line(list);
    if (const std::optional<NamedAddress> one = one_mailbox(line)) return append_mailbox(name, *one, out);
    const std::string encoded = is_ascii(line) ? line : gmime::encoded_mailboxes(line);
    if (encoded.empty() || !is_ascii(encoded) || has_long_word(encoded)) return append_unstructured(name, line, out);
    out += name;
    out += ": ";
    append_folded(encoded, out);
    out += "\r\n";
}

std::string decoded_text(std::string_view value) { return gmime::decoded_text(one_line(value)); }

} // namespace penguin
