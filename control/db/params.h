// control/db/params.h
// The parameters of one statement, $1 first: Params{tenant, name, Bytes{hash}, std::optional<WallTime>{}, scopes}.
//
//   takes    text, whole numbers, double, bool, Uuid and our strong ids, WallTime, Bytes, nullptr, std::optional of
//            these (nothing is NULL), std::vector of these (an SQL array; elements may be optional). Octets go binary,
//            and so do arrays of octets, of ids (uuid[]) and of Texts (text[]), which then need no quoting and no parser.
//   types    PostgreSQL infers them from the statement; write a cast ($1::uuid[]) where it cannot
//   JSON     is text; write $1::jsonb where the column does not say so
//   limits   kParamsMax a statement (the protocol's 65,535 is far away)
#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/strong_type.h"
#include "engine/base/uuid.h"

namespace penguin::control::db {

inline constexpr std::size_t kParamsMax = 100; // parameters a statement

// Octets for a bytea; without it, text is meant.
struct Bytes {
    std::string value;
};
// Of an array that copies them: large ones need not be copied before.
struct BytesView {
    std::string_view value;
};

// A text[], and no array of anything else that is written as text.
struct Texts {
    std::vector<std::string> values;
};

template <class Value>
inline constexpr bool kIsId = false;
template <>
inline constexpr bool kIsId<Uuid> = true;
template <class Tag>
inline constexpr bool kIsId<StrongType<Uuid, Tag>> = true;
template <class Value>
inline constexpr bool kIsId<std::optional<Value>> = kIsId<Value>;

class Params {
public:
    Params() = default;
    template <class... Values>
        requires(sizeof...(Values) > 0 && !(sizeof...(Values) == 1 && (std::same_as<Values, Params> && ...)))
    explicit Params(const Values&... values)
    {
        (add(values), ...);
    }

    Params& add(std::nullptr_t);
    Params& add(std::string_view text);
    Params& add(const char* text) { return add(std::string_view{text}); }
    Params& add(const std::string& text) { return add(std::string_view{text}); }
    Params& add(const Bytes& octets);
    Params& add(const std::vector<Bytes>& values);
    Params& add(const std::vector<BytesView>& values);
    Params& add(const std::vector<std::optional<Bytes>>& values);
    Params& add(const Texts& texts);
    template <class Value>
    Params& add(const Value& value)
    {
        return add(std::string_view{text_of(value)});
    }
    template <class Value>
    Params& add(const std::optional<Value>& value)
    {
        return value ? add(*value) : add(nullptr);
    }
    template <class Value>
        requires(kIsId<Value>)
    Params& add(const std::vector<Value>& values)
    {
        std::vector<std::optional<BytesView>> ids;
        ids.reserve(values.size());
        for (const Value& value : values) ids.push_back(octets_of(value));
        return add_ids(ids);
    }
    template <class Value>
    Params& add(const std::vector<Value>& values)
    {
        std::string array = "{";
        for (const auto& value : values) append_element(array, value);
        array += '}';
        return add(std::string_view{array});
    }

    struct Param {
        std::optional<std::string> value;
        bool binary = false;
    };
    const std::vector<Param>& all() const { return params_; }

private:
    static std::string text_of(bool value) { return value ? "t" : "f"; }
    static std::string text_of(double value);
    static std::string text_of(std::integral auto value) { return std::to_string(value); }
    static std::string text_of(const Uuid& value) { return value.text(); }
    static std::string text_of(WallTime value);
    static std::string text_of(const std::string& value) { return value; }
    template <class Value, class Tag>
    static std::string text_of(const StrongType<Value, Tag>& value)
    {
        return text_of(value.value());
    }
    static std::optional<BytesView> octets_of(const Uuid& id)
    {
        return BytesView{{reinterpret_cast<const char*>(id.bytes().data()), id.bytes().size()}};
    }
    template <class Tag>
    static std::optional<BytesView> octets_of(const StrongType<Uuid, Tag>& id)
    {
        return octets_of(id.value());
    }
    template <class Value>
    static std::optional<BytesView> octets_of(const std::optional<Value>& id)
    {
        return id ? octets_of(*id) : std::nullopt;
    }
    Params& add_ids(const std::vector<std::optional<BytesView>>& ids);
    static void append_quoted(std::string& array, std::string_view text);
    template <class Value>
    static void append_element(std::string& array, const Value& value)
    {
        append_quoted(array, text_of(value));
    }
    template <class Value>
    static void append_element(std::string& array, const std::optional<Value>& value)
    {
        if (value) return append_element(array, *value);
        if (array.size() > 1) array += ',';
        array += "NULL";
    }

    std::vector<Param> params_;
};

struct Statement {
    std::string sql;
    Params params;
};

} // namespace penguin::control::db
