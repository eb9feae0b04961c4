#include "bench/report/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/report/picture.h"

namespace penguin::bench::report {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ReportPage, AllTextIsEscapedAndPicturesStandInTheirOrder)
{
    Section section{.id = "one", .title = "A & B", .says = {"<p>"}, .charts = {}, .tables = {}, .from = {}};
    section.charts = {Bars{.title = "<first>"}, Lines{.title = "second"}};
    section.tables = {{.head = {"name", "value"}, .rows = {{"<b>", "4,344"}}}};
    const std::string page = page_of({.says = {"1 < 2"}, .table = {}}, {section}, {"<svg>1</svg>", "<svg>2</svg>"});
    EXPECT_THAT(page, HasSubstr("<p>1 &lt; 2</p>"));
    EXPECT_THAT(page, HasSubstr("<h2>A &amp; B</h2>\n<p>&lt;p&gt;</p>"));
    EXPECT_THAT(page, HasSubstr("<figcaption>&lt;first&gt;</figcaption>\n<svg>1</svg>"));
    EXPECT_THAT(page, HasSubstr("<figcaption>second</figcaption>\n<svg>2</svg>"));
    EXPECT_THAT(page, HasSubstr("<td>&lt;b&gt;</td><td class=\"number\">4,344</td>"));
}

TEST(ReportPicture, TheElementHasNamesOfItsOwn)
{
    const std::string element = as_element(
        "<?xml version='1.0'?>\n<svg viewBox='0'><title>gnuplot</title><g id=\"gnuplot_canvas\"><circle id='gpDot'/>"
        "<use xlink:href='#gpDot'/></g></svg>",
        3, "a \"title\"");
    EXPECT_EQ(
        element,
        "<svg role=\"img\" aria-label=\"a &quot;title&quot;\" viewBox='0'><g id=\"p3-canvas\"><circle id='p3-gpDot'/>"
        "<use xlink:href='#p3-gpDot'/></g></svg>");
    EXPECT_THROW(as_element("", 1, "t"), BenchError);
}

} // namespace
} // namespace penguin::bench::report
