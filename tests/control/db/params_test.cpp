#include "control/db/params.h"

#include <gtest/gtest.h>

namespace penguin::control::db {
namespace {

std::string first(const Params& params) { return params.all().front().value.value_or("<null>"); }

TEST(Params, WritesEachKindAsPostgresReadsIt)
{
    const Uuid id = Uuid::parse("017f22e2-79b0-7cc3-98c4-dc0c0c07398f").value();
    EXPECT_EQ(first(Params{"plain"}), "plain");
    EXPECT_EQ(first(Params{std::int64_t{-5}}), "-5");
    EXPECT_EQ(first(Params{0.1}), "0.1");
    EXPECT_EQ(first(Params{true}), "t");
    EXPECT_EQ(first(Params{id}), id.text());
    EXPECT_EQ(first(Params{TenantId{id}}), id.text());
    EXPECT_EQ(first(Params{PoolName{"default"}}), "default");
    EXPECT_EQ(first(Params{nullptr}), "<null>");
    EXPECT_EQ(first(Params{std::optional<std::string>{}}), "<null>");
    EXPECT_EQ(first(Params{std::optional<int>{7}}), "7");
    EXPECT_EQ(first(Params{from_unix_ms(1'795'494'547'123)}), "2026-11-24 04:29:07.123000+00");
    EXPECT_EQ(first(Params{WallTime{std::chrono::microseconds{-1}}}), "1969-12-31 23:59:59.999999+00");
}

TEST(Params, OctetsGoBinary)
{
    const Params params{Bytes{std::string{"\0\xff", 2}}, "text"};
    EXPECT_TRUE(params.all()[0].binary);
    EXPECT_EQ(params.all()[0].value->size(), 2U);
    EXPECT_FALSE(params.all()[1].binary);
}

TEST(Params, ArraysOfOctetsGoBinary)
{
    using namespace std::string_literals;
    const Params params{std::vector<std::optional<Bytes>>{Bytes{"\x01\xab"}, std::nullopt}, std::vector<Bytes>{}};
    EXPECT_TRUE(params.all()[0].binary);
    EXPECT_EQ(params.all()[0].value, "\0\0\0\x01\0\0\0\x01\0\0\0\x11\0\0\0\x02\0\0\0\x01"
                                     "\0\0\0\x02\x01\xab\xff\xff\xff\xff"s);
    EXPECT_EQ(params.all()[1].value, "\0\0\0\0\0\0\0\0\0\0\0\x11"s);
}

TEST(Params, ArraysOfIdsAndTextsGoBinary)
{
    using namespace std::string_literals;
    const Uuid id = Uuid::parse("00112233-4455-6677-8899-aabbccddeeff").value();
    const std::string octets = "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff"s;
    const Params params{std::vector<std::optional<TenantId>>{TenantId{id}, std::nullopt}, Texts{{"a{\"", ""}},
                        std::vector<Uuid>{}};
    EXPECT_TRUE(params.all()[0].binary);
    EXPECT_EQ(params.all()[0].value,
              "\0\0\0\x01\0\0\0\x01\0\0\x0b\x86\0\0\0\x02\0\0\0\x01\0\0\0\x10"s + octets + "\xff\xff\xff\xff"s);
    EXPECT_TRUE(params.all()[1].binary);
    EXPECT_EQ(params.all()[1].value, "\0\0\0\x01\0\0\0\0\0\0\0\x19\0\0\0\x02\0\0\0\x01\0\0\0\x03"
                                     "a{\"\0\0\0\0"s);
    EXPECT_EQ(params.all()[2].value, "\0\0\0\0\0\0\0\x01\0\0\x0b\x86"s);
}

TEST(Params, ArraysQuoteWhatCouldBreakThem)
{
    EXPECT_EQ(first(Params{std::vector<std::string>{}}), "{}");
    EXPECT_EQ(first(Params{std::vector<std::string>{"a", "", "NULL", "x\"y\\z", "{,}"}}),
              R"({"a","","NULL","x\"y\\z","{,}"})");
    EXPECT_EQ(first(Params{std::vector<std::optional<std::string>>{std::nullopt, "b", std::nullopt}}),
              R"({NULL,"b",NULL})");
    EXPECT_EQ(first(Params{std::vector<int>{1, 2}}), R"({"1","2"})");
    EXPECT_EQ(first(Params{std::vector<bool>{true, false}}), R"({"t","f"})");
}

} // namespace
} // namespace penguin::control::db
