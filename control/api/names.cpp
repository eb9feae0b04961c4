#include "control/api/names.h"

#include <fmt/format.h>

namespace penguin::control::api {

namespace {

constexpr std::string_view kPoolDigits = "abcdefghijklmnopqrstuvwxyz0123456789-";
constexpr std::string_view kNodeDigits = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";

std::string_view read_name(ObjectReader& body, std::string_view field, std::string_view digits, std::size_t max)
{
    const std::string_view name = body.text(field, {.min = 1, .max = max});
    if (name.find_first_not_of(digits) == std::string_view::npos) return name;
    body.issue(field, "bad_format", fmt::format("must be of {}", digits));
    return {};
}

} // namespace

std::string_view read_pool_name(ObjectReader& body, std::string_view field)
{
    return read_name(body, field, kPoolDigits, 32);
}
std::string_view read_node_name(ObjectReader& body, std::string_view field)
{
    return read_name(body, field, kNodeDigits, 64);
}

std::optional<TimeZone> read_time_zone(ObjectReader& body, std::string_view field)
{
    const auto name = body.optional_text(field, {.min = 1, .max = kZoneNameMax});
    if (!name) return std::nullopt;
    const Result<TimeZone> zone = TimeZone::find(*name);
    if (zone) return *zone;
    body.issue(field, "bad_value", zone.error().detail);
    return std::nullopt;
}

} // namespace penguin::control::api
