#include "control/warmup/warmup_rows.h"

#include <gtest/gtest.h>

namespace penguin::control {
namespace {

constexpr policy::Day kDay{std::chrono::sys_days{std::chrono::year{2026} / 3 / 10}};

policy::Day before(int days) { return kDay - std::chrono::days{days}; }

TEST(OutsideSignals, AreOfTheSourceAndOfTheProviderOrAll)
{
    const std::vector<SignalRow> rows{{"s", "", "complaints", "fbl", kDay, 2},
                                      {"s", "gmail", "complaints", "fbl", kDay, 3},
                                      {"s", "yahoo", "complaints", "fbl", kDay, 50},
                                      {"t", "", "complaints", "fbl", kDay, 90},
                                      {"s", "", "complaints", "jmrp", kDay, 1}};
    EXPECT_EQ(outside_of(rows, "s", "gmail", kDay).complaints, 6U);
    EXPECT_EQ(outside_of(rows, "s", "other", kDay).complaints, 3U);
    EXPECT_EQ(outside_of({}, "s", "gmail", kDay), policy::OutsideSignals{});
}

TEST(OutsideSignals, ComplaintsAreOfTheirDayAlone)
{
    const std::vector<SignalRow> rows{{"s", "", "complaints", "fbl", before(1), 7},
                                      {"s", "", "complaints", "fbl", kDay, 1}};
    EXPECT_EQ(outside_of(rows, "s", "gmail", kDay).complaints, 1U);
    EXPECT_EQ(outside_of(rows, "s", "gmail", before(1)).complaints, 7U);
}

TEST(OutsideSignals, AListingHoldsUntilItsOriginSaysOtherwiseOrAWeekIsOver)
{
    std::vector<SignalRow> rows{{"s", "", "listings", "zen", before(6), 1}, {"s", "", "listings", "cop", before(2), 1}};
    EXPECT_EQ(outside_of(rows, "s", "gmail", kDay).listings, 2U);
    rows.push_back({"s", "", "listings", "cop", before(1), 0});
    EXPECT_EQ(outside_of(rows, "s", "gmail", kDay).listings, 1U);
    EXPECT_EQ(outside_of(rows, "s", "gmail", before(2)).listings, 2U) << "as it was then";
    EXPECT_EQ(outside_of(rows, "s", "gmail", kDay + std::chrono::days{1}).listings, 0U) << "nobody has said it again";
}

TEST(OutsideSignals, OfMeasuredSharesTheHighestCounts)
{
    const std::vector<SignalRow> rows{{"s", "gmail", "complaint_share", "postmaster", before(1), 0.002},
                                      {"s", "", "complaint_share", "snds", before(1), 0.0005},
                                      {"s", "", "snds", "snds", kDay, 2}};
    EXPECT_EQ(outside_of(rows, "s", "gmail", kDay).complaint_share, 0.002);
    EXPECT_EQ(outside_of(rows, "s", "outlook", kDay).complaint_share, 0.0005);
}

} // namespace
} // namespace penguin::control
