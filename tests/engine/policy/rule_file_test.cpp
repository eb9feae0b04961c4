#include "engine/policy/rule_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/policy/shipped_rules.h"

namespace penguin::policy {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

RuleFile good(std::string_view text)
{
    auto file = parse_rule_file(text, "r.toml");
    if (file) return *file;
    ADD_FAILURE() << text_of(file.error().front());
    return {};
}

TEST(RuleFile, SaysEverythingThatARuleCan)
{
    const RuleFile file = good(R"(
[[provider]]
name = "acme"
mx = ["MX.acme.example", "acme.net"]
connections = 3
messages_per_connection = 20
tls_required = true
verified = false
note = "Heard of."

[[rule]]
id = "acme-4.7.28"
provider = "acme"
phases = ["mail", "rcpt"]
codes = [421, "450-459"]
enhanced = ["x.7.28", "5.7.606-649"]
says = ['unusual\s+rate', "your ip"]
class = "rate_limited"
kind = "retry"
wait = "10m"
life = "1d"
reactions = [{ do = "pause", scope = "lane", for = "10m", count = 3, within = "1h" }, { do = "one_connection" }]
verified = false
note = "Unsure."

[[rule]]
id = "any-unknown"
phases = "rcpt"
codes = "5xx"
says = 'no such user'
class = "invalid_recipient"
suppress = true

[[rule]]
id = "old"
off = true
)");
    const Provider acme{.name = "acme",
                        .mx = {"mx.acme.example", "acme.net"},
                        .connections = 3,
                        .messages_per_connection = 20,
                        .tls_required = true,
                        .verified = false,
                        .note = "Heard of."};
    EXPECT_THAT(file.providers, ElementsAre(acme));
    ASSERT_EQ(file.rules.size(), 2U);
    const ReplyRule first{.id = "acme-4.7.28",
                          .providers = {"acme"},
                          .phases = {smtp::Phase::mail, smtp::Phase::rcpt},
                          .codes = {{421, 421}, {450, 459}},
                          .enhanced = {*EnhancedRange::parse("x.7.28"), *EnhancedRange::parse("5.7.606-649")},
                          .says = {"unusual\\s+rate", "your ip"},
                          .klass = BounceClass::rate_limited,
                          .kind = ReplyRule::Kind::retry,
                          .wait = 10min,
                          .life = 24h,
                          .reactions = {{.kind = ReactionKind::pause,
                                         .scope = PauseScope::lane,
                                         .length = 10min,
                                         .trigger = Trigger{3, 1h}},
                                        {.kind = ReactionKind::one_connection}},
                          .verified = false,
                          .note = "Unsure."};
    EXPECT_EQ(file.rules[0], first);
    EXPECT_TRUE(file.rules[1].suppress && file.rules[1].verified && file.rules[1].providers.empty());
    EXPECT_THAT(file.off, ElementsAre("old"));
}

TEST(RuleFile, EachShippedFileIsRight)
{
    for (const ShippedRules& shipped : kShippedRules) {
        const auto file = parse_rule_file(shipped.text, shipped.name);
        EXPECT_TRUE(file) << text_of(file.error().front());
    }
    EXPECT_EQ(kShippedRules.size(), 10U);
}

struct WrongCase {
    const char* name;
    const char* text;
    const char* problem;
};

// A rule that is right but for the lines that are added to it.
#define RULE "[[rule]]\nid = 'r'\nclass = 'spam_content'\n"

const WrongCase kWrong[] = {
    {"Syntax", "[[rule]\n", "r.toml:1: "},
    {"UnknownTable", "[rules]\n", "r.toml:1: rules: unknown key; known here: provider, rule"},
    {"NoArray", "rule = 1\n", "r.toml:1: rule: must be at most 2000 tables: [[rule]]"},
    {"NoId", "[[rule]]\nclass = 'spam_content'\ncodes = [550]\n", "r.toml:1: id: is needed: 1 to 64 of a-z 0-9 . - _"},
    {"IdOfOtherOctets", "[[rule]]\nid = 'A b'\nclass = 'spam_content'\ncodes = [550]\n", "r.toml:2: id: is needed"},
    {"UnknownKey", RULE "codes = [550]\ncode = 1\n", "r.toml:5: r: code: unknown key; known here: class, codes"},
    {"NoClass", "[[rule]]\nid = 'r'\ncodes = [550]\n", "r.toml:1: r: class: is needed: a bounce class"},
    {"UnknownClass", "[[rule]]\nid = 'r'\nclass = 'bad'\ncodes = [550]\n",
     R"(r.toml:3: r: class: "bad" is no bounce class)"},
    {"ClassOfOurs", "[[rule]]\nid = 'r'\nclass = 'suppressed'\ncodes = [450]\n",
     R"(r.toml:3: r: class: "suppressed" is not for what servers say)"},
    {"FitsEverything", RULE, "r.toml:1: r: one of codes, enhanced and says is needed"},
    {"CodeOfSuccess", RULE "codes = [250]\n", R"(r.toml:4: r: codes: "250" is not a reply code such as 421)"},
    {"EmptyCodes", RULE "codes = []\n", "r.toml:4: r: codes: must be a text or an array of 1 to 64 texts"},
    {"Enhanced", RULE "enhanced = ['7.28']\n", R"(r.toml:4: r: enhanced: "7.28" is not an enhanced code)"},
    {"Phase", RULE "codes = [550]\nphases = ['connect']\n", R"(r.toml:5: r: phases: "connect" is not one of greeting)"},
    {"Pattern", RULE "says = ['(']\n", R"(r.toml:4: r: says: "(": no RE2 pattern: missing ): ()"},
    {"PatternThatFitsAll", RULE "says = ['x*']\n", R"(r.toml:4: r: says: "x*": it fits every reply)"},
    {"TooManyPatterns", RULE "says = ['1','2','3','4','5','6','7','8','9']\n",
     "r.toml:4: r: says: must be a text or an array of 1 to 8"},
    {"Kind", RULE "codes = [550]\nkind = 'drop'\n", R"(r.toml:5: r: kind: must be "retry" or "bounce")"},
    {"WaitWithBounce", RULE "codes = [550]\nkind = 'bounce'\nwait = '1m'\n", "r.toml:6: r: wait: has no meaning"},
    {"Wait", RULE "codes = [450]\nwait = '1500ms'\n", R"(r.toml:5: r: wait: must be a time such as "90s")"},
    {"WaitTooLong", RULE "codes = [450]\nwait = '8d'\n", "whole seconds, at most 7d"},
    {"SuppressAnywhere", RULE "codes = [550]\nsuppress = true\n",
     "r.toml:1: r: phases: a rule that suppresses must name phases"},
    {"SuppressAtMail", RULE "codes = [550]\nsuppress = true\nphases = ['mail', 'rcpt']\n",
     "r.toml:6: r: phases: a rule that"},
    {"SuppressReactionAnywhere", RULE "codes = [550]\nreactions = [{do = 'suppress'}]\n",
     "r: phases: a rule that suppresses"},
    {"SuppressAndRetry", RULE "codes = [450]\nsuppress = true\nphases = 'rcpt'\nkind = 'retry'\n",
     "r.toml:5: r: suppress: has no"},
    {"NoReaction", RULE "codes = [550]\nreactions = [{do = 'sleep'}]\n",
     "r.toml:5: r: do: must be one of suppress, slow"},
    {"ReactionsThatAreNone", RULE "codes = [550]\nreactions = ['alert']\n",
     "r.toml:5: r: reactions: must be an array of 1 to 8 tables"},
    {"PauseOfNothing", RULE "codes = [550]\nreactions = [{do = 'pause'}]\n",
     R"(r: scope: is needed with do = "pause")"},
    {"PauseOfTheMoon", RULE "codes = [550]\nreactions = [{do = 'pause', scope = 'moon'}]\n",
     "r: scope: must be one of recipient_domain"},
    {"ScopeOfAnAlert", RULE "codes = [550]\nreactions = [{do = 'alert', scope = 'lane'}]\n",
     R"(r: scope: has no meaning with do = "alert")"},
    {"SlowForEver", RULE "codes = [550]\nreactions = [{do = 'slow'}]\n", R"(r: for: is needed with do = "slow")"},
    {"CountAlone", RULE "codes = [550]\nreactions = [{do = 'alert', count = 3}]\n",
     "r: within: count and within are given together"},
    {"WordInAReaction", RULE "codes = [550]\nreactions = [{do = 'alert', when = 1}]\n", "r: when: unknown key"},
    {"OffAndMore", "[[rule]]\nid = 'r'\noff = true\nclass = 'spam_content'\n",
     "r.toml:4: r: class: unknown key; known here: id, off"},
    {"ProviderWithoutMx", "[[provider]]\nname = 'p'\n", "r.toml:1: p: mx: is needed"},
    {"ProviderMx", "[[provider]]\nname = 'p'\nmx = ['a b']\n", R"(r.toml:3: p: mx: "a b" is no host name)"},
    {"ProviderConnections", "[[provider]]\nname = 'p'\nmx = 'a.example'\nconnections = 0\n",
     "p: connections: must be a number from 1 to"},
    {"ProviderFlag", "[[provider]]\nname = 'p'\nmx = 'a.example'\nverified = 'no'\n",
     "p: verified: must be true or false"},
};
#undef RULE

class RuleFileRefuses : public testing::TestWithParam<WrongCase> {};

TEST_P(RuleFileRefuses, WithLineRuleAndField)
{
    const auto file = parse_rule_file(GetParam().text, "r.toml");
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().size(), 1U);
    EXPECT_THAT(text_of(file.error().front()), HasSubstr(GetParam().problem));
}

INSTANTIATE_TEST_SUITE_P(Rules, RuleFileRefuses, testing::ValuesIn(kWrong),
                         [](const auto& row) { return row.param.name; });

TEST(RuleFile, SaysAllThatIsWrongAtOnce)
{
    const auto file = parse_rule_file(
        "[[rule]]\nid = 'a'\ncodes = [1]\n[[rule]]\nid = 'b'\nsays = ['(', '[']\nclass = 'x'\n", "r.toml");
    ASSERT_FALSE(file);
    std::vector<std::string> fields;
    for (const RuleProblem& problem : file.error()) fields.push_back(problem.rule + "." + problem.field);
    EXPECT_THAT(fields, ElementsAre("a.codes", "a.class", "b.says", "b.says", "b.class"));
}

TEST(RuleFile, IsBounded)
{
    const auto file = parse_rule_file(std::string(kRuleFileMax + 1, '#'), "r.toml");
    ASSERT_FALSE(file);
    EXPECT_THAT(text_of(file.error().front()), HasSubstr("is larger than 1048576 octets"));
}

} // namespace
} // namespace penguin::policy
