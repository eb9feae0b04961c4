// engine/queue/json_fields.h
// Takes the fields of one JSON object by name and kind. The first problem is kept, later calls give nothing then; a
// field that nobody asked for is a problem too: a misspelt name must not go unnoticed. null counts as not there.
//
//   errors  malformed (not a JSON object), bad_value, bad_address, too_long, missing: detail is "<field>: <rule>"
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/result.h"

namespace penguin::queue {

inline constexpr std::int64_t kTimeMax = 253'402'300'799'999; // 9999-12-31T23:59:59.999Z

Result<boost::json::object> parse_object(std::string_view text);

class JsonFields {
public:
    // `object` outlives this.
    explicit JsonFields(const boost::json::object& object) : object_{object} {}

    std::optional<std::string_view> text(std::string_view name);
    std::optional<std::int64_t> integer(std::string_view name, std::int64_t least, std::int64_t most);
    std::optional<WallTime> time(std::string_view name); // Unix milliseconds
    std::optional<bool> truth(std::string_view name);
    const boost::json::object* object(std::string_view name);

    // A text that `parse` (giving Result<T>) takes.
    template <class Parse>
    auto parsed(std::string_view name, Parse parse)
    {
        using Value = typename decltype(parse(std::string_view{}))::value_type;
        const std::optional<std::string_view> value = text(name);
        if (!value) return std::optional<Value>{};
        auto result = parse(*value);
        if (result) return std::optional<Value>{std::move(*result)};
        refuse(name, result.error().detail, result.error().code);
        return std::optional<Value>{};
    }
    template <class Value>
    Value required(std::string_view name, std::optional<Value> value)
        requires std::default_initializable<Value>
    {
        need(name, value.has_value());
        return value ? std::move(*value) : Value{};
    }
    void need(std::string_view name, bool there);

    void refuse(std::string_view name, std::string_view rule, Errc code = Errc::bad_value);
    // The first problem, or a field that was not asked for.
    Result<> finish() const;

private:
    const boost::json::value* find(std::string_view name);
    const boost::json::object& object_;
    std::vector<std::string_view> asked_;
    std::optional<Error> problem_;
};

} // namespace penguin::queue
