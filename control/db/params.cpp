#include "control/db/params.h"

#include <chrono>

#include <fmt/format.h>

namespace penguin::control::db {

Params& Params::add(std::nullptr_t)
{
    params_.push_back({std::nullopt, false});
    return *this;
}

Params& Params::add(std::string_view text)
{
    params_.push_back({std::string{text}, false});
    return *this;
}

Params& Params::add(const Bytes& octets)
{
    params_.push_back({octets.value, true});
    return *this;
}

std::string Params::text_of(double value) { return fmt::format("{}", value); }

std::string Params::text_of(WallTime value)
{
    const auto day = std::chrono::floor<std::chrono::days>(value);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss time{value - day};
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}+00", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(),
                       time.minutes().count(), time.seconds().count(), time.subseconds().count());
}

std::string Params::text_of(const Bytes& value)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string hex = "\\x";
    hex.reserve(2 + value.value.size() * 2);
    for (const char c : value.value) {
        const auto octet = static_cast<unsigned char>(c);
        hex += digits[octet >> 4U];
        hex += digits[octet & 15U];
    }
    return hex;
}

void Params::append_quoted(std::string& array, std::string_view text)
{
    if (array.size() > 1) array += ',';
    array += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\') array += '\\';
        array += c;
    }
    array += '"';
}

} // namespace penguin::control::db
