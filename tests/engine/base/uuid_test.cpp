#include "engine/base/uuid.h"

#include <set>

#include <gtest/gtest.h>

namespace penguin {
namespace {

TEST(Uuid, TextAndParseAreInverse)
{
    const Result<Uuid> parsed = Uuid::parse("017F22E2-79B0-7CC3-98C4-DC0C0C07398F"); // RFC 9562 A.6
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->text(), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

TEST(Uuid, RefusesOtherForms)
{
    for (const char* text : {"", "017f22e279b07cc398c4dc0c0c07398f", "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
                             "017f22e2-79b0-7cc3-98c4-dc0c0c07398g", "017f22e2x79b0-7cc3-98c4-dc0c0c07398f",
                             "{017f22e2-79b0-7cc3-98c4-dc0c0c0739}"})
        EXPECT_EQ(Uuid::parse(text).error().code, Errc::malformed) << text;
}

TEST(Uuid, Version7SortsByTimeAndDoesNotRepeat)
{
    const WallTime now = from_unix_ms(1'795'494'547'123);
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) seen.insert(Uuid::v7(now).text());
    EXPECT_EQ(seen.size(), 1000U);
    EXPECT_EQ(seen.begin()->at(14), '7');
    EXPECT_TRUE(std::string_view{"89ab"}.contains(seen.begin()->at(19)));
    EXPECT_LT(*seen.rbegin(), Uuid::v7(now + std::chrono::milliseconds{1}).text());
}

} // namespace
} // namespace penguin
