#include "dkim/secret.h"

#include <algorithm>
#include <array>
#include <memory>

#include <gtest/gtest.h>

namespace penguin::dkim {
namespace {

// A short text lies inside its object, so the object's own memory can be looked at afterwards.
class SecretTest : public testing::Test {
protected:
    using Memory = std::array<std::byte, sizeof(dkim::Secret)>;
    static bool holds_it(const Memory& memory)
    {
        const std::byte wanted{0x5A};
        return std::ranges::count(memory, wanted) > 2;
    }
    static std::string text() { return std::string(12, '\x5A'); }
};

TEST_F(SecretTest, IsWipedWhenItGoes)
{
    alignas(dkim::Secret) Memory memory{};
    auto* secret = new (memory.data()) dkim::Secret{text()};
    EXPECT_TRUE(holds_it(memory));
    std::destroy_at(secret);
    EXPECT_FALSE(holds_it(memory));
}

TEST_F(SecretTest, IsNotLeftBehindWhereItMovedFrom)
{
    alignas(dkim::Secret) Memory memory{};
    auto* secret = new (memory.data()) dkim::Secret{text()};
    const dkim::Secret elsewhere{std::move(*secret)};
    EXPECT_FALSE(holds_it(memory));
    EXPECT_EQ(elsewhere.bytes(), text());
    dkim::Secret third{"something else that is long enough to lie outside"};
    third = dkim::Secret{text()};
    EXPECT_EQ(third.bytes(), text());
    std::destroy_at(secret);
}

} // namespace
} // namespace penguin::dkim
