#include "control/ctl/view.h"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

namespace penguin::control::ctl {
namespace {

using boost::json::parse;

TEST(CellOf, EachKindOfValue)
{
    const auto value =
        parse(R"({"text":"a","none":null,"empty":"","yes":true,"no":false,"whole":-7,"big":18446744073709551615,
                                 "part":2.5,"even":1.0,"list":["a","b"],"object":{"a":{"b":3}},"keys":[{"s":"x"},{"s":"y"}]})");
    const auto text = [&](std::string_view path) { return cell_of(value, path).text; };
    EXPECT_EQ(text("text"), "a");
    EXPECT_EQ(text("none"), "-");
    EXPECT_EQ(text("empty"), "-");
    EXPECT_EQ(text("missing"), "-");
    EXPECT_EQ(text("text.further"), "-");
    EXPECT_EQ(text("yes"), "yes");
    EXPECT_EQ(text("no"), "no");
    EXPECT_EQ(text("whole"), "-7");
    EXPECT_EQ(text("big"), "18446744073709551615");
    EXPECT_EQ(text("part"), "2.5");
    EXPECT_EQ(text("even"), "1");
    EXPECT_EQ(text("list"), "a, b");
    EXPECT_EQ(text("object.a.b"), "3");
    EXPECT_EQ(text("object"), R"({"a":{"b":3}})");
    EXPECT_EQ(text("keys.s"), "x, y");
    EXPECT_TRUE(cell_of(value, "whole").number);
    EXPECT_FALSE(cell_of(value, "text").number);
}

TEST(Viewer, FieldsThenTheirTable)
{
    Viewer viewer{{.fields = {{"name", "name"}, {"verified", "verified"}},
                   .rows = "records",
                   .columns = {{"TYPE", "type"}, {"VALUE", "value"}}}};
    EXPECT_EQ(
        viewer.show(parse(R"({"name":"acme.example","verified":false,"records":[{"type":"TXT","value":"v=spf1 -all"},
                                    {"type":"MX","value":"10 mx.example"}]})")),
        "name      acme.example\n"
        "verified  no\n"
        "\n"
        "TYPE  VALUE\n"
        "TXT   v=spf1 -all\n"
        "MX    10 mx.example\n");
}

TEST(Viewer, WithFieldsAnEmptyTableIsLeftOutAloneItIsItsTitles)
{
    const View both{.fields = {{"id", "id"}}, .rows = "refused", .columns = {{"CODE", "code"}}};
    EXPECT_EQ(Viewer{both}.show(parse(R"({"id":"b","refused":[]})")), "id  b\n");
    const View list{.fields = {}, .rows = "data", .columns = {{"CODE", "code"}}};
    EXPECT_EQ(Viewer{list}.show(parse(R"({"data":[],"next_cursor":null})")), "CODE\n");
}

TEST(Viewer, MembersOfAnObjectAreRowsToo)
{
    Viewer viewer{
        {.fields = {{"status", "status"}}, .rows = "checks", .columns = {{"CHECK", "key"}, {"STATE", "value"}}}};
    EXPECT_EQ(viewer.show(parse(R"({"status":"ok","checks":{"redis":"ok","postgresql":"cannot be reached"}})")),
              "status  ok\n\nCHECK       STATE\nredis       ok\npostgresql  cannot be reached\n");
}

TEST(Viewer, WhatIsNotThereIsNoFault)
{
    Viewer viewer{{.fields = {{"id", "id"}}, .rows = "data", .columns = {{"A", "a"}}}};
    EXPECT_EQ(viewer.show(parse("[1,2]")), "id  -, -\n");
    EXPECT_EQ(viewer.show(parse(R"("text")")), "id  -\n");
}

} // namespace
} // namespace penguin::control::ctl
