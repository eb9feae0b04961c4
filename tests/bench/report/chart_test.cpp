#include "bench/report/chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penguin::bench::report {
namespace {

using testing::HasSubstr;
using testing::Not;

Bars two_bars()
{
    return {.title = "t", .unit = "per s", .categories = {"a", "b"}, .series = {{"one", {10, 20}}, {"two", {5, 7}}}};
}

TEST(ReportChart, BarsBesideEachOtherBeginAtZero)
{
    const std::string script = script_of(two_bars());
    EXPECT_THAT(script, HasSubstr("10 1 0 10 0.55 1.45\n20 4.5 0 20 4.05 4.95\n"));
    EXPECT_THAT(script, HasSubstr("5 2 0 5 1.55 2.45\n7 5.5 0 7 5.05 5.95\n"));
    EXPECT_THAT(script, HasSubstr("set xrange [0:24]"));
    EXPECT_THAT(script, HasSubstr("('0' 0, '5' 5, '10' 10, '15' 15, '20' 20)"));
}

TEST(ReportChart, StackedBarsBeginWhereTheLastEndedAndTellTheSum)
{
    Bars bars = two_bars();
    bars.stacked = true;
    const std::string script = script_of(bars);
    EXPECT_THAT(script, HasSubstr("15 1 10 15 0.55 1.45\n27 3.5 20 27 3.05 3.95\n"));
    EXPECT_THAT(script, HasSubstr("15 1 \"15\"\n27 3.5 \"27\"\n"));
}

TEST(ReportChart, AMissingValueHasNoLabel)
{
    Bars bars = two_bars();
    bars.series = {{"one", {std::nullopt, 20}}};
    EXPECT_THAT(script_of(bars), Not(HasSubstr("\"0\"")));
}

TEST(ReportChart, ALogScaleHasDecadesAndNothingThatIsZero)
{
    const Lines lines{.title = "t", .x = "x", .y = "y", .series = {{"s", {{0, 5}, {1, 50}, {1000, 60}}}}, .log = true};
    const std::string script = script_of(lines);
    EXPECT_THAT(script, HasSubstr("set logscale x\nset xrange [1:1000]"));
    EXPECT_THAT(script, HasSubstr("$d0 << EOD\n1 50\n1000 60\nEOD\n"));
    EXPECT_THAT(script, HasSubstr("set yrange [10:100]\nset ytics nomirror ('10' 10, '20' 20, '50' 50, '100' 100)"));
}

TEST(ReportChart, ForeignTextIsQuoted)
{
    Bars bars = two_bars();
    bars.categories = {"it's\n]]>`x`", "b"};
    EXPECT_THAT(script_of(bars), HasSubstr("set label 'it''s ]] >`x`' at"));
}

TEST(ReportChart, NoDataIsSeen)
{
    EXPECT_TRUE(has_data(two_bars()));
    EXPECT_FALSE(has_data(Bars{}));
    EXPECT_FALSE(has_data(Lines{.series = {{"s", {}}}}));
    EXPECT_FALSE(has_data(Lines{.series = {{"s", {{0, 1}}}}, .log = true}));
}

TEST(ReportChart, OneSeriesNeedsNoLegend)
{
    EXPECT_EQ(legend_of(two_bars()).size(), 2U);
    EXPECT_TRUE(legend_of(Bars{.categories = {"a"}, .series = {{"one", {1}}}}).empty());
}

} // namespace
} // namespace penguin::bench::report
