#include "engine/policy/warmup/plan.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/policy/rule_book.h"

namespace penguin::policy {
namespace {

using testing::HasSubstr;

constexpr std::string_view kGood = R"(
[[plan]]
name = "own"
origin = "Us."
caps = [10, 20, 40]
ends = true
used_enough = 0.5
hour_times = 3
idle = "10d"
verified = false
note = "Guessed."
shares = { gmail = 0.75, other = 0.25 }
[plan.limits]
hard_bounces = { hold = 0.02, back = 0.05, least = 7 }
blocks = { hold = 0.01, back = 0.05 }
deferrals = { hold = 0.1, back = 0.3 }
complaints = { hold = 0.001, back = 0.003 }
)";

// `what` of the good plan is `with` instead; gives all problems, one a line.
std::string problems_with(const std::string& what, const std::string& with)
{
    std::string text{kGood};
    text.replace(text.find(what), what.size(), with);
    const auto plans = parse_warmup_plans(text, "own.toml");
    std::string out;
    if (!plans)
        for (const RuleProblem& problem : plans.error()) out += text_of(problem) + "\n";
    return out;
}

TEST(WarmupPlan, SaysEverythingThatAPlanCan)
{
    const auto plans = parse_warmup_plans(kGood, "own.toml");
    ASSERT_TRUE(plans) << text_of(plans.error().front());
    ASSERT_EQ(plans->size(), 1U);
    const WarmupPlan& plan = plans->front();
    EXPECT_EQ(plan.name, "own");
    EXPECT_EQ(plan.caps, (std::vector<std::uint64_t>{10, 20, 40}));
    EXPECT_TRUE(plan.ends);
    EXPECT_EQ(plan.used_enough, 0.5);
    EXPECT_EQ(plan.hour_times, 3);
    EXPECT_EQ(plan.idle_most, std::chrono::days{10});
    EXPECT_FALSE(plan.verified);
    EXPECT_EQ(plan.limit(WarmupSignal::hard_bounces), (WarmupLimit{0.02, 0.05, 7}));
    EXPECT_EQ(plan.limit(WarmupSignal::complaints).least, 3U);
}

TEST(WarmupPlan, AProviderHasItsShareAndAllOthersHaveOneTogether)
{
    const WarmupPlan plan = parse_warmup_plans(kGood, "own.toml").value().front();
    EXPECT_EQ(plan.share_of("gmail"), "gmail");
    EXPECT_EQ(plan.share_of("yahoo"), "other");
    EXPECT_EQ(plan.share_of(""), "other");
    EXPECT_EQ(plan.cap("gmail", 0), 8U) << "7.5, rounded";
    EXPECT_EQ(plan.cap("other", 2), 10U);
    EXPECT_EQ(plan.last_stage(), 3U);
    EXPECT_EQ(plan.cap("gmail", 3), std::nullopt) << "it ended";
    WarmupPlan endless = plan;
    endless.ends = false;
    EXPECT_EQ(endless.last_stage(), 2U);
    EXPECT_EQ(endless.cap("gmail", 9), 30U);
    endless.caps = {1};
    EXPECT_EQ(endless.cap("other", 0), 1U) << "each share is at least one message";
}

struct Wrong {
    const char* name;
    const char* what;
    const char* with;
    const char* problem;
};

class WarmupPlanWrong : public testing::TestWithParam<Wrong> {};

TEST_P(WarmupPlanWrong, IsRefusedByItsField)
{
    EXPECT_THAT(problems_with(GetParam().what, GetParam().with), HasSubstr(GetParam().problem));
}

INSTANTIATE_TEST_SUITE_P(
    Fields, WarmupPlanWrong,
    testing::Values(Wrong{"NoCaps", "caps = [10, 20, 40]", "", "own: caps: is needed"},
                    Wrong{"ZeroCap", "[10, 20, 40]", "[10, 0]", "own: caps: is needed: 1 to 400 numbers"},
                    Wrong{"TextCap", "[10, 20, 40]", "[10, \"x\"]", "own: caps: is needed"},
                    Wrong{"FallingCaps", "[10, 20, 40]", "[10, 5]", "own: caps: must not fall"},
                    Wrong{"Shares", "gmail = 0.75", "gmail = 0.5", "own: shares: must add up to 1, not to 0.750"},
                    Wrong{"NoOther", "other = 0.25", "yahoo = 0.25", "own: shares: must name other"},
                    Wrong{"ShareText", "gmail = 0.75", "gmail = 'much'", "own: gmail: must be a number from"},
                    Wrong{"Used", "used_enough = 0.5", "used_enough = 80",
                          "own: used_enough: must be a number from 0 to 1"},
                    Wrong{"BackUnderHold", "hold = 0.02, back = 0.05", "hold = 0.2, back = 0.05",
                          "own: back: must not be under hold"},
                    Wrong{"NoLimit", "blocks = { hold = 0.01, back = 0.05 }", "", "own: blocks: is needed"},
                    Wrong{"OtherSignal", "blocks =", "opens = { hold = 0.1 }\nblocks =", "own: opens: unknown key"},
                    Wrong{"NoOrigin", "origin = \"Us.\"", "", "own: origin: is needed"},
                    Wrong{"Unknown", "ends = true", "end = true", "own: end: unknown key"},
                    Wrong{"NoToml", "[[plan]]", "[[plan]", "own.toml:2"},
                    Wrong{"OtherTable", "[[plan]]", "[[plant]]", "plant: here are at most 100 tables: [[plan]]"}),
    [](const auto& row) { return row.param.name; });

TEST(WarmupPlan, TwoOfOneNameAreRefused)
{
    const auto plans = parse_warmup_plans(std::string{kGood} + std::string{kGood}, "own.toml");
    ASSERT_FALSE(plans);
    EXPECT_EQ(text_of(plans.error().front()), "own.toml: own: name: there are two plans of this name");
}

TEST(WarmupPlan, TheShippedOnesAreThePublishedNumbers)
{
    ASSERT_GE(shipped_warmup_plans().size(), 9U);
    EXPECT_EQ(shipped_warmup_plan("nobody's"), nullptr);
    const WarmupPlan& sparkpost = *shipped_warmup_plan("sparkpost");
    EXPECT_EQ(sparkpost.caps.front(), 200U);
    EXPECT_EQ(sparkpost.caps[8], 50'000U);
    EXPECT_EQ(sparkpost.caps.back(), 10'000'000U);
    EXPECT_EQ(sparkpost.caps.size(), 29U);
    EXPECT_EQ(sparkpost.used_enough, 0.9) << "its own rule";
    EXPECT_EQ(shipped_warmup_plan("sendgrid-automatic")->caps[7], 5'064U);
    EXPECT_EQ(shipped_warmup_plan("sendgrid-automatic")->caps[20], 401'616U);
    EXPECT_EQ(shipped_warmup_plan("sendgrid-2017")->caps[4], 5'000U);
    EXPECT_EQ(shipped_warmup_plan("cold")->caps[3], 40U);
    EXPECT_EQ(shipped_warmup_plan("mailrush")->caps.size(), 91U);
    EXPECT_FALSE(shipped_warmup_plan("cold")->verified);
}

TEST(WarmupPlan, TheShippedOnesNameProvidersOfTheRuleBook)
{
    for (const WarmupPlan& plan : shipped_warmup_plans())
        for (const auto& [share, part] : plan.shares)
            EXPECT_TRUE(share == kOtherProviders || shipped_rules()->provider(share) != nullptr)
                << plan.name << ": " << share;
}

} // namespace
} // namespace penguin::policy
