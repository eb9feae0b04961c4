#include "engine/policy/reply_text.h"

#include <algorithm>
#include <optional>

namespace penguin::policy {

namespace {

constexpr std::size_t kIdDigits = 12;    // hexadecimal, from which something is an id
constexpr std::size_t kIdDecimals = 3;   // of them 0 to 9: a word of the letters a to f is none
constexpr std::size_t kIdMax = 128;      // octets: longer runs are left as they are
constexpr std::size_t kNumberDigits = 6; // decimal, from which a number is one that changes

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }
bool is_alnum(char c) { return is_digit(c) || (c >= 'a' && c <= 'z'); }
bool is_octet_of_text(char c) { return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) != 0x7F; }

// RFC 5321 4.1.2 atext and the dot, and what RFC 6531 adds.
bool is_local(char c)
{
    return is_alnum(c) || static_cast<unsigned char>(c) >= 0x80 || std::string_view{".!#$%&'*+-/=?^_`{|}~"}.contains(c);
}
bool is_domain(char c) { return is_alnum(c) || c == '.' || c == '-' || static_cast<unsigned char>(c) >= 0x80; }

std::string lower(std::string_view text)
{
    std::string out{text};
    std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
    return out;
}

void append_folded(std::string& out, std::string_view text)
{
    for (const char c : text) {
        if (is_octet_of_text(c))
            out += c;
        else if (!out.empty() && out.back() != ' ')
            out += ' ';
    }
    if (!out.empty() && out.back() != ' ') out += ' ';
}

// "4.7.28 text", "#5.1.0 text", "5.7.1: text": takes the code off the front. Its class need not be the reply code's.
std::optional<smtp::EnhancedCode> take_enhanced(std::string_view& line)
{
    std::string_view rest = line.substr(std::min(line.find_first_not_of(" #"), line.size()));
    if (rest.empty() || !is_digit(rest.front())) return std::nullopt;
    const std::size_t end = std::min(rest.find_first_not_of("0123456789."), rest.size());
    const bool ends = end == rest.size() || std::string_view{" :,;"}.contains(rest[end]);
    const auto code = smtp::EnhancedCode::parse(rest.substr(0, end), (rest.front() - '0') * 100);
    if (!ends || !code) return std::nullopt;
    line = rest.substr(end);
    if (!line.empty() && line.front() != ' ') line.remove_prefix(1);
    return code;
}

// Where an address around the "@" at `at` begins; `at` itself when nothing is in front of it.
std::size_t local_start(std::string_view text, std::size_t at, std::size_t from)
{
    std::size_t start = at;
    if (start > from && text[start - 1] == '"') {
        const std::size_t quote = start >= 2 ? text.rfind('"', start - 2) : std::string_view::npos;
        return quote == std::string_view::npos || quote < from ? start - 1 : quote;
    }
    while (start > from && is_local(text[start - 1])) --start;
    return start;
}

std::size_t domain_end(std::string_view text, std::size_t at)
{
    std::size_t end = at + 1;
    if (end < text.size() && text[end] == '[') { // an address literal
        const std::size_t close = text.find(']', end);
        return close == std::string_view::npos ? text.size() : close + 1;
    }
    while (end < text.size() && is_domain(text[end])) ++end;
    while (end > at + 1 && (text[end - 1] == '.' || text[end - 1] == '-')) --end; // of the sentence
    return end;
}

std::string without_addresses(std::string_view text)
{
    std::string out;
    std::size_t from = 0;
    for (std::size_t at = text.find('@'); at != std::string_view::npos; at = text.find('@', from)) {
        out += text.substr(from, local_start(text, at, from) - from);
        out += "{address}";
        from = domain_end(text, at);
    }
    out += text.substr(from);
    return out;
}

// The length of an IPv4 address at the front of `text`; 0: none, or one of 127.0.0.0/8.
std::size_t ipv4_length(std::string_view text)
{
    std::size_t at = 0;
    for (int part = 0; part < 4; ++part) {
        if (part > 0 && !text.substr(at).starts_with('.')) return 0;
        if (part > 0) ++at;
        const std::size_t start = at;
        while (at < text.size() && is_digit(text[at])) ++at;
        if (at == start || at - start > 3) return 0;
    }
    const bool whole = at == text.size() || !is_alnum(text[at]);
    return whole && !text.starts_with("127.") ? at : 0;
}

// Full, or shortened by "::"; a time of day is neither.
std::size_t ipv6_length(std::string_view rest)
{
    const std::string_view text = rest.substr(0, kIdMax);
    std::size_t end = 0;
    std::size_t colons = 0;
    bool shortened = false;
    for (; end < text.size() && (is_hex(text[end]) || text[end] == ':'); ++end) {
        if (text[end] != ':') continue;
        ++colons;
        shortened = shortened || (end > 0 && text[end - 1] == ':');
    }
    const bool whole = end == rest.size() || !is_alnum(rest[end]);
    return whole && end > 2 && (shortened || colons == 7) ? end : 0;
}

std::size_t id_length(std::string_view rest)
{
    const std::string_view text = rest.substr(0, kIdMax);
    std::size_t end = 0;
    std::size_t digits = 0;
    std::size_t decimals = 0;
    for (; end < text.size() && (is_hex(text[end]) || text[end] == '-'); ++end) {
        if (is_hex(text[end])) ++digits;
        if (is_digit(text[end])) ++decimals;
    }
    const bool whole = end == rest.size() || !is_alnum(rest[end]) || (end > 0 && rest[end - 1] == '-');
    while (end > 0 && text[end - 1] == '-') --end;
    return whole && digits >= kIdDigits && decimals >= kIdDecimals ? end : 0;
}

std::size_t number_length(std::string_view text)
{
    const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
    return end >= kNumberDigits && (end == text.size() || !is_alnum(text[end])) ? end : 0;
}

struct Placeholder {
    std::string_view text;
    std::size_t length; // of what it stands for
};

// At the beginning of a word.
std::optional<Placeholder> placeholder_at(std::string_view rest)
{
    if (const std::size_t length = ipv4_length(rest)) return Placeholder{"{ip}", length};
    if (const std::size_t length = ipv6_length(rest)) return Placeholder{"{ip}", length};
    if (const std::size_t length = id_length(rest)) return Placeholder{"{id}", length};
    if (const std::size_t length = number_length(rest)) return Placeholder{"{number}", length};
    return std::nullopt;
}

} // namespace

std::string with_placeholders(std::string_view given)
{
    const std::string text = without_addresses(given);
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const bool begins = at == 0 || !is_alnum(text[at - 1]);
        const auto placeholder =
            begins ? placeholder_at(std::string_view{text}.substr(at)) : std::optional<Placeholder>{};
        if (placeholder)
            out += placeholder->text;
        else
            out += text[at];
        at += placeholder ? placeholder->length : 1;
    }
    return out;
}

NormalReply normalised(const smtp::Reply& reply)
{
    NormalReply out{.code = reply.code};
    std::string text;
    for (const std::string& whole : reply.lines) {
        if (text.size() >= kReplyTextMax) break;
        std::string_view line = std::string_view{whole}.substr(0, kReplyTextMax);
        if (const auto code = take_enhanced(line)) {
            const bool known = std::ranges::find(out.enhanced, *code) != out.enhanced.end();
            if (!known && out.enhanced.size() < kEnhancedMax) out.enhanced.push_back(*code);
        }
        append_folded(text, line);
    }
    text.resize(std::min(text.size(), kReplyTextMax));
    while (text.ends_with(' ')) text.pop_back();
    out.text = with_placeholders(lower(text));
    return out;
}

std::string text_of(const NormalReply& reply)
{
    std::string out = std::to_string(reply.code);
    for (const smtp::EnhancedCode& code : reply.enhanced) out += " " + code.text();
    return reply.text.empty() ? out : out + " " + reply.text;
}

} // namespace penguin::policy
