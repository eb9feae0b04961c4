#include "control/http/message.h"

#include <algorithm>
#include <array>

#include "engine/base/utf8.h"

namespace penguin::control::http {

namespace {

struct MethodName {
    Method method;
    std::string_view name;
};
constexpr std::array<MethodName, 7> kMethods{{{Method::get, "GET"},
                                              {Method::head, "HEAD"},
                                              {Method::post, "POST"},
                                              {Method::put, "PUT"},
                                              {Method::patch, "PATCH"},
                                              {Method::del, "DELETE"},
                                              {Method::options, "OPTIONS"}}};

int hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

std::optional<std::string> decoded(std::string_view text, bool plus_is_space)
{
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '%') {
            if (i + 2 >= text.size()) return std::nullopt;
            const int high = hex_value(text[i + 1]);
            const int low = hex_value(text[i + 2]);
            if (high < 0 || low < 0) return std::nullopt;
            c = static_cast<char>(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        if (is_control(c)) return std::nullopt;
        out.push_back(c);
    }
    if (!is_utf8(out)) return std::nullopt;
    return out;
}

std::optional<Params> parse_query(std::string_view text)
{
    Params query;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('&'), text.size());
        const std::string_view part = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (part.empty()) continue;
        const std::size_t equals = std::min(part.find('='), part.size());
        const auto name = decoded(part.substr(0, equals), true);
        const auto value = decoded(part.substr(std::min(equals + 1, part.size())), true);
        if (!name || !value) return std::nullopt;
        if (!query.emplace(*name, *value).second || query.size() > Target::kQueryMax) return std::nullopt;
    }
    return query;
}

} // namespace

std::string_view name_of(Method method) { return std::ranges::find(kMethods, method, &MethodName::method)->name; }

std::optional<Method> parse_method(std::string_view text)
{
    const auto* found = std::ranges::find(kMethods, text, &MethodName::name);
    if (found == kMethods.end()) return std::nullopt;
    return found->method;
}

bool equal_without_case(std::string_view a, std::string_view b)
{
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return std::ranges::equal(a, b, {}, lower, lower);
}

std::optional<std::string_view> Request::header(std::string_view name) const
{
    const auto found =
        std::ranges::find_if(headers, [name](const auto& field) { return equal_without_case(field.first, name); });
    if (found == headers.end()) return std::nullopt;
    return found->second;
}

std::optional<Target> Target::parse(std::string_view text)
{
    if (text.empty() || text.front() != '/') return std::nullopt;
    const std::size_t mark = std::min(text.find('?'), text.size());
    std::string_view path = text.substr(1, mark - 1);
    Target target;
    while (true) {
        const std::size_t end = std::min(path.find('/'), path.size());
        auto segment = decoded(path.substr(0, end), false);
        if (!segment || target.segments.size() == kSegmentsMax) return std::nullopt;
        target.segments.push_back(std::move(*segment));
        if (end == path.size()) break;
        path.remove_prefix(end + 1);
    }
    auto query = parse_query(text.substr(std::min(mark + 1, text.size())));
    if (!query) return std::nullopt;
    target.query = std::move(*query);
    return target;
}

std::string percent_encoded(std::string_view segment)
{
    constexpr std::string_view hex = "0123456789ABCDEF";
    std::string out;
    for (const char c : segment) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                           std::string_view{"-._~@"}.contains(c);
        if (plain) {
            out.push_back(c);
            continue;
        }
        const auto octet = static_cast<unsigned char>(c);
        out.push_back('%');
        out.push_back(hex[octet >> 4]);
        out.push_back(hex[octet & 15]);
    }
    return out;
}

} // namespace penguin::control::http
