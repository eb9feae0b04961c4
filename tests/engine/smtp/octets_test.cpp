#include "engine/smtp/octets.h"

#include <string>

#include <gtest/gtest.h>

namespace penguin::smtp {
namespace {

TEST(Octets, NothingIsInAnEmptyText)
{
    const Octets octets = count_octets("");
    EXPECT_EQ(octets.cr, 0U);
    EXPECT_EQ(octets.nul, 0U);
    EXPECT_FALSE(octets.eight_bit);
}

TEST(Octets, EachIsFoundWhereverItStands)
{
    for (const std::size_t length : {1, 127, 128, 129, 255, 256, 257, 1'000}) {
        for (std::size_t at = 0; at < length; ++at) {
            std::string text(length, 'a');
            text[at] = '\r';
            EXPECT_EQ(count_octets(text).cr, 1U) << at << " of " << length;
            text[at] = '\0';
            EXPECT_EQ(count_octets(text).nul, 1U) << at << " of " << length;
            EXPECT_FALSE(count_octets(text).eight_bit) << at << " of " << length;
            text[at] = '\x80';
            EXPECT_TRUE(count_octets(text).eight_bit) << at << " of " << length;
        }
    }
}

TEST(Octets, NoCounterRunsOver)
{
    EXPECT_EQ(count_octets(std::string(10'000, '\r')).cr, 10'000U);
    EXPECT_EQ(count_octets(std::string(10'000, '\0')).nul, 10'000U);
}

} // namespace
} // namespace penguin::smtp
