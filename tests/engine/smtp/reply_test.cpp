#include "engine/smtp/reply.h"

#include <set>

#include <gtest/gtest.h>

#include "engine/smtp/outcome.h"

namespace penguin::smtp {
namespace {

struct EnhancedCase {
    const char* name;
    const char* line;
    int code;
    const char* text; // empty: none
};

constexpr EnhancedCase kEnhanced[] = {
    {"Plain", "5.1.1 no such user", 550, "5.1.1"},
    {"AloneOnTheLine", "2.0.0", 250, "2.0.0"},
    {"ThreeDigits", "4.999.999 later", 450, "4.999.999"},
    {"ClassDisagreesWithTheCode", "5.7.32 not aligned", 421, ""},
    {"NoSuchClass", "3.1.1 x", 354, ""},
    {"FourDigits", "5.1000.1 x", 550, ""},
    {"OnlyTwoParts", "5.1 x", 550, ""},
    {"TextGluedOn", "5.1.1x", 550, ""},
    {"NoText", "", 550, ""},
    {"AnAddress", "192.0.2.1 is listed", 550, ""},
    {"FourParts", "5.1.1.1 x", 550, ""},
};

class EnhancedCodeTest : public testing::TestWithParam<EnhancedCase> {};

TEST_P(EnhancedCodeTest, IsReadFromTheFirstLine)
{
    const EnhancedCase& row = GetParam();
    const std::optional<EnhancedCode> code = EnhancedCode::parse(row.line, row.code);
    EXPECT_EQ(code ? code->text() : "", row.text);
    EXPECT_EQ(Reply::make(row.code, {row.line, "4.0.0 second line"}).enhanced, code);
}

INSTANTIATE_TEST_SUITE_P(Rfc3463, EnhancedCodeTest, testing::ValuesIn(kEnhanced),
                         [](const auto& info) { return info.param.name; });

TEST(Reply, TextJoinsTheLines) { EXPECT_EQ(Reply::make(250, {"a", "b c"}).text(), "a b c"); }

TEST(Reply, ClassesFollowTheFirstDigit)
{
    EXPECT_TRUE(Reply::make(250, {}).positive());
    EXPECT_TRUE(Reply::make(354, {}).intermediate());
    EXPECT_TRUE(Reply::make(421, {}).transient());
    EXPECT_TRUE(Reply::make(554, {}).permanent());
    EXPECT_FALSE(Reply::make(354, {}).positive());
}

TEST(Outcome, SaysWhoSpoke)
{
    EXPECT_EQ(Outcome::answered(Phase::rcpt, Reply::make(550, {"no"})).reply->code, 550);
    const Outcome lost = Outcome::lost(Phase::body, Error{Errc::closed, "gone"}, true);
    EXPECT_EQ(lost.kind, Outcome::Kind::lost);
    EXPECT_TRUE(lost.may_be_duplicate);
    EXPECT_EQ(Outcome::not_tried(Phase::mail, Error{Errc::stale, ""}).kind, Outcome::Kind::not_tried);
}

TEST(Outcome, EveryPhaseHasANameOfItsOwn)
{
    std::set<std::string_view> names;
    for (int phase = 0; phase <= static_cast<int>(Phase::done); ++phase)
        names.insert(name_of(static_cast<Phase>(phase)));
    EXPECT_EQ(names.size(), 12U);
    EXPECT_FALSE(names.contains("unknown"));
}

} // namespace
} // namespace penguin::smtp
