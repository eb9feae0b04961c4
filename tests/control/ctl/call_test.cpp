#include "control/ctl/call.h"

#include <gtest/gtest.h>

namespace penguin::control::ctl {
namespace {

class CallTest : public testing::Test {
protected:
    Result<Call> call(std::string_view resource, std::string_view name, const Given& given, std::string document = {},
                      std::string key = {}) const
    {
        const Verb* const verb = find_verb(verbs_, resource, name);
        EXPECT_NE(verb, nullptr) << resource << " " << name;
        return call_of(*verb, given, std::move(document), std::move(key));
    }

    std::vector<Verb> verbs_ = all_verbs();
};

TEST_F(CallTest, WhatIsGivenBecomesJsonOfItsKind)
{
    const auto made =
        call("tenants", "create", {{"name", {"Acme \"1\""}}, {"weight", {"2.5"}}, {"suspended", {"true"}}});
    ASSERT_TRUE(made);
    EXPECT_EQ(made->method, "POST");
    EXPECT_EQ(made->target, "/v1/tenants");
    EXPECT_EQ(made->body, R"({"name":"Acme \"1\"","weight":2.5E0,"suspended":true})");
    EXPECT_FALSE(made->repeatable) << "a second one would be a second tenant";
}

TEST_F(CallTest, ScopesAreAList)
{
    const auto made = call("tenant-api-keys", "create",
                           {{"tenant", {"t-1"}}, {"name", {"k"}}, {"scopes", {"a:read,,b:read", "c:read"}}});
    ASSERT_TRUE(made);
    EXPECT_EQ(made->target, "/v1/tenants/t-1/api-keys");
    EXPECT_EQ(made->body, R"({"name":"k","scopes":["a:read","b:read","c:read"]})");
}

TEST_F(CallTest, PathsAndQueriesAreEncoded)
{
    EXPECT_EQ(call("suppressions", "delete", {{"address", {"a/b?c@exämple.net"}}})->target,
              "/v1/suppressions/a%2Fb%3Fc%40ex%C3%A4mple.net");
    EXPECT_EQ(
        call("events", "list", {{"kind", {"bounced"}}, {"since", {"2026-11-28T00:00:00+01:00"}}, {"limit", {"5"}}})
            ->target,
        "/v1/events?kind=bounced&since=2026-11-28T00%3A00%3A00%2B01%3A00&limit=5");
    EXPECT_EQ(call("pools", "get", {{"pool", {"../tenants"}}})->target, "/v1/pools/..%2Ftenants");
}

TEST_F(CallTest, AVersionIsAnEntityTag)
{
    const auto made = call("tenants", "update", {{"tenant", {"t"}}, {"If-Match", {"3"}}, {"pool", {"warm"}}});
    EXPECT_EQ(made->if_match, "\"3\"");
    EXPECT_EQ(made->body, R"({"pool":"warm"})");
    EXPECT_TRUE(made->repeatable);
}

TEST_F(CallTest, ADocumentGoesAsItIs)
{
    const auto made = call("batches", "submit", {}, "{ \"raw\": 1 }\n", "key-1");
    EXPECT_EQ(made->body, "{ \"raw\": 1 }\n");
    EXPECT_EQ(made->idempotency_key, "key-1");
    EXPECT_TRUE(made->repeatable) << "its key makes it so";
    EXPECT_FALSE(call("batches", "submit", {}, "{}")->repeatable);
}

TEST_F(CallTest, AFileMayBeAFieldOfTheBody)
{
    const auto made = call("rules", "put", {{"comment", {"why"}}, {"If-Match", {"3"}}}, "[[rule]]\nid = \"x\"\n");
    EXPECT_EQ(made->method, "PUT");
    EXPECT_EQ(made->body, R"({"comment":"why","text":"[[rule]]\nid = \"x\"\n"})");
    EXPECT_EQ(made->if_match, "\"3\"");
    EXPECT_EQ(call("rules", "check", {}, "x")->body, R"({"text":"x"})");
}

TEST_F(CallTest, AnArgumentMayBeAFieldOfTheBody)
{
    const auto made = call("rules", "try", {{"reply", {"550 no"}}, {"provider", {"gmail"}}});
    EXPECT_EQ(made->target, "/v1/rules/try");
    EXPECT_EQ(made->body, R"({"reply":"550 no","provider":"gmail"})");
}

TEST_F(CallTest, WithoutFieldsABodyIsStillAnObject)
{
    EXPECT_EQ(call("tenants", "update", {{"tenant", {"t"}}})->body, "{}");
}

TEST_F(CallTest, WhatTakesNoBodyHasNone)
{
    EXPECT_EQ(call("domains", "verify", {{"domain", {"acme.example"}}})->body, "");
    EXPECT_TRUE(call("domains", "verify", {{"domain", {"acme.example"}}})->repeatable);
    EXPECT_EQ(call("pools", "delete", {{"pool", {"p"}}})->method, "DELETE");
}

TEST_F(CallTest, NumbersAndFlagsAreJudgedHere)
{
    for (const Given& given :
         {Given{{"name", {"a"}}, {"weight", {"much"}}}, Given{{"name", {"a"}}, {"weight", {"1x"}}},
          Given{{"name", {"a"}}, {"weight", {""}}}, Given{{"name", {"a"}}, {"suspended", {"maybe"}}}}) {
        const auto made = call("tenants", "create", given);
        ASSERT_FALSE(made);
        EXPECT_EQ(made.error().code, Errc::bad_value);
        EXPECT_TRUE(made.error().detail.starts_with("--")) << made.error().detail;
    }
    EXPECT_EQ(call("events", "list", {{"limit", {"1.5"}}}).error().detail, "--limit: '1.5' is not a number");
}

} // namespace
} // namespace penguin::control::ctl
