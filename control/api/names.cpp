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

} // namespace penguin::control::api
