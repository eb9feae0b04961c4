#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/harness/patience.h"
#include "bench/report/headline.h"
#include "bench/report/section.h"

namespace penguin::bench::report {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

FiguresFile file(const std::string& verb, const std::string& options, const std::string& results)
{
    return parse_figures(
        R"({"verb":")" + verb +
            R"(","machine":{"cores":2,"model":"A CPU","memory_mb":24105,"load":0.5},"git":"abc","options":)" + options +
            R"(,"runs":[{}],"results":)" + results + "}",
        verb + ".json");
}

const std::string kAxis = R"({"axis":"queued","points":[{"value":10,"cpu_us_per_message":{"daemon":100,"redis":20}},
    {"value":100,"cpu_us_per_message":120,"rss_mb":50}],"exponent":0.01})";

TEST(ReportSections, ScaleMayBeOneAxisOrManyAndACostOfParts)
{
    for (const std::string& results :
         {kAxis, "[" + kAxis + "]", R"({"axes":[)" + kAxis + "]}", R"({"axes":)" + kAxis + "}"}) {
        Files files;
        files.push_back(file("scale", "{}", results));
        const Section section = growth(files).value();
        const Lines& lines = std::get<Lines>(section.charts.at(0));
        EXPECT_THAT(lines.series.at(0).points, ElementsAre(std::pair{10.0, 120.0}, std::pair{100.0, 120.0}));
        EXPECT_EQ(lines.series.at(1).name, "fit, exponent 0.01");
        EXPECT_THAT(section.says.back(), HasSubstr("the cost hardly changes"));
    }
}

TEST(ReportSections, ScaleWithoutAnExponentHasNoFit)
{
    Files files;
    files.push_back(
        file("scale", "{}", R"({"axis":"tenants","points":[{"value":1,"cpu_us_per_message":9}],"exponent":null})"));
    const Section section = growth(files).value();
    EXPECT_EQ(std::get<Lines>(section.charts.at(0)).series.size(), 1U);
}

TEST(ReportSections, RttHasACurveAnMtaAndExtension)
{
    Files files;
    files.push_back(file("rtt", "{}", R"([
        {"mta":"ours","extension":"chunking","delay_ms":100,"connections":1,"messages_per_round_trip":0.9},
        {"mta":"ours","extension":"chunking","delay_ms":10,"connections":1,"messages_per_round_trip":1},
        {"mta":"ours","extension":"chunking","delay_ms":0,"connections":1,"messages_per_round_trip":null},
        {"mta":"postfix","extension":"none","delay_ms":10,"connections":1,"messages_per_round_trip":0.25}])"));
    const Section section = round_trips(files).value();
    const Lines& lines = std::get<Lines>(section.charts.at(0));
    ASSERT_EQ(lines.series.size(), 2U);
    EXPECT_EQ(lines.series[0].name, "Postfix, no extension");
    EXPECT_EQ(lines.series[1].name, "penguin-mta, CHUNKING");
    EXPECT_THAT(lines.series[1].points, ElementsAre(std::pair{10.0, 1.0}, std::pair{100.0, 0.9}));
    EXPECT_THAT(section.tables.at(0).rows.at(0), ElementsAre("Postfix, no extension", "0.25", ""));
}

TEST(ReportSections, FairnessSetsEachFigureBesideItsBound)
{
    Files files;
    files.push_back(file("fairness", R"({"messages":100,"waiting":500000,"high":20,"tenants":1000})", R"({
        "equal":{"p95_ms":1234,"at_most":2000},"weighted":{"share_error":0.012,"at_most":0.05},
        "high":{"p95_ms":301,"at_most":500},"thousand":{"worst_ratio":0.95,"at_most":1.2}})"));
    const Table table = fair_shares(files).value().tables.at(0);
    ASSERT_EQ(table.rows.size(), 4U);
    EXPECT_THAT(table.rows[0],
                ElementsAre("100 messages beside 500,000 of another: milliseconds, 95 of 100", "1,234", "2,000"));
    EXPECT_THAT(table.rows[2], ElementsAre("shares of two who pay 1 to 3: off by", "0.01", "0.05"));
}

TEST(ReportSections, SustainSetsTheEngineBesideAFixedRate)
{
    Files files;
    files.push_back(file("sustain", "{}", R"({"sustainable_per_second":2,
        "engine":{"share":0.9,"deferred":0.015,"found_after_s":240,
                  "course":[{"seconds":0,"taken":0,"refused":0},{"seconds":30,"taken":10,"refused":0},
                            {"seconds":60,"taken":100,"refused":0},{"seconds":120,"taken":210,"refused":9}]},
        "naive":{"share":0.05,"deferred":0.95,"found_after_s":null,"course":[{"seconds":60,"taken":90,"refused":90}]}})"));
    const Section section = sustained(files).value();
    const Lines& lines = std::get<Lines>(section.charts.at(0));
    ASSERT_EQ(lines.series.size(), 3U);
    EXPECT_THAT(lines.series[0].points, ElementsAre(std::pair{1.0, 100.0}, std::pair{2.0, 110.0}));
    EXPECT_THAT(lines.series[2].points, ElementsAre(std::pair{1.0, 120.0}, std::pair{2.0, 120.0}));
    EXPECT_THAT(section.tables.at(0).rows.at(0), ElementsAre("penguin-mta", "90", "1.5", "240"));
    EXPECT_THAT(section.tables.at(0).rows.at(1), ElementsAre("a fixed rate", "5", "95", "never"));
}

TEST(ReportSections, CompareHasWhateverIsComparedAndNamesThePeer)
{
    Files files;
    files.push_back(file("compare", R"({"peer":"postfix"})", R"({"spread":1,
        "drain_unsigned":{"ours":4000,"peer":1000,"ratio_min":3,"ratio_median":4,"ratio_max":5}})"));
    const Bars bars = std::get<Bars>(peers(files).value().charts.at(0));
    EXPECT_THAT(bars.categories, ElementsAre("unsigned: 4 times"));
    EXPECT_EQ(bars.series.at(1).name, "Postfix");
    EXPECT_THAT(headline_of(files).says,
                ElementsAre("Beside Postfix on the same machine it sends 4 times as much unsigned mail."));
}

TEST(ReportSections, AFieldThatIsMissingIsNamed)
{
    Files files;
    files.push_back(file("compare", R"({"peer":"postfix"})", R"({"drain_unsigned":{"ours":4000}})"));
    try {
        sections_of(files);
        FAIL();
    } catch (const BenchError& error) {
        EXPECT_STREQ(error.what(), "compare.json: results.drain_unsigned.ratio_median is missing");
    }
}

TEST(ReportSections, ChartsWithoutDataAreLeftOut)
{
    Files files;
    files.push_back(file("submit", "{}", R"({"cases":[]})"));
    files.push_back(file("rtt", "{}", "[]"));
    for (const Section& section : sections_of(files)) EXPECT_TRUE(section.charts.empty()) << section.id;
}

TEST(ReportSections, NoFilesNoSections) { EXPECT_TRUE(sections_of({}).empty()); }

} // namespace
} // namespace penguin::bench::report
