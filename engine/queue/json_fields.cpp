#include "engine/queue/json_fields.h"

#include <algorithm>

namespace penguin::queue {

namespace json = boost::json;

Result<json::object> parse_object(std::string_view text)
{
    boost::system::error_code code;
    json::value value = json::parse(text, code);
    if (code) return fail(Errc::malformed, "not JSON: " + code.message());
    if (!value.is_object()) return fail(Errc::malformed, "not a JSON object");
    return std::move(value.get_object());
}

const json::value* JsonFields::find(std::string_view name)
{
    asked_.push_back(name);
    if (problem_) return nullptr;
    const json::value* value = object_.if_contains(name);
    return value == nullptr || value->is_null() ? nullptr : value;
}

std::optional<std::string_view> JsonFields::text(std::string_view name)
{
    const json::value* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (const json::string* text = value->if_string()) return std::string_view{*text};
    refuse(name, "must be a string");
    return std::nullopt;
}

std::optional<std::int64_t> JsonFields::integer(std::string_view name, std::int64_t least, std::int64_t most)
{
    const json::value* value = find(name);
    if (value == nullptr) return std::nullopt;
    const std::int64_t* number = value->if_int64();
    if (number != nullptr && *number >= least && *number <= most) return *number;
    refuse(name, "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    return std::nullopt;
}

std::optional<WallTime> JsonFields::time(std::string_view name)
{
    const std::optional<std::int64_t> ms = integer(name, 0, kTimeMax);
    if (!ms) return std::nullopt;
    return from_unix_ms(*ms);
}

std::optional<bool> JsonFields::truth(std::string_view name)
{
    const json::value* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (const bool* truth = value->if_bool()) return *truth;
    refuse(name, "must be true or false");
    return std::nullopt;
}

const json::object* JsonFields::object(std::string_view name)
{
    const json::value* value = find(name);
    if (value == nullptr) return nullptr;
    if (const json::object* object = value->if_object()) return object;
    refuse(name, "must be an object");
    return nullptr;
}

void JsonFields::need(std::string_view name, bool there)
{
    if (!there) refuse(name, "must be there", Errc::missing);
}

void JsonFields::refuse(std::string_view name, std::string_view rule, Errc code)
{
    if (!problem_) problem_ = Error{code, std::string{name} + ": " + std::string{rule}};
}

Result<> JsonFields::finish() const
{
    if (problem_) return std::unexpected{*problem_};
    for (const auto& field : object_) {
        const std::string_view name{field.key()};
        if (std::ranges::find(asked_, name) == asked_.end())
            return fail(Errc::bad_value, std::string{name.substr(0, 64)} + ": no such field in version 1");
    }
    return Result<>{};
}

} // namespace penguin::queue
