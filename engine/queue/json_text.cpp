#include "engine/queue/json_text.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace penguin::queue {

namespace {

bool continues(char octet) { return (static_cast<unsigned char>(octet) & 0xC0) == 0x80; }

// Octets of the well-formed UTF-8 sequence at the start of `text` (RFC 3629 4); 0 when there is none.
std::size_t sequence_at(std::string_view text)
{
    const auto first = static_cast<unsigned char>(text[0]);
    if (first < 0x80) return 1;
    const std::size_t size = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
    if (size == 0 || text.size() < size) return 0;
    for (std::size_t i = 1; i < size; ++i)
        if (!continues(text[i])) return 0;
    const auto second = static_cast<unsigned char>(text[1]);
    const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
    const bool surrogate = first == 0xED && second > 0x9F;
    const bool beyond = first == 0xF4 && second > 0x8F;
    return overlong || surrogate || beyond ? 0 : size;
}

// Octets up to the first that does not stand as it is.
std::size_t plain_length(std::string_view text)
{
    const auto odd = std::ranges::find_if(text, [](char c) {
        const auto octet = static_cast<unsigned char>(c);
        return octet < 0x20 || octet >= 0x80 || c == '"' || c == '\\';
    });
    return static_cast<std::size_t>(odd - text.begin());
}

void append_ascii(std::string& out, char c)
{
    switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
    }
    if (static_cast<unsigned char>(c) < 0x20)
        fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<int>(c));
    else
        out += c;
}

} // namespace

void append_json_text(std::string& out, std::string_view text)
{
    out += '"';
    while (!text.empty()) {
        const std::size_t plain = plain_length(text);
        out += text.substr(0, plain);
        text.remove_prefix(plain);
        if (text.empty()) break;
        const std::size_t size = sequence_at(text);
        if (size == 0)
            out += "\xEF\xBF\xBD";
        else if (size == 1)
            append_ascii(out, text[0]);
        else
            out += text.substr(0, size);
        text.remove_prefix(size == 0 ? 1 : size);
    }
    out += '"';
}

void JsonObject::name(std::string_view name)
{
    if (out_.size() > 1) out_ += ',';
    out_ += '"';
    out_ += name;
    out_ += "\":";
}

JsonObject& JsonObject::text(std::string_view field, std::string_view value)
{
    name(field);
    append_json_text(out_, value);
    return *this;
}

JsonObject& JsonObject::number(std::string_view field, std::int64_t value)
{
    name(field);
    out_ += std::to_string(value);
    return *this;
}

JsonObject& JsonObject::truth(std::string_view field, bool value)
{
    name(field);
    out_ += value ? "true" : "false";
    return *this;
}

JsonObject& JsonObject::json(std::string_view field, std::string_view value)
{
    name(field);
    out_ += value;
    return *this;
}

std::string JsonObject::finish() &&
{
    out_ += '}';
    return std::move(out_);
}

} // namespace penguin::queue
