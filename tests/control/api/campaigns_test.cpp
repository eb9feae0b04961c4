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

TEST_F(CampaignsTest, ASendingWindowIsSetShownAndTakenAway)
{
    const std::string path = std::string{"/v1/campaigns/"} + kCampaign;
    const std::string before = version();
    const Reply set =
        mine("POST", path + "/window",
             R"({"days": ["fri", "mon"], "from": "09:00", "until": "24:00", "time_zone": "Europe/Berlin"})");
    ASSERT_EQ(set.status, 200U) << set.text;
    EXPECT_EQ(set.at("state"), "active");
    EXPECT_EQ(
        set.at("window"),
        R"({"days":["mon","fri"],"from":"09:00","until":"24:00","time_zone":"Europe/Berlin","recipients_time_zone":false})");
    EXPECT_NE(version(), before) << "or no node would see it";
    EXPECT_EQ(put("pause").at("window"), set.at("window")) << "a pause leaves it";
    EXPECT_EQ(mine("GET", path).at("window"), set.at("window"));
    EXPECT_EQ(
        mine(
            "POST", path + "/window",
            R"({"days": ["mon"], "from": "09:00", "until": "10:00", "time_zone": "UTC", "recipients_time_zone": true})")
            .at("state"),
        "paused");
    const std::string once = version();
    EXPECT_EQ(
        mine(
            "POST", path + "/window",
            R"({"days": ["mon"], "from": "09:00", "until": "10:00", "time_zone": "UTC", "recipients_time_zone": true})")
            .status,
        200U);
    EXPECT_EQ(version(), once) << "nothing changed";
    EXPECT_EQ(mine("DELETE", path + "/window").status, 204U);
    EXPECT_EQ(mine("DELETE", path + "/window").status, 204U);
    EXPECT_EQ(mine("GET", path).at("window"), "null");
}

TEST_F(CampaignsTest, WhatIsNoWindowIsRefusedFieldByField)
{
    const std::string path = std::string{"/v1/campaigns/"} + kCampaign + "/window";
    const Reply empty = mine("POST", path, "{}");
    EXPECT_EQ(empty.status, 422U);
    EXPECT_EQ(empty.object().at("errors").as_array().size(), 4U) << empty.text;
    const struct {
        const char* field;
        const char* body;
    } cases[] = {
        {"days", R"({"days": ["monday"], "from": "09:00", "until": "17:00", "time_zone": "UTC"})"},
        {"days", R"({"days": ["mon", "mon"], "from": "09:00", "until": "17:00", "time_zone": "UTC"})"},
        {"days", R"({"days": [1], "from": "09:00", "until": "17:00", "time_zone": "UTC"})"},
        {"days", R"({"days": [], "from": "09:00", "until": "17:00", "time_zone": "UTC"})"},
        {"from", R"({"days": ["mon"], "from": "9", "until": "17:00", "time_zone": "UTC"})"},
        {"until", R"({"days": ["mon"], "from": "09:00", "until": "24:01", "time_zone": "UTC"})"},
        {"until", R"({"days": ["mon"], "from": "09:00", "until": "09:00", "time_zone": "UTC"})"},
        {"time_zone", R"({"days": ["mon"], "from": "09:00", "until": "17:00", "time_zone": "CEST/Berlin"})"},
        {"time_zone", R"({"days": ["mon"], "from": "09:00", "until": "17:00", "time_zone": 2})"},
    };
    for (const auto& one : cases) {
        const Reply refused = mine("POST", path, one.body);
        EXPECT_EQ(refused.status, 422U) << one.body;
        EXPECT_NE(refused.text.find(std::string{R"("field":")"} + one.field), std::string::npos) << refused.text;
    }
    EXPECT_EQ(records(), "0");
}

TEST_F(CampaignsTest, WhoseWindowDoesNotOpenInTimeIsRefusedAtOnce)
{
    // Open for the whole day three days from now: by then what expires tomorrow is gone.
    const std::chrono::weekday day{std::chrono::floor<std::chrono::days>(wall_now()) + std::chrono::days{3}};
    const char* const names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
    const std::string window = fmt::format(
        R"({{"days": ["{}"], "from": "00:00", "until": "24:00", "time_zone": "UTC", "recipients_time_zone": true}})",
        names[day.c_encoding()]);
    ASSERT_EQ(mine("POST", std::string{"/v1/campaigns/"} + kCampaign + "/window", window).status, 200U);
    const auto submit_until = [&](std::chrono::hours from_now) {
        return mine("POST", "/v1/batches",
                    fmt::format(R"({{"template": {{"from": {{"email": "x@acme.example"}}, "subject": "s", "text": "t"}},
                                    "campaign_id": "{}", "expires_at": "{}", "recipients": [
                                    {{"email": "ann@example.net"}}, {{"email": "bob@example.net", "time_zone": "Asia/Tokyo"}}]}})",
                                kCampaign, to_rfc3339(wall_now() + from_now)));
    };
    const Reply late = submit_until(std::chrono::hours{24});
    EXPECT_EQ(late.status, 422U) << late.text;
    EXPECT_NE(late.text.find("outside_window"), std::string::npos) << late.text;
    EXPECT_EQ(submit_until(std::chrono::hours{24 * 4}).status, 202U);
    const Reply bad = mine("POST", "/v1/batches",
                           R"({"template": {"from": {"email": "x@acme.example"}, "subject": "s", "text": "t"},
                               "recipients": [{"email": "ann@example.net", "time_zone": "Mars/Base"}]})");
    EXPECT_EQ(bad.status, 422U);
    EXPECT_NE(bad.text.find(R"("field":"recipients[0].time_zone")"), std::string::npos) << bad.text;
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
