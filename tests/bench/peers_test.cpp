#include <gtest/gtest.h>

#include "bench/compare/compare.h"
#include "bench/peers/postfix.h"

namespace penguin::bench {
namespace {

namespace json = boost::json;

json::object run_of(double ratio)
{
    const json::object pair{{"ours", 100 * ratio}, {"peer", 100.0}, {"ratio", ratio}};
    return {{"drain_unsigned", pair}, {"signed_whole_way", pair}};
}

TEST(PeerSettings, NamesInBracesAreFilledInAndOtherBracesStay)
{
    EXPECT_EQ(filled("a = {one} ${one} {two}{one}", {{"one", "{two}"}, {"two", "2"}}), "a = 2 $2 22");
    EXPECT_EQ(filled("{unknown} {", {{"one", "1"}}), "{unknown} {");
}

TEST(CompareResults, ARatioIsOfAPairNotOfMedians)
{
    const json::object results = compare_results({run_of(10), run_of(30), run_of(20)});
    const json::value& drain = results.at("drain_unsigned");
    EXPECT_EQ(drain.at("ours").as_double(), 2'000);
    EXPECT_EQ(drain.at("peer").as_double(), 100);
    EXPECT_EQ(drain.at("ratio_min").as_double(), 10);
    EXPECT_EQ(drain.at("ratio_median").as_double(), 20);
    EXPECT_EQ(drain.at("ratio_max").as_double(), 30);
}

TEST(Peer, AnUnknownNameIsRefusedByName)
{
    try {
        make_peer("qmail", {});
        FAIL();
    } catch (const BenchError& error) {
        EXPECT_STREQ(error.what(), "no peer 'qmail'");
    }
}

} // namespace
} // namespace penguin::bench
