#include "bench/sink/sink_rules.h"

#include <string>

#include <gtest/gtest.h>

namespace penguin::bench {
namespace {

using namespace std::chrono_literals;

TEST(SinkRule, ReadsEveryWord)
{
    const SinkRule rule = SinkRule::parse("  phase=rcpt code=450 text=\"4.2.1 a \\\"quoted\\\" word\" share=0.25 "
                                          "first-attempts-only match=Bob@X.example match=eve@x.example delay-ms=20 ")
                              .value();
    EXPECT_EQ(rule.phase, SinkPhase::rcpt);
    EXPECT_EQ(rule.reply().code, 450);
    EXPECT_EQ(rule.reply().text(), "4.2.1 a \"quoted\" word");
    EXPECT_EQ(rule.reply().enhanced->text(), "4.2.1");
    EXPECT_DOUBLE_EQ(rule.share, 0.25);
    EXPECT_TRUE(rule.first_attempts_only);
    EXPECT_EQ(rule.recipients, (std::unordered_set<std::string>{"bob@x.example", "eve@x.example"}));
    EXPECT_EQ(rule.delay, 20ms);
    EXPECT_EQ(SinkRule::parse("phase=greeting action=stall").value().action, SinkRule::Action::stall);
    EXPECT_EQ(SinkRule::parse("phase=body action=take-and-drop").value().action, SinkRule::Action::take_and_drop);
    EXPECT_EQ(SinkRule::parse("phase=data match-file=/x action=drop").value().match_file, "/x");
    EXPECT_FALSE(SinkRule::parse("phase=mail code=451").value().text.empty());
}

TEST(SinkRule, RefusesWhatItDoesNotUnderstand)
{
    for (const char* text : {"",
                             "code=450",
                             "phase=lunch code=450",
                             "phase=rcpt",
                             "phase=rcpt code=99",
                             "phase=rcpt code=600",
                             "phase=rcpt code=x",
                             "phase=rcpt code=450 share=2",
                             "phase=rcpt code=450 share=-1",
                             "phase=rcpt code=450 share=",
                             "phase=rcpt code=450 share=nan",
                             "phase=rcpt code=450 delay-ms=-1",
                             "phase=rcpt code=450 text=\"open",
                             "phase=rcpt code=450 text=\"a\"b",
                             "phase=rcpt code=450 color=red",
                             "phase=rcpt action=explode",
                             "phase=rcpt action=drop code=450",
                             "phase=mail code=450 match=a@b.example",
                             "phase=rcpt code=450 match=",
                             "phase=ehlo code=450 first-attempts-only",
                             "phase=rcpt code=450 first-attempts-only=yes",
                             "phase=data action=take-and-drop",
                             "phase=rcpt code=450 text=\"two\r\nlines\"",
                             "phase=rcpt code=450 match-file="}) {
        const Result<SinkRule> rule = SinkRule::parse(text);
        ASSERT_FALSE(rule) << text;
        EXPECT_EQ(rule.error().code, Errc::bad_value) << text;
    }
}

TEST(SinkRule, ReadsRecipientsFromLines)
{
    SinkRule rule = SinkRule::parse("phase=rcpt code=550").value();
    rule.add_recipients("A@x.example\r\nb@x.example\n\nc@x.example");
    EXPECT_EQ(rule.recipients, (std::unordered_set<std::string>{"a@x.example", "b@x.example", "c@x.example"}));
}

std::vector<SinkRule> rules(std::initializer_list<const char*> texts)
{
    std::vector<SinkRule> out;
    for (const char* text : texts) out.push_back(SinkRule::parse(text).value());
    return out;
}

int code_at(SinkRules& all, SinkPhase phase, std::string_view recipient, std::string_view sender = "s@x.example")
{
    const SinkRule* rule = all.find(phase, {sender, recipient, 1});
    return rule == nullptr ? 0 : rule->code;
}

TEST(SinkRules, TheFirstThatAppliesCounts)
{
    SinkRules all{rules({"phase=rcpt code=550 match=bob@x.example", "phase=rcpt code=450", "phase=rcpt code=451",
                         "phase=data code=554"})};
    EXPECT_EQ(code_at(all, SinkPhase::rcpt, "BOB@x.example"), 550);
    EXPECT_EQ(code_at(all, SinkPhase::rcpt, "ann@x.example"), 450);
    EXPECT_EQ(code_at(all, SinkPhase::data, "ann@x.example"), 554);
    EXPECT_EQ(code_at(all, SinkPhase::body, "ann@x.example"), 0);
    EXPECT_TRUE(SinkRules{{}}.empty());
}

TEST(SinkRules, AShareIsThatPartOfTheMessagesAndAlwaysTheSame)
{
    SinkRules all{rules({"phase=rcpt code=450 share=0.1"})};
    std::vector<int> first;
    int meant = 0;
    for (int i = 0; i < 10'000; ++i) {
        first.push_back(code_at(all, SinkPhase::rcpt, "r" + std::to_string(i) + "@x.example"));
        meant += first.back() == 450 ? 1 : 0;
    }
    EXPECT_GT(meant, 850); // the hash is fixed, so this is not left to chance
    EXPECT_LT(meant, 1150);
    for (int i = 0; i < 10'000; ++i)
        ASSERT_EQ(code_at(all, SinkPhase::rcpt, "r" + std::to_string(i) + "@x.example"),
                  first[static_cast<std::size_t>(i)]);
    SinkRules none{rules({"phase=rcpt code=450 share=0"})};
    SinkRules every{rules({"phase=rcpt code=450 share=1"})};
    EXPECT_EQ(code_at(none, SinkPhase::rcpt, "a@x.example"), 0);
    EXPECT_EQ(code_at(every, SinkPhase::rcpt, "a@x.example"), 450);
}

TEST(SinkRules, FirstAttemptsOnlyLetsTheNextAttemptPass)
{
    SinkRules all{rules({"phase=rcpt code=450 first-attempts-only"})};
    EXPECT_EQ(code_at(all, SinkPhase::rcpt, "a@x.example"), 450);
    EXPECT_EQ(code_at(all, SinkPhase::rcpt, "a@x.example"), 0);
    // Another message to the same recipient has its own first attempt.
    EXPECT_EQ(code_at(all, SinkPhase::rcpt, "a@x.example", "other@x.example"), 450);
    EXPECT_EQ(code_at(all, SinkPhase::rcpt, "b@x.example"), 450);
}

TEST(SinkRules, EachRuleCountsItsOwnFirstAttempts)
{
    SinkRules all{rules({"phase=rcpt code=450 first-attempts-only", "phase=data code=451 first-attempts-only"})};
    EXPECT_EQ(code_at(all, SinkPhase::rcpt, "a@x.example"), 450);
    EXPECT_EQ(code_at(all, SinkPhase::data, "a@x.example"), 451);
    EXPECT_EQ(code_at(all, SinkPhase::data, "a@x.example"), 0);
}

TEST(SinkRules, BeforeMailTheConnectionIsTheSubject)
{
    SinkRules all{rules({"phase=greeting code=421 share=0.5"})};
    int meant = 0;
    for (std::uint64_t connection = 0; connection < 1000; ++connection)
        meant += all.find(SinkPhase::greeting, {"", "", connection}) != nullptr ? 1 : 0;
    EXPECT_GT(meant, 400);
    EXPECT_LT(meant, 600);
}

} // namespace
} // namespace penguin::bench
