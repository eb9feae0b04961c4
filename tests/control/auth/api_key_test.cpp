#include "control/auth/api_key.h"

#include <set>

#include <gtest/gtest.h>

#include "engine/mail/base64.h"

namespace penguin::control {
namespace {

TEST(ApiKey, TextAndParseAreInverse)
{
    const ApiKey key = ApiKey::make(wall_now());
    EXPECT_EQ(key.text().size(), kApiKeyPrefix.size() + 32 + 1 + kSecretDigits);
    EXPECT_EQ(key.text().find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"),
              std::string::npos);
    const auto parsed = ApiKey::parse(key.text());
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->id, key.id);
    EXPECT_EQ(parsed->secret, key.secret);
    const auto basic = ApiKey::from_basic(to_base64(key.id.text() + ":" + key.secret));
    ASSERT_TRUE(basic);
    EXPECT_EQ(basic->id, key.id);
    EXPECT_EQ(basic->secret, key.secret);
}

TEST(ApiKey, SecretsAreNeverTheSame)
{
    std::set<std::string> secrets;
    for (int i = 0; i < 1'000; ++i) EXPECT_TRUE(secrets.insert(ApiKey::make(wall_now()).secret).second);
}

TEST(ApiKey, RefusesOtherForms)
{
    const std::string id = "01936f8a000070008000000000000001";
    for (const std::string& text :
         {std::string{""}, std::string{"pm_live_"}, "pm_live_" + id, "pm_live_" + id + "_", "pm_live_" + id + "-secret",
          "pm_test_" + id + "_secret", std::string{"pm_live_0193zz8a000070008000000000000001_secret"}, id + "_secret",
          "pm_live_" + id + "_" + std::string(kSecretGivenMax + 1, 's')})
        EXPECT_FALSE(ApiKey::parse(text)) << text;
    const std::string uuid = "01936f8a-0000-7000-8000-000000000001";
    for (const std::string& pair : {std::string{""}, uuid, uuid + ":", std::string{":secret"},
                                    std::string{"admin:secret"}, uuid + ":" + std::string(kSecretGivenMax + 1, 's')})
        EXPECT_FALSE(ApiKey::from_basic(to_base64(pair))) << pair;
    EXPECT_FALSE(ApiKey::from_basic("not base64"));
    EXPECT_FALSE(ApiKey::from_basic(std::string(100'000, 'A')));
    EXPECT_TRUE(ApiKey::from_basic(to_base64(uuid + ":a:b"))) << "a password may hold colons (RFC 7617 2)";
}

TEST(ApiKey, HashDependsOnIdSecretAndOurKey)
{
    const ApiKey key{*Uuid::parse("01936f8a-0000-7000-8000-000000000001"), "secret"};
    const ApiKey other_id{*Uuid::parse("01936f8a-0000-7000-8000-000000000002"), "secret"};
    const ApiKey other_secret{key.id, "Secret"};
    const ApiKeyHashKey first{1};
    const ApiKeyHashKey second{2};
    EXPECT_EQ(hash_of(key, first).size(), 32U);
    EXPECT_EQ(hash_of(key, first), hash_of(key, first));
    EXPECT_NE(hash_of(key, first), hash_of(other_id, first));
    EXPECT_NE(hash_of(key, first), hash_of(other_secret, first));
    EXPECT_NE(hash_of(key, first), hash_of(key, second));
}

} // namespace
} // namespace penguin::control
