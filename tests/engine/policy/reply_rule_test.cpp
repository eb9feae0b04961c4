#include "engine/policy/reply_rule.h"

#include <gtest/gtest.h>

namespace penguin::policy {
namespace {

using namespace std::chrono_literals;
using smtp::EnhancedCode;
using smtp::Phase;

TEST(CodeRange, IsReadAndWritten)
{
    for (const char* const text : {"421", "4xx", "5xx", "450-459"}) EXPECT_EQ(CodeRange::parse(text)->text(), text);
    EXPECT_TRUE(CodeRange::parse("450-459")->holds(450) && CodeRange::parse("450-459")->holds(459));
    EXPECT_FALSE(CodeRange::parse("450-459")->holds(460));
    for (const char* const wrong : {"", "250", "4", "xxx", "6xx", "459-450", "399-450", "450-600", "0421", "42 1"})
        EXPECT_FALSE(CodeRange::parse(wrong)) << wrong;
}

TEST(EnhancedRange, IsReadAndWritten)
{
    for (const char* const text : {"4.7.28", "x.7.28", "5.7.606-649", "4.4.x", "x.x.x", "5.x.1"})
        EXPECT_EQ(EnhancedRange::parse(text)->text(), text);
    for (const char* const wrong :
         {"", "4.7", "4..28", "2.7.28", "4.7.1000", "4.7.9-1", "4.7.", "4.7.x-1", "4.7.28.1", "y.7.1"})
        EXPECT_FALSE(EnhancedRange::parse(wrong)) << wrong;
}

TEST(EnhancedRange, Holds)
{
    EXPECT_TRUE(EnhancedRange::parse("x.7.28")->holds({5, 7, 28}));
    EXPECT_FALSE(EnhancedRange::parse("x.7.28")->holds({5, 7, 2}));
    EXPECT_TRUE(EnhancedRange::parse("5.7.606-649")->holds({5, 7, 649}));
    EXPECT_FALSE(EnhancedRange::parse("5.7.606-649")->holds({5, 7, 650}));
    EXPECT_FALSE(EnhancedRange::parse("5.7.606-649")->holds({4, 7, 606}));
    EXPECT_TRUE(EnhancedRange::parse("4.4.x")->holds({4, 4, 317}));
}

TEST(ReplyRule, FitsByPhaseAndCodes)
{
    ReplyRule rule;
    EXPECT_TRUE(rule.fits(Phase::rcpt, 421, {}));
    EXPECT_FALSE(rule.fits(Phase::rcpt, 250, {}));
    EXPECT_FALSE(rule.fits(Phase::rcpt, 354, {}));
    rule.phases = {Phase::rcpt};
    rule.codes = {{450, 459}, {550, 550}};
    rule.enhanced = {*EnhancedRange::parse("x.1.1")};
    EXPECT_TRUE(rule.fits(Phase::rcpt, 550, {EnhancedCode{4, 7, 1}, EnhancedCode{5, 1, 1}}));
    EXPECT_FALSE(rule.fits(Phase::body, 550, {EnhancedCode{5, 1, 1}}));
    EXPECT_FALSE(rule.fits(Phase::rcpt, 551, {EnhancedCode{5, 1, 1}}));
    EXPECT_FALSE(rule.fits(Phase::rcpt, 550, {EnhancedCode{5, 1, 2}}));
    EXPECT_FALSE(rule.fits(Phase::rcpt, 550, {}));
}

TEST(Reaction, IsSaidInWords)
{
    EXPECT_EQ((Reaction{.kind = ReactionKind::alert}).text(), "alert");
    EXPECT_EQ((Reaction{.kind = ReactionKind::pause, .scope = PauseScope::source_at_provider}).text(),
              "pause source_at_provider");
    EXPECT_EQ(
        (Reaction{.kind = ReactionKind::pause, .scope = PauseScope::lane, .length = 2h, .trigger = Trigger{3, 1h}})
            .text(),
        "3/1h pause lane 2h");
    EXPECT_EQ((Reaction{.kind = ReactionKind::reconnect, .length = 1h, .messages = 2U}).text(),
              "reconnect 2 messages 1h");
}

TEST(Names, AreReadAsTheyAreWritten)
{
    for (int i = 0; i < 7; ++i) {
        EXPECT_EQ(parse_reaction_kind(name_of(static_cast<ReactionKind>(i))), static_cast<ReactionKind>(i));
        EXPECT_EQ(parse_pause_scope(name_of(static_cast<PauseScope>(i))), static_cast<PauseScope>(i));
    }
    for (int i = 0; i <= static_cast<int>(BounceClass::undetermined); ++i)
        EXPECT_EQ(parse_bounce_class(name_of(static_cast<BounceClass>(i))), static_cast<BounceClass>(i));
    EXPECT_EQ(parse_rule_kind("retry"), ReplyRule::Kind::retry);
    EXPECT_EQ(parse_reply_phase("rcpt"), Phase::rcpt);
    EXPECT_FALSE(parse_reply_phase("connect"));
    EXPECT_FALSE(parse_reaction_kind("sleep") || parse_pause_scope("moon") || parse_rule_kind("") ||
                 parse_bounce_class("x"));
}

} // namespace
} // namespace penguin::policy
