#include "engine/policy/warmup/decision.h"

#include <gtest/gtest.h>

namespace penguin::policy {
namespace {

constexpr Day kDay{std::chrono::sys_days{std::chrono::year{2026} / 3 / 10}};

const WarmupPlan& plan() { return *shipped_warmup_plan("cold"); }

struct Case {
    const char* name;
    WarmupState state;
    WarmupNumbers numbers;
    WarmupMove move;
    std::size_t to;
    const char* reason;
};

WarmupState stage(std::size_t n) { return {.stage = n, .last_sent = kDay - std::chrono::days{1}}; }

WarmupNumbers numbers(std::uint64_t sent, WarmupCounts more = {}, OutsideSignals outside = {})
{
    more.sent = sent;
    return {.cap = 100, .counts = more, .outside = outside};
}

const Case kDays[] = {
    {"Used", stage(3), numbers(80), WarmupMove::advance, 4, "used"},
    {"UsedALittleLess", stage(3), numbers(79), WarmupMove::hold, 3, "unused"},
    {"NothingSent", stage(3), numbers(0), WarmupMove::hold, 3, "unused"},
    {"FewBounces", stage(3), numbers(100, {.hard_bounces = 2}), WarmupMove::advance, 4, "used"},
    {"SomeBounces", stage(3), numbers(100, {.hard_bounces = 3}), WarmupMove::hold, 3, "hard_bounces"},
    {"ManyBounces", stage(3), numbers(100, {.hard_bounces = 6}), WarmupMove::step_back, 2, "hard_bounces"},
    {"ManyBouncesOfFew", stage(3), numbers(4, {.hard_bounces = 2}), WarmupMove::hold, 3, "unused"},
    {"Blocks", stage(3), numbers(100, {.blocks = 6}), WarmupMove::step_back, 2, "blocks"},
    {"Deferrals", stage(3), numbers(100, {.deferrals = 11}), WarmupMove::hold, 3, "deferrals"},
    {"ManyDeferrals", stage(3), numbers(100, {.deferrals = 31}), WarmupMove::step_back, 2, "deferrals"},
    {"Complaints", stage(3), numbers(100, {}, {.complaints = 2}), WarmupMove::step_back, 2, "complaints"},
    {"OneComplaint", stage(3), numbers(100, {}, {.complaints = 1}), WarmupMove::advance, 4, "used"},
    {"MeasuredComplaints", stage(3), numbers(100, {}, {.complaint_share = 0.002}), WarmupMove::hold, 3, "complaints"},
    {"Listed", stage(3), numbers(100, {}, {.listings = 1}), WarmupMove::stop, 3, "listed"},
    {"BadOnTheFirstStage", stage(0), numbers(100, {.blocks = 50}), WarmupMove::step_back, 0, "blocks"},
    {"Full", stage(22), numbers(100), WarmupMove::hold, 22, "full"},
    {"BeyondTheEnd", stage(99), numbers(100), WarmupMove::hold, 22, "full"},
    {"SteppedBackAlready",
     {.stage = 3, .stepped_back = kDay},
     numbers(100, {.blocks = 50}),
     WarmupMove::hold,
     3,
     "stepped_back"},
    {"ByHand", {.stage = 3, .cap = 7}, numbers(100, {.blocks = 50}), WarmupMove::hold, 3, "set_by_hand"},
    {"Idle", {.stage = 9, .last_sent = kDay - std::chrono::days{31}}, numbers(0), WarmupMove::restart, 0, "idle"},
    {"NotYetIdle", {.stage = 9, .last_sent = kDay - std::chrono::days{30}}, numbers(0), WarmupMove::hold, 9, "unused"},
};

class WarmupDay : public testing::TestWithParam<Case> {};

TEST_P(WarmupDay, IsDecidedByItsNumbers)
{
    const Case& row = GetParam();
    const WarmupDecision decision = decide_day(plan(), row.state, kDay, row.numbers);
    EXPECT_EQ(name_of(decision.move), name_of(row.move));
    EXPECT_EQ(decision.from, row.state.stage);
    EXPECT_EQ(decision.to, row.to);
    EXPECT_EQ(decision.reason, row.reason);
    EXPECT_EQ(decision.numbers, row.numbers);
}

INSTANTIATE_TEST_SUITE_P(Rows, WarmupDay, testing::ValuesIn(kDays), [](const auto& row) { return row.param.name; });

TEST(WarmupDecision, APlanThatEndsBecomesWarmAndCanFallBack)
{
    const WarmupPlan& ends = *shipped_warmup_plan("sparkpost");
    WarmupNumbers good = numbers(95);
    const WarmupState last = stage(ends.caps.size() - 1);
    EXPECT_EQ(decide_day(ends, last, kDay, good).to, ends.caps.size());
    good.cap.reset();
    const WarmupState warm = stage(ends.caps.size());
    EXPECT_EQ(decide_day(ends, warm, kDay, good).reason, "warm");
    EXPECT_EQ(decide_day(ends, warm, kDay, numbers(100, {.blocks = 50})).to, ends.caps.size() - 1);
}

TEST(WarmupDecision, ASampleIsNeededAtOnceAndOnceADay)
{
    EXPECT_FALSE(decide_now(plan(), stage(3), kDay, numbers(19, {.blocks = 19})));
    const auto bad = decide_now(plan(), stage(3), kDay, numbers(20, {.blocks = 19}));
    ASSERT_TRUE(bad);
    EXPECT_EQ(bad->move, WarmupMove::step_back);
    EXPECT_EQ(bad->to, 2U);
    EXPECT_EQ(bad->reason, "blocks");
    EXPECT_FALSE(decide_now(plan(), stage(3), kDay, numbers(100, {.hard_bounces = 4}))) << "over hold only";

    const WarmupState after_it = after(stage(3), *bad, kDay, kDay);
    EXPECT_EQ(after_it.stage, 2U);
    EXPECT_FALSE(decide_now(plan(), after_it, kDay, numbers(200, {.blocks = 190})));
    EXPECT_TRUE(decide_now(plan(), after_it, kDay + std::chrono::days{1}, numbers(200, {.blocks = 190})));
}

TEST(WarmupDecision, AListingStopsTheDayAndGoesOneStageBackOnce)
{
    const auto listed = decide_now(plan(), stage(3), kDay, numbers(0, {}, {.listings = 1}));
    ASSERT_TRUE(listed);
    EXPECT_EQ(listed->move, WarmupMove::stop);
    EXPECT_EQ(listed->to, 2U);
    const WarmupState stopped = after(stage(3), *listed, kDay, kDay);
    EXPECT_EQ(stopped.stopped, kDay);
    EXPECT_FALSE(decide_now(plan(), stopped, kDay, numbers(0, {}, {.listings = 1})));

    const WarmupDecision still = decide_day(plan(), stopped, kDay, numbers(0, {}, {.listings = 1}));
    EXPECT_EQ(still.to, 2U) << "as long as it is listed it stands still and loses no more";
    const WarmupState next = after(stopped, still, kDay, kDay + std::chrono::days{1});
    EXPECT_EQ(next.stopped, kDay + std::chrono::days{1});
    EXPECT_EQ(decide_day(plan(), next, kDay + std::chrono::days{1}, numbers(0)).move, WarmupMove::hold);

    const WarmupState by_hand{.stage = 3, .cap = 7};
    EXPECT_EQ(decide_now(plan(), by_hand, kDay, numbers(0, {}, {.listings = 1}))->to, 3U);
}

TEST(WarmupDecision, RemembersWhenItSentLast)
{
    WarmupState state = stage(5);
    state = after(state, decide_day(plan(), state, kDay, numbers(100)), kDay, kDay + std::chrono::days{1});
    EXPECT_EQ(state.last_sent, kDay);
    EXPECT_EQ(state.stage, 6U);
    const Day later = kDay + std::chrono::days{40};
    state = after(state, decide_day(plan(), state, later, numbers(0)), later, later);
    EXPECT_EQ(state.stage, 0U);
    EXPECT_FALSE(state.last_sent) << "so that it does not restart each day";
}

TEST(WarmupCounts, AreByWhoIsToBlame)
{
    WarmupCounts counts;
    counts.add(BounceClass::none, true, true);
    counts.add(BounceClass::invalid_recipient, false, true);
    counts.add(BounceClass::mailbox_disabled, false, false); // tried again
    counts.add(BounceClass::ip_reputation, false, false);
    counts.add(BounceClass::blocklisted, false, true);
    counts.add(BounceClass::rate_limited, false, false);
    counts.add(BounceClass::mailbox_full, false, false);
    EXPECT_EQ(counts, (WarmupCounts{.sent = 7, .delivered = 1, .hard_bounces = 1, .blocks = 2, .deferrals = 1}));
}

} // namespace
} // namespace penguin::policy
