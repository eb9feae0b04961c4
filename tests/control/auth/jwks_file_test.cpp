#include "control/auth/jwks_file.h"

#include <unistd.h>

#include <fstream>

#include <gtest/gtest.h>

#include "control/auth/jwt.h"
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

// A rotation as it is done: both keys, then the new one alone. A key that leaked is out as soon as it is out of the file.
TEST_F(JwksFileTest, TokensFollowTheRotationOfTheKeys)
{
    const SigningKey before{Kind::p256, "one"};
    const SigningKey after{Kind::ed25519, "two"};
    const WallTime wall = *parse_rfc3339("2026-11-24T12:00:00Z");
    const std::string claims =
        R"({"iss": "i", "aud": "a", "platform": true, "exp": )" + std::to_string(to_unix_ms(wall) / 1000 + 60) + "}";
    const std::string old_token = before.token(R"({"alg": "ES256", "typ": "at+jwt", "kid": "one"})", claims);
    const std::string new_token = after.token(R"({"alg": "EdDSA", "typ": "at+jwt", "kid": "two"})", claims);
    write(jwks_of(before.jwk()));
    auto file = JwksFile::load(file_, now_);
    ASSERT_TRUE(file);
    const auto taken = [&](const std::string& token) {
        return verify_jwt(token, *file->keys(now_), JwtRules{.issuer = "i", .audience = "a"}, wall).has_value();
    };
    EXPECT_TRUE(taken(old_token));
    EXPECT_FALSE(taken(new_token));
    write(jwks_of(before.jwk(), after.jwk()));
    now_ += JwksFile::kLookEvery;
    EXPECT_TRUE(taken(old_token));
    EXPECT_TRUE(taken(new_token));
    write(jwks_of(after.jwk()));
    now_ += JwksFile::kLookEvery;
    EXPECT_FALSE(taken(old_token));
    EXPECT_TRUE(taken(new_token));
    std::filesystem::remove(file_); // an outage of whatever writes it
    now_ += std::chrono::hours{24};
    EXPECT_TRUE(taken(new_token));
}

TEST_F(JwksFileTest, MustBeThereAtFirst)
{
    EXPECT_EQ(JwksFile::load(file_, now_).error().code, Errc::not_found);
    write("{}");
    EXPECT_EQ(JwksFile::load(file_, now_).error().code, Errc::malformed);
}

} // namespace
} // namespace penguin::control
