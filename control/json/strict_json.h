// control/json/strict_json.h
// JSON of strangers: request bodies, tokens, key sets. Stricter than Boost.JSON alone, which takes the last of two fields of
// one name, so that two readers of one text could see two texts (RFC 8259 4, RFC 8725 2.4).
//
//   in      RFC 8259 JSON in UTF-8, nothing after it
//   limits  JsonLimits; the caller bounds the size
//   errors  JsonFault: `malformed` (not JSON or over a limit; octet says where) or the fields that came twice, by their path
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace penguin::control {

struct JsonLimits {
    std::size_t depth = 32; // levels
    std::size_t values = 2'000'000;
    std::size_t duplicates = 100; // reported
};

struct JsonFault {
    std::string malformed; // empty: see duplicates
    std::size_t octet = 0;
    std::vector<std::string> duplicates; // "recipients[3].email"
};

std::expected<boost::json::value, JsonFault> parse_strict_json(std::string_view text, const JsonLimits& limits = {});

// The string of that name; nothing when it is not there or something else. Lives as long as the object.
std::optional<std::string_view> text_member(const boost::json::object& object, std::string_view name);

// A field whose name is empty stands as "" in paths, so that no path is empty.
inline std::string_view name_in_path(std::string_view name) { return name.empty() ? "\"\"" : name; }

} // namespace penguin::control
