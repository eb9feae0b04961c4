// Campaigns: their states, what a batch may do in each, what is counted.
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "api_fixture.h"

namespace penguin::control::api::test {
namespace {

constexpr const char* kCampaign = "01936f8a-0000-7000-8000-0000000000c1";

class CampaignsTest : public ApiTest {
protected:
    CampaignsTest()
    {
        add_source();
        make_verified_domain(tenant_, "acme.example");
    }
    Reply mine(std::string_view method, const std::string& target, std::string_view body = "",
               const http::Fields& fields = {})
    {
        return call(tenant_.credential, method, target, body, fields);
    }
    Reply put(const std::string& verb, const std::string& campaign = kCampaign)
    {
        return mine("POST", "/v1/campaigns/" + campaign + "/" + verb);
    }
    Reply submit(const http::Fields& fields = {})
    {
        return mine("POST", "/v1/batches",
                    fmt::format(R"({{"template": {{"from": {{"email": "x@acme.example"}}, "subject": "s", "text": "t"}},
                                    "campaign_id": "{}", "recipients": [{{"email": "ann@example.net"}},
                                    {{"email": "bob@example.net"}}]}})",
                                kCampaign),
                    fields);
    }
    std::string version() const { return sql("select settings from control.settings_version"); }
    std::string records() const { return sql("select count(*) from control.audit where action like 'campaign.%'"); }

    Tenant tenant_ = make_tenant("Acme");
};

TEST_F(CampaignsTest, PausedResumedCancelled)
{
    const std::string before = version();
    const Reply paused = put("pause");
    ASSERT_EQ(paused.status, 200U) << paused.text;
    EXPECT_EQ(paused.at("id"), kCampaign);
    EXPECT_EQ(paused.at("state"), "paused");
    EXPECT_NE(paused.at("changed_at"), "null");
    EXPECT_NE(version(), before) << "or no node would see it";
    EXPECT_EQ(put("resume").at("state"), "active");
    EXPECT_EQ(put("cancel").at("state"), "cancelled");
    EXPECT_EQ(sql("select sweep_after <= now() from control.campaigns"), "t");
    EXPECT_EQ(records(), "3");
}

TEST_F(CampaignsTest, CallsMayBeRepeated)
{
    EXPECT_EQ(put("resume").at("state"), "active") << "nobody ever stopped it";
    EXPECT_EQ(sql("select count(*) from control.campaigns"), "0");
    for (const char* verb : {"pause", "cancel"}) {
        const Reply first = put(verb);
        const std::string moved = version();
        const Reply again = put(verb);
        EXPECT_EQ(again.status, 200U);
        EXPECT_EQ(again.text, first.text);
        EXPECT_EQ(version(), moved);
    }
    EXPECT_EQ(records(), "2");
}

TEST_F(CampaignsTest, CancelledIsFinal)
{
    put("cancel");
    for (const char* verb : {"pause", "resume"}) {
        const Reply refused = put(verb);
        EXPECT_EQ(refused.status, 409U) << verb;
        EXPECT_EQ(refused.code(), "conflict");
    }
    EXPECT_EQ(mine("GET", std::string{"/v1/campaigns/"} + kCampaign).at("state"), "cancelled");
}

TEST_F(CampaignsTest, ABatchIsTakenUnlessItsCampaignIsCancelled)
{
    const http::Fields key{{"Idempotency-Key", "k-1"}};
    put("pause");
    const Reply waits = submit(key);
    EXPECT_EQ(waits.status, 202U) << waits.text;
    put("cancel");
    const Reply refused = submit();
    EXPECT_EQ(refused.status, 422U);
    EXPECT_EQ(refused.code(), "validation_failed");
    EXPECT_NE(refused.text.find(R"("field":"campaign_id","code":"bad_value")"), std::string::npos) << refused.text;
    EXPECT_EQ(submit(key).text, waits.text) << "an answer that was given stays";
}

TEST_F(CampaignsTest, CountsAreThoseOfItsBatches)
{
    const std::string path = std::string{"/v1/campaigns/"} + kCampaign;
    EXPECT_EQ(mine("GET", path).status, 404U);
    const std::string first = submit().at("id");
    submit();
    const Reply fresh = mine("GET", path);
    ASSERT_EQ(fresh.status, 200U) << fresh.text;
    EXPECT_EQ(fresh.at("state"), "active");
    EXPECT_EQ(fresh.at("changed_at"), "null");
    sql("insert into analytics.batch_counts (tenant_id, batch_id, delivered, cancelled) values ('" +
        tenant_.id.value().text() + "', '" + first + "', 1, 1)");
    put("pause");
    EXPECT_EQ(
        json::serialize(mine("GET", path).object().at("counts")),
        R"({"total":4,"queued":2,"delivered":1,"bounced":0,"deferred":0,"expired":0,"suppressed":0,"cancelled":1})");
    sql("insert into queue.batches select tenant_id, gen_random_uuid(), pool, content_id, campaign_id, mailbox_id, "
        "sender,"
        " prio, not_before, expires, recipients, chunk_size, total, enqueued, state, null, null, null, null, created"
        " from queue.batches, generate_series(1, 5000)");
    const Reply many = mine("GET", path);
    EXPECT_EQ(many.status, 200U);
    EXPECT_EQ(many.at("counts"), "null") << "too many to count";
}

TEST_F(CampaignsTest, TheListHasThoseThatSomebodyStopped)
{
    const std::string prefix = "01936f8a-0000-7000-8000-00000000000";
    for (const char* last : {"3", "1", "2"}) put("pause", prefix + last);
    put("resume", prefix + "2");
    const Reply page = mine("GET", "/v1/campaigns?limit=2");
    ASSERT_EQ(page.status, 200U) << page.text;
    ASSERT_EQ(page.object().at("data").as_array().size(), 2U);
    EXPECT_EQ(page.object().at("data").as_array().at(0).at("id"), json::string(prefix + "1"));
    EXPECT_EQ(page.object().at("data").as_array().at(1).at("state"), "active");
    const Reply rest = mine("GET", "/v1/campaigns?limit=2&cursor=" + http::percent_encoded(page.at("next_cursor")));
    ASSERT_EQ(rest.object().at("data").as_array().size(), 1U);
    EXPECT_EQ(rest.at("next_cursor"), "null");
    EXPECT_EQ(mine("GET", "/v1/campaigns?state=paused").status, 422U);
}

TEST_F(CampaignsTest, ATenantCanStopABoundedNumber)
{
    sql("insert into control.campaigns select '" + tenant_.id.value().text() +
        "', gen_random_uuid(), 'paused', now() from generate_series(1, 9999)");
    EXPECT_EQ(put("pause").status, 200U);
    const std::string other = "01936f8a-0000-7000-8000-0000000000c2";
    const Reply refused = put("cancel", other);
    EXPECT_EQ(refused.status, 409U) << refused.text;
    EXPECT_EQ(mine("GET", "/v1/campaigns/" + other).status, 404U);
    EXPECT_EQ(put("cancel").status, 200U) << "one that is stopped already";
    sql("update control.campaigns set state = 'cancelled', changed = now() - interval '62 days' where state = "
        "'paused'");
    EXPECT_EQ(put("cancel", other).status, 200U);
}

TEST_F(CampaignsTest, NeedsItsScopes)
{
    const Reply key = mine("POST", "/v1/api-keys", R"({"name": "k", "scopes": ["campaigns:read"]})");
    const std::string reader = "Bearer " + key.at("key");
    EXPECT_EQ(call(reader, "GET", "/v1/campaigns").status, 200U);
    EXPECT_EQ(call(reader, "POST", std::string{"/v1/campaigns/"} + kCampaign + "/pause").code(), "insufficient_scope");
    EXPECT_EQ(put("pause", "nonsense").status, 404U);
}

} // namespace
} // namespace penguin::control::api::test
