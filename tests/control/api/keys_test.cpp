// API keys and suppressions of a tenant.
#include <boost/json/array.hpp>

#include "api_fixture.h"
#include "engine/mail/base64.h"

namespace penguin::control::api::test {
namespace {

class KeysTest : public ApiTest {
protected:
    Tenant tenant_ = make_tenant("Acme");
    std::string mine(std::string_view method, std::string_view target, std::string_view body = "")
    {
        return call(tenant_.credential, method, target, body).text;
    }
};

TEST_F(KeysTest, ASecretIsShownOnceAndWorksBothWays)
{
    const Reply made =
        call(tenant_.credential, "POST", "/v1/api-keys", R"({"name": "k", "scopes": ["keys:read", "keys:read"]})");
    ASSERT_EQ(made.status, 201U) << made.text;
    EXPECT_EQ(made.at("scopes"), R"(["keys:read"])");
    EXPECT_EQ(call("Bearer " + made.at("key"), "GET", "/v1/api-keys").status, 200U);
    EXPECT_EQ(call("Basic " + to_base64(made.at("id") + ":" + made.at("secret")), "GET", "/v1/api-keys").status, 200U);
    EXPECT_EQ(call("Bearer " + made.at("key"), "GET", "/v1/domains").code(), "insufficient_scope");
    const std::string path = "/v1/api-keys/" + made.at("id");
    EXPECT_EQ(made.header("Location"), path);
    EXPECT_EQ(mine("GET", path).find(made.at("secret")), std::string::npos);
    EXPECT_EQ(mine("GET", "/v1/api-keys").find(made.at("secret")), std::string::npos);
    EXPECT_EQ(
        sql("select count(*) from control.api_keys where encode(hash, 'escape') like '%" + made.at("secret") + "%'"),
        "0");
}

TEST_F(KeysTest, ARevokedKeyStopsWithinSeconds)
{
    const Reply made = call(tenant_.credential, "POST", "/v1/api-keys", R"({"name": "k", "scopes": ["keys:read"]})");
    const std::string credential = "Bearer " + made.at("key");
    EXPECT_EQ(call(credential, "GET", "/v1/api-keys").status, 200U);
    const std::string path = "/v1/api-keys/" + made.at("id");
    EXPECT_EQ(call(tenant_.credential, "DELETE", path).status, 204U);
    EXPECT_EQ(call(tenant_.credential, "DELETE", path).status, 404U);
    EXPECT_EQ(call(tenant_.credential, "GET", path).status, 404U);
    const auto end = std::chrono::steady_clock::now() + 3 * CredentialAuthenticator::kKeyKept;
    unsigned status = 200;
    while (status != 401 && std::chrono::steady_clock::now() < end) {
        std::this_thread::sleep_for(std::chrono::milliseconds{100});
        status = call(credential, "GET", "/v1/api-keys").status;
    }
    EXPECT_EQ(status, 401U);
}

TEST_F(KeysTest, ATenantGivesAwayOnlyWhatItHolds)
{
    const Reply small = call(tenant_.credential, "POST", "/v1/api-keys", R"({"name": "k", "scopes": ["keys:write"]})");
    const Reply greedy = call("Bearer " + small.at("key"), "POST", "/v1/api-keys",
                              R"({"name": "k", "scopes": ["keys:write", "batches:write"]})");
    EXPECT_EQ(greedy.status, 422U);
    EXPECT_NE(greedy.text.find(R"("field":"scopes[1]","code":"scope_not_held")"), std::string::npos) << greedy.text;
    const Reply platforms =
        call(tenant_.credential, "POST", "/v1/api-keys", R"({"name": "k", "scopes": ["tenants:write"]})");
    EXPECT_NE(platforms.text.find(R"("code":"bad_value")"), std::string::npos) << platforms.text;
}

TEST_F(KeysTest, BadKeysAreRefused)
{
    for (const char* body :
         {R"({"name": "k", "scopes": []})", R"({"name": "k", "scopes": "keys:read"})",
          R"({"name": "k", "scopes": [1]})", R"({"scopes": ["keys:read"]})",
          R"({"name": "k", "scopes": ["keys:read"], "expires_at": "2020-01-01T00:00:00Z"})",
          R"({"name": "k", "scopes": ["keys:read"], "tenant_id": "01936f8a-0000-7000-8000-000000000001"})"})
        EXPECT_EQ(call(tenant_.credential, "POST", "/v1/api-keys", body).status, 422U) << body;
}

TEST_F(KeysTest, AKeyExpires)
{
    const Reply made = call(tenant_.credential, "POST", "/v1/api-keys",
                            R"({"name": "k", "scopes": ["keys:read"], "expires_at": "2099-01-01T00:00:00Z"})");
    EXPECT_EQ(made.at("expires_at"), "2099-01-01T00:00:00.000Z");
    sql("update control.api_keys set expires = now() - interval '1 s' where id = '" + made.at("id") + "'");
    EXPECT_EQ(call("Bearer " + made.at("key"), "GET", "/v1/api-keys").status, 401U);
}

TEST_F(KeysTest, ThePlatformHandlesTheKeysOfItsTenants)
{
    const std::string keys = "/v1/tenants/" + tenant_.id.value().text() + "/api-keys";
    const Reply made = platform("POST", keys, R"({"name": "k", "scopes": ["events:read"]})");
    EXPECT_EQ(made.status, 201U);
    EXPECT_EQ(platform("GET", keys).object().at("data").as_array().size(), 2U);
    EXPECT_EQ(platform("DELETE", keys + "/" + made.at("id")).status, 204U);
    EXPECT_EQ(platform("DELETE", keys + "/" + made.at("id")).status, 404U);
    const std::string unknown = "/v1/tenants/01936f8a-0000-7000-8000-000000000009/api-keys";
    EXPECT_EQ(platform("POST", unknown, R"({"name": "k", "scopes": ["events:read"]})").status, 404U);
    EXPECT_EQ(platform("GET", unknown).status, 404U);
    EXPECT_EQ(platform("GET", "/v1/tenants/x/api-keys").status, 404U);
}

TEST_F(KeysTest, SuppressionsAreKeptInOneSpelling)
{
    const Reply made =
        call(tenant_.credential, "POST", "/v1/suppressions", R"({"address": "Ann@Example.NET", "reason": "asked"})");
    ASSERT_EQ(made.status, 201U) << made.text;
    EXPECT_EQ(made.at("address"), "ann@example.net");
    const Reply again =
        call(tenant_.credential, "POST", "/v1/suppressions", R"({"address": "ann@example.net", "reason": "x"})");
    EXPECT_EQ(again.text, made.text) << "the first reason stays";
    call(tenant_.credential, "POST", "/v1/suppressions", R"({"address": "bob@example.net"})");
    EXPECT_EQ(call(tenant_.credential, "GET", "/v1/suppressions").object().at("data").as_array().size(), 2U);
    EXPECT_EQ(call(tenant_.credential, "DELETE", "/v1/suppressions/ANN%40example.net").status, 204U);
    EXPECT_EQ(call(tenant_.credential, "DELETE", "/v1/suppressions/ann@example.net").status, 404U);
    EXPECT_EQ(call(tenant_.credential, "DELETE", "/v1/suppressions/nobody").status, 404U);
    EXPECT_EQ(call(tenant_.credential, "POST", "/v1/suppressions", R"({"address": "nobody"})").status, 422U);
}

} // namespace
} // namespace penguin::control::api::test
