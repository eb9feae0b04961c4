#include "control/settings/rules_in_force.h"

#include <stdexcept>

#include <gtest/gtest.h>

namespace penguin::control {
namespace {

const std::string kOwn = "[[rule]]\nid = 'own'\nsays = 'code 7'\nclass = 'rate_limited'\nkind = 'retry'\n";
const std::string kOther = "[[rule]]\nid = 'other'\nsays = 'code 8'\nclass = 'rate_limited'\nkind = 'retry'\n";

StoredRules version(std::int64_t number, const std::string& text, int day = 0)
{
    return {number, WallTime{std::chrono::days{day}}, text};
}

class RulesInForceTest : public testing::Test {
protected:
    std::string decides(int code, std::string text) const
    {
        const auto reply = policy::normalised(smtp::Reply::make(code, {std::move(text)}));
        const policy::RulePtr rule = rules_.book()->find("", smtp::Phase::rcpt, reply);
        return rule ? rule->id : "";
    }
    std::string metric(const std::string& name) const
    {
        const std::string all = metrics_.expose();
        const std::size_t at = all.find("\n" + name + " ") + name.size() + 2;
        return all.substr(at, all.find('\n', at) - at);
    }

    Registry metrics_;
    RulesInForce rules_{policy::shipped_rule_file(), metrics_};
};

TEST_F(RulesInForceTest, NothingStoredIsTheLayersOfTheNode)
{
    EXPECT_EQ(rules_.book()->rules().size(), policy::shipped_rules()->rules().size());
    EXPECT_EQ(rules_.stored().number, 0);
    EXPECT_EQ(rules_.trouble(), "");
    EXPECT_FALSE(rules_.apply({}));
}

TEST_F(RulesInForceTest, AVersionStandsOverThemAndGoesWithTheNext)
{
    EXPECT_TRUE(rules_.apply(version(1, kOwn)));
    EXPECT_EQ(decides(450, "code 7"), "own");
    EXPECT_EQ(rules_.book()->rules().front()->origin, policy::RuleOrigin::stored);
    EXPECT_EQ(rules_.book()->rules().back()->origin, policy::RuleOrigin::shipped);
    EXPECT_FALSE(rules_.apply(version(1, kOwn))) << "it is there";
    EXPECT_TRUE(rules_.apply(version(2, kOther)));
    EXPECT_EQ(decides(450, "code 7"), "");
    EXPECT_EQ(decides(450, "code 8"), "other");
    EXPECT_EQ(metric("penguin_rules_version"), "2");
    EXPECT_TRUE(rules_.apply({}));
    EXPECT_EQ(decides(450, "code 8"), "");
}

TEST_F(RulesInForceTest, OneThatCannotBeUsedLeavesTheOneBefore)
{
    rules_.apply(version(1, kOwn));
    const auto before = rules_.book();
    EXPECT_FALSE(rules_.apply(version(2, "[[rule]]\nid = 'x'\noff = true\n")));
    EXPECT_EQ(rules_.book(), before);
    EXPECT_EQ(rules_.stored().number, 1);
    EXPECT_EQ(rules_.seen().number, 2) << "it need not be read again";
    EXPECT_EQ(rules_.trouble(),
              "version 2 cannot be used here, 1 stays in force: rules: x: off: there is no such rule");
    EXPECT_EQ(metric("penguin_rules_refused_version"), "2");
    EXPECT_EQ(metric("penguin_rules_version"), "1");
    EXPECT_TRUE(rules_.apply(version(3, kOther)));
    EXPECT_EQ(rules_.trouble(), "");
    EXPECT_EQ(metric("penguin_rules_refused_version"), "0");
}

TEST_F(RulesInForceTest, TheOneInForceMayComeBackAsTheNewest)
{
    rules_.apply(version(1, kOwn));
    const auto before = rules_.book();
    rules_.apply(version(2, "nonsense"));
    EXPECT_FALSE(rules_.apply(version(1, kOwn)));
    EXPECT_EQ(rules_.book(), before) << "lanes need not ask anew";
    EXPECT_EQ(rules_.trouble(), "");
}

TEST_F(RulesInForceTest, ANumberOfARestoredDatabaseIsAnotherVersion)
{
    rules_.apply(version(1, kOwn));
    EXPECT_TRUE(rules_.apply(version(1, kOther, 1)));
    EXPECT_EQ(decides(450, "code 8"), "other");
}

TEST(RulesInForce, TheFileOfTheNodeIsBelowWhatIsStored)
{
    Registry metrics;
    const auto layers = policy::layer_over(policy::shipped_rule_file(), kOwn, "own.toml", policy::RuleOrigin::file);
    RulesInForce rules{*layers, metrics};
    EXPECT_TRUE(rules.apply(version(1, "[[rule]]\nid = 'own'\noff = true\n")));
    EXPECT_EQ(rules.book()->rules().size(), policy::shipped_rules()->rules().size());
    EXPECT_FALSE(rules.over_layers("[[rule]]\nid = 'other'\noff = true\n"));
}

TEST(RulesInForce, LayersThatMakeNoBookAreAMistakeOfTheProgram)
{
    Registry metrics;
    policy::RuleFile twice;
    twice.providers = {policy::Provider{.name = "a", .mx = {"x"}, .note = {}},
                       policy::Provider{.name = "a", .mx = {"y"}, .note = {}}};
    EXPECT_THROW((RulesInForce{twice, metrics}), std::invalid_argument);
}

} // namespace
} // namespace penguin::control
