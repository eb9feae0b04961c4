// engine/base/strong_type.h
// Gives a plain value a name of its own: struct TenantTag; using TenantId = StrongType<Uuid, TenantTag>.
// Compares, hashes and copies as the value inside; never converts to or from it by itself.
#pragma once

#include <compare>
#include <functional>
#include <utility>

namespace penguin {

template <class Value, class Tag>
class StrongType {
public:
    constexpr StrongType() = default;
    constexpr explicit StrongType(Value value) : value_{std::move(value)} {}
    constexpr const Value& value() const noexcept { return value_; }
    friend constexpr auto operator<=>(const StrongType&, const StrongType&) = default;
    friend constexpr bool operator==(const StrongType&, const StrongType&) = default;

private:
    Value value_{};
};

} // namespace penguin

template <class Value, class Tag>
struct std::hash<penguin::StrongType<Value, Tag>> {
    std::size_t operator()(const penguin::StrongType<Value, Tag>& strong) const noexcept
    {
        return std::hash<Value>{}(strong.value());
    }
};
