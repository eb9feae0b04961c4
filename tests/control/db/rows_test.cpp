#include "control/db/rows.h"

#include <libpq-fe.h>

#include <gtest/gtest.h>

namespace penguin::control::db {
namespace {

// A result as libpq would have made it, with one row.
Rows one_row(const std::vector<std::pair<const char*, std::optional<std::string>>>& columns)
{
    const std::shared_ptr<PGresult> result{PQmakeEmptyPGresult(nullptr, PGRES_TUPLES_OK), PQclear};
    std::vector<PGresAttDesc> descriptions;
    for (const auto& [name, value] : columns) {
        PGresAttDesc description{};
        description.name = const_cast<char*>(name);
        descriptions.push_back(description);
    }
    PQsetResultAttrs(result.get(), static_cast<int>(descriptions.size()), descriptions.data());
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const auto& value = columns[i].second;
        PQsetvalue(result.get(), 0, static_cast<int>(i), value ? const_cast<char*>(value->c_str()) : nullptr,
                   value ? static_cast<int>(value->size()) : -1);
    }
    return Rows{result};
}

template <class Value>
Value read(const std::string& text)
{
    return one_row({{"x", text}}).front().get<Value>("x");
}

TEST(Rows, ReadsEachKind)
{
    EXPECT_EQ(read<std::string>("abc"), "abc");
    EXPECT_EQ(read<std::int64_t>("-9000000000"), -9'000'000'000);
    EXPECT_EQ(read<int>("7"), 7);
    EXPECT_EQ(read<double>("2.5"), 2.5);
    EXPECT_TRUE(read<bool>("t"));
    EXPECT_FALSE(read<bool>("f"));
    EXPECT_EQ(read<TenantId>("017f22e2-79b0-7cc3-98c4-dc0c0c07398f").value().text(),
              "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    EXPECT_EQ(read<PoolName>("default").value(), "default");
    EXPECT_EQ(read<Bytes>("\\x00ff10").value, (std::string{"\0\xff\x10", 3}));
}

TEST(Rows, ReadsTimesOfAnySessionZone)
{
    const WallTime time = from_unix_ms(1'795'494'547'123) + std::chrono::microseconds{456};
    EXPECT_EQ(read<WallTime>("2026-11-24 04:29:07.123456+00"), time);
    EXPECT_EQ(read<WallTime>("2026-11-24 09:59:07.123456+05:30"), time);
    EXPECT_EQ(read<WallTime>("2026-11-23 23:29:07.123456-05"), time);
    EXPECT_EQ(read<WallTime>("2026-11-24 04:29:07+00"), from_unix_ms(1'795'494'547'000));
}

TEST(Rows, ReadsTextArrays)
{
    using Texts = std::vector<std::string>;
    EXPECT_EQ(read<Texts>("{}"), Texts{});
    EXPECT_EQ(read<Texts>("{a,b:c}"), (Texts{"a", "b:c"}));
    EXPECT_EQ(read<Texts>(R"({"x\"y\\z","{,}","",plain})"), (Texts{"x\"y\\z", "{,}", "", "plain"}));
}

TEST(Rows, NullIsNothingOrABug)
{
    const Rows rows = one_row({{"x", std::nullopt}});
    EXPECT_TRUE(rows.front().null("x"));
    EXPECT_EQ(rows.front().get<std::optional<int>>("x"), std::nullopt);
    EXPECT_THROW(rows.front().get<int>("x"), std::logic_error);
}

TEST(Rows, WhatIsNotThereIsABug)
{
    EXPECT_THROW(one_row({{"x", "1"}}).front().text("y"), std::logic_error);
    EXPECT_THROW(one_row({{"x", "1"}})[1], std::logic_error);
    EXPECT_THROW(read<int>("1x"), std::logic_error);
    EXPECT_THROW(read<bool>("yes"), std::logic_error);
    EXPECT_THROW(read<Bytes>("\\x0"), std::logic_error);
    EXPECT_THROW(read<Bytes>("\\x0g"), std::logic_error);
    EXPECT_THROW(read<Uuid>("x"), std::logic_error);
    EXPECT_THROW(read<WallTime>("infinity"), std::logic_error);
    EXPECT_THROW(read<std::vector<std::string>>("a,b"), std::logic_error);
    EXPECT_TRUE(Rows{}.empty());
}

} // namespace
} // namespace penguin::control::db
