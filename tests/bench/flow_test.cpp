#include "bench/flow/flow.h"

#include <gtest/gtest.h>

namespace penguin::bench {
namespace {

TEST(Arrivals, TheFirstOfEachRecipientCounts)
{
    const auto arrived = arrivals_in(R"({"time_ms":1000,"rcpt":"u7@d1.bench.test"}
{"time_ms":1005,"rcpt":"u12@d0.bench.test"}
{"time_ms":2000,"rcpt":"u7@d1.bench.test"}
)");
    EXPECT_EQ(arrived, (std::map<std::size_t, std::int64_t>{{7, 1'000}, {12, 1'005}}));
}

TEST(Arrivals, OthersAndALineThatIsNotWholeAreLeftOut)
{
    EXPECT_TRUE(arrivals_in("").empty());
    EXPECT_TRUE(arrivals_in(R"({"time_ms":1000,"rcpt":"postmaster@d1.bench.test"})").empty());
    EXPECT_TRUE(arrivals_in(R"({"time_ms":1000,"rcpt":"u7@d1)").empty());
}

} // namespace
} // namespace penguin::bench
