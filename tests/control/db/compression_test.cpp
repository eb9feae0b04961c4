#include "control/db/compression.h"

#include <gtest/gtest.h>

namespace penguin::control::db {
namespace {

TEST(Compression, IsUndone)
{
    for (const std::size_t size : {0U, 1U, 1000U, 5'000'000U}) {
        std::string octets;
        for (std::size_t i = 0; i < size; ++i) octets += static_cast<char>(i * 7 % 251);
        EXPECT_EQ(decompress(compress(octets), size), octets) << size;
    }
}

TEST(Compression, NeverGivesMoreThanAsked)
{
    const std::string bomb = compress(std::string(10'000'000, 'a'));
    EXPECT_LT(bomb.size(), 100'000U);
    EXPECT_EQ(decompress(bomb, 1'000'000).error().code, Errc::too_long);
    EXPECT_EQ(decompress(bomb, 9'999'999).error().code, Errc::too_long);
    EXPECT_TRUE(decompress(bomb, 10'000'000));
}

TEST(Compression, SeesDamage)
{
    const std::string whole = compress("some text, some text, some text");
    EXPECT_EQ(decompress("", 100).error().code, Errc::malformed);
    EXPECT_EQ(decompress("not zlib at all", 100).error().code, Errc::malformed);
    for (std::size_t cut = 1; cut < whole.size(); ++cut)
        EXPECT_FALSE(decompress(std::string_view{whole}.substr(0, cut), 100)) << cut;
    EXPECT_FALSE(decompress(whole + "x", 100));
    std::string changed = whole;
    changed.back() = static_cast<char>(changed.back() ^ 1); // its check sum
    EXPECT_FALSE(decompress(changed, 100));
}

} // namespace
} // namespace penguin::control::db
