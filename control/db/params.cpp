#include "control/db/params.h"

#include <chrono>
#include <concepts>

#include <fmt/format.h>

namespace penguin::control::db {

namespace {

// pg_type.dat: the same in every server
constexpr std::uint32_t kByteaOid = 17;
constexpr std::uint32_t kTextOid = 25;
constexpr std::uint32_t kUuidOid = 2950;
constexpr std::uint32_t kNull = 0xFFFFFFFF;

void append_number(std::string& out, std::uint32_t value)
{
    for (const unsigned shift : {24U, 16U, 8U, 0U}) out += static_cast<char>(value >> shift & 0xFFU);
}

void append_octets(std::string& out, BytesView one)
{
    append_number(out, static_cast<std::uint32_t>(one.value.size()));
    out += one.value;
}

void append_octets(std::string& out, const std::optional<BytesView>& one)
{
    if (one) return append_octets(out, *one);
    append_number(out, kNull);
}

void append_octets(std::string& out, const std::optional<Bytes>& one)
{
    append_octets(out, one ? std::optional{BytesView{one->value}} : std::nullopt);
}

void append_octets(std::string& out, const std::string& one) { append_octets(out, BytesView{one}); }

// As array_recv reads it: dimensions, whether there are NULLs, type; length and lower bound; then each with its length.
template <class Octets>
std::string binary_array(const std::vector<Octets>& values, std::uint32_t type)
{
    std::string out;
    append_number(out, values.empty() ? 0 : 1);
    append_number(out, std::same_as<Octets, BytesView> || std::same_as<Octets, std::string> ? 0 : 1);
    append_number(out, type);
    if (values.empty()) return out;
    append_number(out, static_cast<std::uint32_t>(values.size()));
    append_number(out, 1);
    for (const Octets& one : values) append_octets(out, one);
    return out;
}

} // namespace

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

Params& Params::add(const std::vector<Bytes>& values)
{
    std::vector<BytesView> views;
    views.reserve(values.size());
    for (const Bytes& one : values) views.push_back({one.value});
    return add(views);
}

Params& Params::add(const std::vector<BytesView>& values)
{
    params_.push_back({binary_array(values, kByteaOid), true});
    return *this;
}

Params& Params::add(const std::vector<std::optional<Bytes>>& values)
{
    params_.push_back({binary_array(values, kByteaOid), true});
    return *this;
}

Params& Params::add(const Texts& texts)
{
    params_.push_back({binary_array(texts.values, kTextOid), true});
    return *this;
}

Params& Params::add_ids(const std::vector<std::optional<BytesView>>& ids)
{
    params_.push_back({binary_array(ids, kUuidOid), true});
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
