#include "bench/micro/compared.h"

#include <gtest/gtest.h>

namespace penguin::bench::micro {
namespace {

namespace json = boost::json;

const std::vector<Measured> kMeasured{
    {.name = "dkim/rsa2048/10240", .cpu_ns = 300'000, .limits = "rsa2048+sha256/10240"},
    {.name = "body/check", .cpu_ns = 50, .octets_a_second = 2e9, .limits = "memcpy/100"},
    {.name = "dns_cache/hit", .cpu_ns = 170}};
const std::map<std::string, double> kLimits{{"rsa2048", 240'000}, {"sha256/10240", 10'000}, {"memcpy/100", 5}};

TEST(MicroCompared, LimitsAreNamedWithPlusBetween)
{
    EXPECT_EQ(limit_names("rsa2048+sha256/10240"), (std::vector<std::string>{"rsa2048", "sha256/10240"}));
    EXPECT_TRUE(limit_names("").empty());
    EXPECT_EQ(limits_of(kMeasured), (std::set<std::string>{"memcpy/100", "rsa2048", "sha256/10240"}));
}

TEST(MicroCompared, ARatioIsToTheSumOfItsLimits)
{
    const json::object all = compared(kMeasured, kLimits);
    const json::object& signing = all.at("dkim/rsa2048/10240").as_object();
    EXPECT_DOUBLE_EQ(signing.at("limit_ns").as_double(), 250'000);
    EXPECT_DOUBLE_EQ(signing.at("ratio").as_double(), 1.2);
    EXPECT_DOUBLE_EQ(all.at("body/check").at("ratio").as_double(), 10);
    EXPECT_DOUBLE_EQ(all.at("body/check").at("octets_per_second").as_double(), 2e9);
    EXPECT_FALSE(all.at("dns_cache/hit").as_object().contains("ratio"));
}

TEST(MicroCompared, ALimitThatWasNotMeasuredGivesNoRatio)
{
    const json::object all = compared(kMeasured, {{"rsa2048", 240'000}});
    EXPECT_FALSE(all.at("dkim/rsa2048/10240").as_object().contains("ratio"));
}

json::object run(double nanos)
{
    return {{"benchmarks", {{"dkim/rsa2048/10240", {{"ns", nanos}, {"limit", "rsa2048"}, {"ratio", nanos / 100}}}}},
            {"limits_ns", {{"rsa2048", nanos / 2}}}};
}

TEST(MicroCompared, ResultsAreMediansOfTheRuns)
{
    const json::object results = results_of_runs({run(3'000), run(1'000), run(2'000)});
    const json::value& signing = results.at("benchmarks").at("dkim/rsa2048/10240");
    EXPECT_DOUBLE_EQ(signing.at("ns").as_double(), 2'000);
    EXPECT_DOUBLE_EQ(signing.at("ratio").as_double(), 20);
    EXPECT_EQ(signing.at("limit").as_string(), "rsa2048");
    EXPECT_DOUBLE_EQ(results.at("limits_ns").at("rsa2048").as_double(), 1'000);
    EXPECT_DOUBLE_EQ(results.at("dkim_us").at("rsa2048").as_double(), 2);
    EXPECT_FALSE(results.at("dkim_us").as_object().contains("ed25519"));
}

TEST(MicroCompared, TheTableHasABlankWhereThereIsNoLimit)
{
    const std::string text = table_of({{"benchmarks", compared(kMeasured, kLimits)}});
    EXPECT_TRUE(text.contains("300.00 us"));
    EXPECT_TRUE(text.contains("1.20\n"));
    EXPECT_TRUE(text.contains("170.0 ns\n"));
}

} // namespace
} // namespace penguin::bench::micro
