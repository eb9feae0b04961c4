// The loop of lane and decisions in virtual time: 60 days against a provider whose patience is a number of messages a day.
#include <algorithm>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "engine/policy/warmup/decision.h"

namespace penguin::policy {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;

constexpr Day kDay{std::chrono::sys_days{std::chrono::year{2026} / 3 / 10}};
constexpr Duration kLook = 20s;

// Refuses everything over its patience of a day as too much; while hostile, most of what comes.
struct Provider {
    double patience = 60; // messages a day
    double growth = 1.25; // a day of good behaviour
    bool hostile = false;
    std::uint64_t heard = 0; // today

    BounceClass answer()
    {
        ++heard;
        if (hostile && heard % 5 != 0) return BounceClass::ip_reputation;
        return static_cast<double>(heard) > patience ? BounceClass::rate_limited : BounceClass::none;
    }
    void next_day()
    {
        patience *= hostile ? 0.5 : growth;
        heard = 0;
    }
};

struct Ran {
    std::map<Day, WarmupNumbers> days;
    std::vector<std::pair<Day, WarmupDecision>> decisions;
    std::uint64_t refused = 0, delivered = 0;
    double worst_hour = 0; // the largest difference to the even hour, as a part of it
    std::size_t stage = 0;
};

// `closed`: by the loop; else a calendar that goes a stage on each day whatever comes. Mail waits always.
Ran run(const WarmupPlan& plan, bool closed, Day hostile_from, Day hostile_to)
{
    Ran ran;
    Provider provider;
    WarmupState state;
    WarmupLane lane;
    for (Day day = kDay; day < kDay + days{60}; day += days{1}) {
        provider.hostile = day >= hostile_from && day < hostile_to;
        WarmupNumbers numbers;
        std::map<WallTime, std::uint64_t> hours;
        bool changed = false;
        for (WallTime now = day; now < day + days{1}; now += kLook) {
            const auto cap = plan.cap("gmail", state.stage);
            lane.apply({.cap = cap, .start = kDay, .stopped = state.stopped});
            if (numbers.counts.sent == 0) numbers.cap = cap;
            while (!lane.hold(now)) {
                lane.take(now);
                const BounceClass klass = provider.answer();
                lane.done(true, now);
                numbers.counts.add(klass, klass == BounceClass::none, klass == BounceClass::none);
                ++hours[std::chrono::floor<std::chrono::hours>(now)];
            }
            if (!closed) continue;
            if (const auto decision = decide_now(plan, state, day, numbers)) {
                state = after(state, *decision, day, day);
                ran.decisions.emplace_back(day, *decision);
                changed = true;
            }
        }
        EXPECT_LE(numbers.counts.sent, numbers.cap.value_or(1'000'000)) << "over its cap";
        const double even = static_cast<double>(numbers.cap.value_or(0)) / 24;
        if (even >= 100 && !changed)
            for (const auto& [hour, count] : hours)
                ran.worst_hour = std::max(ran.worst_hour, std::abs(static_cast<double>(count) - even) / even);
        ran.refused += numbers.counts.blocks + numbers.counts.deferrals;
        ran.delivered += numbers.counts.delivered;
        ran.days.emplace(day, numbers);
        provider.next_day();
        if (closed) {
            const WarmupDecision decision = decide_day(plan, state, day, numbers);
            state = after(state, decision, day, day + days{1});
            ran.decisions.emplace_back(day, decision);
        } else {
            state.stage = std::min(state.stage + 1, plan.last_stage());
        }
    }
    ran.stage = state.stage;
    return ran;
}

WarmupPlan plan_to(std::uint64_t most)
{
    WarmupPlan plan = *shipped_warmup_plan("steady");
    while (plan.caps.back() > most) plan.caps.pop_back();
    plan.ends = false;
    plan.shares = {{"gmail", 1}};
    return plan;
}

TEST(WarmupSimulation, GoesThroughItsStagesAtAPatientProvider)
{
    const Ran ran = run(plan_to(20'000), true, kDay, kDay);
    EXPECT_EQ(ran.stage, plan_to(20'000).last_stage());
    EXPECT_LE(ran.worst_hour, 0.10);
    for (std::size_t i = 1; i < ran.decisions.size(); ++i) {
        const WarmupDecision& decision = ran.decisions[i].second;
        EXPECT_EQ(decision.from, ran.decisions[i - 1].second.to) << "a stage moves by decisions alone";
        EXPECT_LE(decision.to, decision.from + 1);
        if (decision.to > decision.from) EXPECT_EQ(decision.reason, "used");
        if (decision.to < decision.from) EXPECT_NE(decision.reason, "used");
    }
}

TEST(WarmupSimulation, AHostileProviderIsAnsweredWithinADayAndTheWarmUpRecovers)
{
    const Day from = kDay + days{8};
    const Day to = kDay + days{13};
    const Ran ran = run(plan_to(20'000), true, from, to);
    std::size_t before = 0;
    for (const auto& [day, decision] : ran.decisions) {
        if (day < from) before = decision.to;
        if (day == from) {
            EXPECT_TRUE(decision.to < before || decision.move == WarmupMove::hold) << decision.reason;
        }
        if (day >= from && day < to) EXPECT_NE(decision.move, WarmupMove::advance);
    }
    std::size_t lowest = before;
    for (const auto& [day, decision] : ran.decisions)
        if (day >= from && day < to) lowest = std::min(lowest, decision.to);
    EXPECT_LT(lowest, before);
    EXPECT_GT(ran.stage, before) << "and on, when it is friendly again";

    const Ran calendar = run(plan_to(20'000), false, from, to);
    EXPECT_GT(calendar.refused, 4 * ran.refused) << "the same plan without feedback";
    EXPECT_LT(static_cast<double>(ran.refused) / static_cast<double>(ran.refused + ran.delivered), 0.1);
}

// Random days: whatever the numbers, a stage moves by one, never up on a day that was bad or little used.
TEST(WarmupSimulation, StagesMoveOnlyAsTheRulesSay)
{
    std::mt19937_64 random{11};
    const auto pick = [&](int low, int high) { return std::uniform_int_distribution{low, high}(random); };
    const WarmupPlan plan = plan_to(20'000);
    for (int system = 0; system < 500; ++system) {
        WarmupState state{.stage = static_cast<std::size_t>(pick(0, static_cast<int>(plan.last_stage())))};
        for (Day day = kDay; day < kDay + days{40}; day += days{1}) {
            WarmupNumbers numbers{.cap = plan.cap("gmail", state.stage)};
            numbers.counts.sent = static_cast<std::uint64_t>(pick(0, static_cast<int>(*numbers.cap)));
            const auto some = [&] {
                return static_cast<std::uint64_t>(numbers.counts.sent * static_cast<double>(pick(0, 20)) / 200);
            };
            numbers.counts.hard_bounces = some();
            numbers.counts.blocks = pick(0, 1) == 0 ? 0 : some();
            numbers.outside.listings = pick(0, 30) == 0 ? 1 : 0;
            const WarmupDecision decision = decide_day(plan, state, day, numbers);
            const double sent = static_cast<double>(numbers.counts.sent);
            if (decision.to > decision.from) {
                EXPECT_EQ(decision.to, decision.from + 1);
                EXPECT_GE(sent, 0.8 * static_cast<double>(*numbers.cap));
                EXPECT_LE(static_cast<double>(numbers.counts.hard_bounces), std::max(2.0, 0.02 * sent));
                EXPECT_LE(static_cast<double>(numbers.counts.blocks), std::max(2.0, 0.01 * sent));
                EXPECT_EQ(numbers.outside.listings, 0U);
            }
            if (decision.move == WarmupMove::step_back)
                EXPECT_EQ(decision.to + (decision.from > 0 ? 1 : 0), decision.from);
            state = after(state, decision, day, day + days{1});
        }
    }
}

} // namespace
} // namespace penguin::policy
