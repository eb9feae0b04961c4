#include "control/auth/jwk.h"

#include <gtest/gtest.h>

#include "tokens.h"

namespace penguin::control {
namespace {

using test::jwks_of;
using test::SigningKey;
using Kind = SigningKey::Kind;

TEST(Jwks, BindsEachKeyToItsAlgorithm)
{
    const SigningKey ec{Kind::p256, "a"};
    const SigningKey rsa{Kind::rsa2048, "b"};
    const SigningKey ed{Kind::ed25519, "c"};
    const auto keys = Jwks::parse(R"({"keys": [)" + ec.jwk() + "," + rsa.jwk() + "," + ed.jwk() + R"(], "more": 1})");
    ASSERT_TRUE(keys) << keys.error().detail;
    EXPECT_EQ(keys->find("a")->algorithm, TokenAlgorithm::es256);
    EXPECT_EQ(keys->find("b")->algorithm, TokenAlgorithm::rs256);
    EXPECT_EQ(keys->find("c")->algorithm, TokenAlgorithm::eddsa);
    EXPECT_EQ(keys->find("d"), nullptr);
}

TEST(Jwks, PassesOverKeysThatAreNotForUs)
{
    const SigningKey good{Kind::p256, "good"};
    for (const std::string& other :
         {SigningKey{Kind::p384, "x"}.jwk(), SigningKey{Kind::p256, "x"}.jwk(R"("use": "enc")"),
          SigningKey{Kind::p256, "x"}.jwk(R"("alg": "ECDH-ES")"),
          SigningKey{Kind::rsa2048, "x"}.jwk(R"("alg": "PS256")"),
          SigningKey{Kind::p256, "x"}.jwk(R"("key_ops": ["sign"])"),
          std::string{R"({"kty": "oct", "k": "c2VjcmV0", "kid": "x"})"}}) {
        const auto keys = Jwks::parse(jwks_of(good.jwk(), other));
        ASSERT_TRUE(keys) << other;
        EXPECT_EQ(keys->size(), 1U) << other;
        EXPECT_FALSE(Jwks::parse(jwks_of(other))) << "nothing usable is left";
    }
    EXPECT_TRUE(Jwks::parse(
        jwks_of(SigningKey{Kind::p256, "x"}.jwk(R"("key_ops": ["verify"], "use": "sig", "alg": "ES256")"))));
}

TEST(Jwks, RefusesBrokenSets)
{
    const SigningKey good{Kind::p256, "good"};
    const std::string zeros = std::string(43, 'A');
    std::string many = good.jwk();
    for (int i = 0; i < 64; ++i) many += "," + good.jwk();
    for (const std::string& text :
         {std::string{""}, std::string{"[]"}, std::string{"{}"}, std::string{R"({"keys": {}})"},
          std::string{R"({"keys": []})"}, std::string{R"({"keys": ["a"]})"}, jwks_of(good.jwk(), good.jwk()),
          jwks_of(many), jwks_of(SigningKey{Kind::p256, ""}.jwk()),
          jwks_of(SigningKey{Kind::p256, std::string(257, 'k')}.jwk()),
          jwks_of(SigningKey{Kind::rsa1024, "small"}.jwk()),
          jwks_of(R"({"kty": "EC", "crv": "P-256", "kid": "x", "x": ")" + zeros + R"(", "y": ")" + zeros + "\"}"),
          jwks_of(R"({"kty": "EC", "crv": "P-256", "kid": "x", "x": "AAAA", "y": "AAAA"})"),
          jwks_of(R"({"kty": "EC", "crv": "P-256", "kid": "x", "y": ")" + zeros + "\"}"),
          jwks_of(R"({"kty": "OKP", "crv": "Ed25519", "kid": "x", "x": "AAAA"})"),
          jwks_of(R"({"kty": "RSA", "kid": "x", "n": "AQAB", "e": "AQAB"})"),
          jwks_of(R"({"kty": "RSA", "kid": "x", "n": "!!", "e": "AQAB"})"),
          jwks_of(R"({"kid": "x", "kty": "EC", "kty": "RSA"})"), std::string(kJwksMax + 1, ' ')}) {
        const auto keys = Jwks::parse(text);
        EXPECT_FALSE(keys) << text.substr(0, 200);
        if (!keys) {
            EXPECT_EQ(keys.error().code, Errc::malformed) << text.substr(0, 200);
        }
    }
}

} // namespace
} // namespace penguin::control
