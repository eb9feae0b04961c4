// control/db/rows.h
// What a statement gave: rows, read by column name.
//
//   use      for (const Row row : rows) names.push_back(row.get<std::string>("name"));
//   types    std::string, std::int64_t (and smaller), double, bool, Uuid, our strong ids, WallTime, Bytes,
//            std::vector<std::string> (of text[]), std::optional of these (nothing for NULL)
//   errors   a column that is not there, a NULL that nobody expected and a value of another type are bugs of ours:
//            std::logic_error, and the transaction ends without a commit
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "control/db/params.h"
#include "engine/base/clock.h"
#include "engine/base/strong_type.h"
#include "engine/base/uuid.h"

struct pg_result; // libpq's

namespace penguin::control::db {

class Row {
public:
    bool null(std::string_view column) const { return !text_if(column); }
    // Valid as long as the Rows live.
    std::string_view text(std::string_view column) const;

    template <class Value>
    Value get(std::string_view column) const
    {
        return Reader<Value>::read(*this, column);
    }

private:
    friend class Rows;
    Row(const pg_result* result, int index) : result_{result}, index_{index} {}
    std::optional<std::string_view> text_if(std::string_view column) const;

    template <class Value>
    struct Reader;
    static void read(std::string_view text, std::string& value) { value = text; }
    static void read(std::string_view text, bool& value);
    static void read(std::string_view text, double& value);
    static void read(std::string_view text, long long& value);
    template <std::integral Number>
        requires(!std::same_as<Number, bool> && !std::same_as<Number, long long>)
    static void read(std::string_view text, Number& value)
    {
        long long wide = 0;
        read(text, wide);
        value = static_cast<Number>(wide);
    }
    static void read(std::string_view text, Uuid& value);
    static void read(std::string_view text, WallTime& value);
    static void read(std::string_view text, Bytes& value);
    static void read(std::string_view text, std::vector<std::string>& value);
    template <class Value, class Tag>
    static void read(std::string_view text, StrongType<Value, Tag>& value)
    {
        Value inner{};
        read(text, inner);
        value = StrongType<Value, Tag>{std::move(inner)};
    }

    const pg_result* result_;
    int index_;
};

template <class Value>
struct Row::Reader {
    static Value read(const Row& row, std::string_view column)
    {
        Value value{};
        Row::read(row.text(column), value);
        return value;
    }
};

template <class Value>
struct Row::Reader<std::optional<Value>> {
    static std::optional<Value> read(const Row& row, std::string_view column)
    {
        if (row.null(column)) return std::nullopt;
        return Reader<Value>::read(row, column);
    }
};

class Rows {
public:
    Rows() = default;
    explicit Rows(std::shared_ptr<pg_result> result);

    std::size_t size() const { return static_cast<std::size_t>(count_); }
    bool empty() const { return count_ == 0; }
    Row operator[](std::size_t index) const;
    Row front() const { return (*this)[0]; }
    // How many rows an INSERT, UPDATE or DELETE touched.
    std::size_t affected() const;
    // "INSERT 0 1", "ROLLBACK" ...
    std::string_view command() const;

    class Iterator {
    public:
        Iterator(const pg_result* result, int index) : result_{result}, index_{index} {}
        Row operator*() const { return Row{result_, index_}; }
        Iterator& operator++()
        {
            ++index_;
            return *this;
        }
        friend bool operator==(const Iterator&, const Iterator&) = default;

    private:
        const pg_result* result_;
        int index_;
    };
    Iterator begin() const { return Iterator{result_.get(), 0}; }
    Iterator end() const { return Iterator{result_.get(), count_}; }

private:
    friend class Iterator;
    std::shared_ptr<pg_result> result_;
    int count_ = 0;
};

} // namespace penguin::control::db
