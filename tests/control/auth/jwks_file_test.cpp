#include "control/auth/jwks_file.h"

#include <unistd.h>

#include <fstream>

#include <gtest/gtest.h>

#include "tokens.h"

namespace penguin::control {
namespace {

using test::jwks_of;
using test::SigningKey;
using Kind = SigningKey::Kind;

class JwksFileTest : public testing::Test {
protected:
    ~JwksFileTest() override { std::filesystem::remove(file_); }
    void write(const std::string& text)
    {
        std::ofstream{file_, std::ios::binary} << text;
        // Two writes within the file system's clock tick would look like one.
        std::filesystem::last_write_time(file_, std::filesystem::file_time_type{std::chrono::seconds{++written_}});
    }
    std::filesystem::path file_ = testing::TempDir() + "penguin-jwks-" + std::to_string(::getpid());
    SteadyTime now_{};
    int written_ = 0;
};

TEST_F(JwksFileTest, IsReadAgainWhenItChanges)
{
    write(jwks_of(SigningKey{Kind::p256, "one"}.jwk()));
    auto file = JwksFile::load(file_, now_);
    ASSERT_TRUE(file) << file.error().detail;
    EXPECT_NE(file->keys(now_)->find("one"), nullptr);
    write(jwks_of(SigningKey{Kind::p256, "two"}.jwk()));
    EXPECT_NE(file->keys(now_ + std::chrono::seconds{1})->find("one"), nullptr) << "it looks only every two seconds";
    EXPECT_NE(file->keys(now_ + std::chrono::seconds{2})->find("two"), nullptr);
}

TEST_F(JwksFileTest, KeepsTheOldKeysWhenTheNewFileIsBrokenOrGone)
{
    write(jwks_of(SigningKey{Kind::p256, "one"}.jwk()));
    auto file = JwksFile::load(file_, now_);
    ASSERT_TRUE(file);
    write("{");
    EXPECT_NE(file->keys(now_ += std::chrono::seconds{3})->find("one"), nullptr);
    std::filesystem::remove(file_);
    EXPECT_NE(file->keys(now_ += std::chrono::seconds{3})->find("one"), nullptr);
    write(jwks_of(SigningKey{Kind::p256, "two"}.jwk()));
    EXPECT_NE(file->keys(now_ += std::chrono::seconds{3})->find("two"), nullptr);
}

TEST_F(JwksFileTest, MustBeThereAtFirst)
{
    EXPECT_EQ(JwksFile::load(file_, now_).error().code, Errc::not_found);
    write("{}");
    EXPECT_EQ(JwksFile::load(file_, now_).error().code, Errc::malformed);
}

} // namespace
} // namespace penguin::control
