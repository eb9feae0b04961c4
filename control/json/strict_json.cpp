#include "control/json/strict_json.h"

#include <cmath>
#include <cstdint>
#include <optional>
#include <unordered_set>
#include <utility>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>

namespace penguin::control {

namespace {

namespace json = boost::json;
using json::error_code;

// Walks the text once before anything is built: counts values, and notes the fields that come twice.
class Scan {
public:
    static constexpr std::size_t max_array_size = SIZE_MAX;
    static constexpr std::size_t max_object_size = SIZE_MAX;
    static constexpr std::size_t max_string_size = SIZE_MAX;
    static constexpr std::size_t max_key_size = SIZE_MAX;

    explicit Scan(const JsonLimits& limits) : limits_{limits} {}
    std::vector<std::string> take_duplicates() { return std::move(duplicates_); }

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_object_begin(error_code& ec) { return begins(true, ec); }
    bool on_object_end(std::size_t, error_code&) { return ends(); }
    bool on_array_begin(error_code& ec) { return begins(false, ec); }
    bool on_array_end(std::size_t, error_code&) { return ends(); }
    bool on_key_part(json::string_view part, std::size_t, error_code&)
    {
        key_.append(part.data(), part.size());
        return true;
    }
    bool on_key(json::string_view part, std::size_t, error_code&)
    {
        key_.append(part.data(), part.size());
        Level& level = levels_.back();
        level.key = std::exchange(key_, {});
        const bool is_new = level.keys.insert(level.key).second;
        if (!is_new && duplicates_.size() < limits_.duplicates) duplicates_.push_back(path());
        return true;
    }
    bool on_string_part(json::string_view, std::size_t, error_code&) { return true; }
    bool on_string(json::string_view, std::size_t, error_code& ec) { return scalar(ec); }
    bool on_number_part(json::string_view, error_code&) { return true; }
    bool on_int64(std::int64_t, json::string_view, error_code& ec) { return scalar(ec); }
    bool on_uint64(std::uint64_t, json::string_view, error_code& ec) { return scalar(ec); }
    // 1e400 would become infinity and 0e400 not-a-number: neither can be written as JSON again.
    bool on_double(double value, json::string_view, error_code& ec)
    {
        if (!std::isfinite(value)) ec = json::error::exponent_overflow;
        return !ec && scalar(ec);
    }
    bool on_bool(bool, error_code& ec) { return scalar(ec); }
    bool on_null(error_code& ec) { return scalar(ec); }
    bool on_comment_part(json::string_view, error_code&) { return true; }
    bool on_comment(json::string_view, error_code&) { return true; }

private:
    struct Level {
        bool object = false;
        std::size_t index = 0; // of an array: the value that comes
        std::string key;       // of an object: the field whose value comes
        std::unordered_set<std::string> keys;
    };

    bool counted(error_code& ec)
    {
        if (++values_ > limits_.values) ec = json::error::array_too_large;
        return !ec;
    }
    bool begins(bool object, error_code& ec)
    {
        levels_.push_back({.object = object});
        return counted(ec);
    }
    bool ends()
    {
        levels_.pop_back();
        if (!levels_.empty()) ++levels_.back().index;
        return true;
    }
    bool scalar(error_code& ec)
    {
        if (!levels_.empty()) ++levels_.back().index;
        return counted(ec);
    }
    std::string path() const
    {
        std::string path;
        for (const Level& level : levels_) {
            if (!level.object) {
                path += fmt::format("[{}]", level.index);
                continue;
            }
            if (!path.empty()) path += '.';
            path += name_in_path(level.key);
        }
        return path;
    }

    JsonLimits limits_;
    std::vector<Level> levels_;
    std::string key_; // being read
    std::size_t values_ = 0;
    std::vector<std::string> duplicates_;
};

json::parse_options options(const JsonLimits& limits)
{
    json::parse_options options;
    options.max_depth = limits.depth;
    return options;
}

std::string reason_of(const error_code& ec, const JsonLimits& limits)
{
    if (ec == json::error::too_deep) return fmt::format("deeper than {} levels", limits.depth);
    if (ec == json::error::array_too_large) return fmt::format("more than {} values", limits.values);
    return "not JSON (" + ec.message() + ")";
}

std::optional<JsonFault> scanned(std::string_view text, const JsonLimits& limits)
{
    json::basic_parser<Scan> parser{options(limits), limits};
    error_code ec;
    const std::size_t read = parser.write_some(false, text.data(), text.size(), ec);
    if (ec) return JsonFault{.malformed = reason_of(ec, limits), .octet = read};
    if (text.substr(read).find_first_not_of(" \t\r\n") != std::string_view::npos)
        return JsonFault{.malformed = "text after the JSON value", .octet = read};
    std::vector<std::string> duplicates = parser.handler().take_duplicates();
    if (duplicates.empty()) return std::nullopt;
    return JsonFault{.duplicates = std::move(duplicates)};
}

} // namespace

std::expected<json::value, JsonFault> parse_strict_json(std::string_view text, const JsonLimits& limits)
{
    if (auto fault = scanned(text, limits)) return std::unexpected{std::move(*fault)};
    error_code ec;
    json::value value = json::parse(json::string_view{text.data(), text.size()}, ec,
                                    json::make_shared_resource<json::monotonic_resource>(), options(limits));
    if (ec) return std::unexpected{JsonFault{.malformed = reason_of(ec, limits)}};
    return value;
}

std::optional<std::string_view> text_member(const json::object& object, std::string_view name)
{
    const json::value* value = object.if_contains(json::string_view{name.data(), name.size()});
    if (value == nullptr || !value->is_string()) return std::nullopt;
    return std::string_view{value->get_string().data(), value->get_string().size()};
}

} // namespace penguin::control
