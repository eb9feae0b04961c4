// Tenants, pools, sources and what watches the daemon.
#include <boost/json/array.hpp>

#include "api_fixture.h"

namespace penguin::control::api::test {
namespace {

class PlatformTest : public ApiTest {};

TEST_F(PlatformTest, TenantsAreMadeReadChangedAndDeleted)
{
    const Reply made = platform("POST", "/v1/tenants", R"({"name": "Acme", "weight": 2.5})");
    ASSERT_EQ(made.status, 201U) << made.text;
    const std::string path = "/v1/tenants/" + made.at("id");
    EXPECT_EQ(made.header("Location"), path);
    EXPECT_EQ(made.header("ETag"), "\"1\"");
    EXPECT_EQ(made.at("weight"), "2.5E0");
    EXPECT_EQ(made.at("pool"), "default");
    EXPECT_EQ(made.at("suspended"), "false");

    const Reply changed =
        platform("PATCH", path, R"({"suspended": true, "name": "Acme Ltd"})", {{"If-Match", "\"1\""}});
    ASSERT_EQ(changed.status, 200U) << changed.text;
    EXPECT_EQ(changed.header("ETag"), "\"2\"");
    EXPECT_EQ(changed.at("suspended"), "true");
    EXPECT_EQ(changed.at("weight"), "2.5E0") << "what the change does not name stays";
    Reply got = platform("GET", path);
    EXPECT_EQ(got.at("usage"), "null") << "it has no limit";
    got.body.as_object().erase("usage");
    EXPECT_EQ(got.body, changed.body);

    EXPECT_EQ(platform("DELETE", path).status, 204U);
    EXPECT_EQ(platform("GET", path).status, 404U);
    EXPECT_EQ(platform("PATCH", path, R"({"name": "x"})").status, 404U);
    EXPECT_EQ(platform("DELETE", path).status, 404U);
}

TEST_F(PlatformTest, LimitsOfATenantAreSetAndTakenAway)
{
    const Reply made =
        platform("POST", "/v1/tenants", R"({"name": "Acme", "rate": "500/hour", "monthly_quota": 50000})");
    ASSERT_EQ(made.status, 201U) << made.text;
    EXPECT_EQ(made.at("rate"), "500/hour");
    EXPECT_EQ(made.at("monthly_quota"), "50000");
    const std::string path = "/v1/tenants/" + made.at("id");
    const Reply changed = platform("PATCH", path, R"({"monthly_quota": 0})");
    EXPECT_EQ(changed.at("monthly_quota"), "0") << changed.text;
    EXPECT_EQ(changed.at("rate"), "500/hour") << "what the change does not name stays";
    const Reply freed = platform("PATCH", path, R"({"monthly_quota": -1, "rate": "unlimited"})");
    EXPECT_EQ(freed.at("monthly_quota"), "-1") << freed.text;
    EXPECT_EQ(freed.at("rate"), "unlimited");
    EXPECT_EQ(
        sql("select (detail::jsonb->>'rate') || (detail::jsonb->>'monthly_quota') from control.audit where action = "
            "'tenant.created' or "
            "action = 'tenant.updated' order by seq desc limit 1"),
        "unlimited-1");

    const char* const wrong[] = {R"({"rate": "500"})",         R"({"rate": "0/hour"})",
                                 R"({"rate": 500})",           R"({"rate": ""})",
                                 R"({"rate": "1/day"})",       R"({"monthly_quota": -2})",
                                 R"({"monthly_quota": 1.5})",  R"({"monthly_quota": "many"})",
                                 R"({"monthly_quota": null})", R"({"monthly_quota": 1e13})"};
    for (const char* body : wrong) {
        const Reply refused = platform("PATCH", path, body);
        EXPECT_EQ(refused.status, 422U) << body << refused.text;
        EXPECT_NE(
            refused.text.find(std::string{body}.contains("rate") ? R"("field":"rate")" : R"("field":"monthly_quota")"),
            std::string::npos)
            << refused.text;
    }
}

TEST_F(PlatformTest, ATenantSaysHowItStandsUnderItsLimits)
{
    const std::string path = "/v1/tenants/" + platform("POST", "/v1/tenants", R"({"name": "Acme"})").at("id");
    const auto usage = [&] { return platform("GET", path).at("usage"); };
    const WallTime later = from_unix_ms(1'796'083'200'000);
    standing_ = queue::TenantStanding{.limits = {.rate = {}, .monthly_quota = 100},
                                      .month = "2026-11",
                                      .used = 99,
                                      .rate_left = 0,
                                      .rate_until = {},
                                      .month_ends = later};
    EXPECT_EQ(usage(), R"({"month":"2026-11","used":99,"bound":100,"until":"2026-12-01T00:00:00.000Z","holds":[]})");
    standing_->used = 100;
    EXPECT_NE(
        usage().find(
            R"("holds":[{"limit":"tenant_quota","scope":"tenant","used":100,"bound":100,"until":"2026-12-01T00:00:00.000Z"}])"),
        std::string::npos)
        << usage();
    standing_->used.reset();
    EXPECT_NE(usage().find(R"({"limit":"tenant_uncounted","scope":"tenant","used":null,"bound":100,"until":null})"),
              std::string::npos)
        << usage();
    standing_->limits = {.rate = queue::TenantRate{10, std::chrono::hours{1}}, .monthly_quota = {}};
    standing_->rate_until = later;
    EXPECT_NE(usage().find(R"("used":null,"bound":null)"), std::string::npos) << usage();
    EXPECT_NE(
        usage().find(
            R"([{"limit":"tenant_rate","scope":"tenant","used":null,"bound":"10/hour","until":"2026-12-01T00:00:00.000Z"}])"),
        std::string::npos)
        << usage();
    standing_ = fail(Errc::unavailable, "Redis is away");
    EXPECT_EQ(usage(), "null");
}

TEST_F(PlatformTest, AChangeOfAnOldVersionIsRefused)
{
    const std::string path = "/v1/tenants/" + platform("POST", "/v1/tenants", R"({"name": "Acme"})").at("id");
    for (const char* etag : {"\"2\"", "\"0\"", "1", "\"\"", "W/\"1\"", "\"1", "\"99999999999999999999\""}) {
        const Reply refused = platform("PATCH", path, R"({"name": "x"})", {{"If-Match", etag}});
        EXPECT_EQ(refused.status, 412U) << etag;
        EXPECT_EQ(refused.code(), "precondition_failed");
    }
    EXPECT_EQ(platform("PATCH", path, R"({"name": "x"})", {{"If-Match", "*"}}).status, 200U);
    EXPECT_EQ(platform("PATCH", path, R"({"name": "y"})").at("version"), "3");
}

TEST_F(PlatformTest, APlatformMayChooseTheIdOnce)
{
    const std::string body = R"({"name": "Acme", "id": "5a3c1c9e-6f0e-4f0e-9d5e-0a1b2c3d4e5f"})";
    EXPECT_EQ(platform("POST", "/v1/tenants", body).status, 201U);
    const Reply again = platform("POST", "/v1/tenants", body);
    EXPECT_EQ(again.status, 409U);
    EXPECT_EQ(again.code(), "conflict");
}

TEST_F(PlatformTest, BadTenantsAreRefusedFieldByField)
{
    const Reply refused =
        platform("POST", "/v1/tenants", R"({"name": "", "weight": 0, "pool": 5, "suspended": "no", "tenant_id": "x"})");
    EXPECT_EQ(refused.status, 422U);
    EXPECT_EQ(refused.object().at("errors").as_array().size(), 5U) << refused.text;
    const Reply poolless = platform("POST", "/v1/tenants", R"({"name": "Acme", "pool": "nowhere"})");
    EXPECT_EQ(poolless.status, 422U);
    EXPECT_NE(poolless.text.find(R"("field":"pool","code":"not_found")"), std::string::npos) << poolless.text;
    EXPECT_EQ(platform("POST", "/v1/tenants", "{").code(), "malformed_json");
    const std::string path = "/v1/tenants/" + platform("POST", "/v1/tenants", R"({"name": "Acme"})").at("id");
    EXPECT_EQ(platform("PATCH", path, "{}").status, 422U);
    EXPECT_EQ(platform("GET", "/v1/tenants/acme").status, 404U);
}

TEST_F(PlatformTest, ListsComeInPages)
{
    for (int i = 0; i < 5; ++i) platform("POST", "/v1/tenants", R"({"name": "t)" + std::to_string(i) + "\"}");
    std::vector<std::string> names;
    std::string cursor;
    int pages = 0;
    do {
        const Reply page =
            platform("GET", "/v1/tenants?limit=2" + (cursor.empty() ? "" : "&cursor=" + http::percent_encoded(cursor)));
        ASSERT_EQ(page.status, 200U) << page.text;
        for (const json::value& tenant : page.object().at("data").as_array())
            names.emplace_back(tenant.as_object().at("name").as_string());
        cursor = page.object().at("next_cursor").is_null() ? "" : page.at("next_cursor");
        ++pages;
    } while (!cursor.empty());
    EXPECT_EQ(pages, 3);
    EXPECT_EQ(names, (std::vector<std::string>{"t4", "t3", "t2", "t1", "t0"}));
}

TEST_F(PlatformTest, BadQueriesAreRefused)
{
    for (const char* query : {"limit=0", "limit=501", "limit=x", "limit=", "limit=-1", "limit=1.5", "cursor=x",
                              "cursor=", "cursor=YQ==", "offset=1"}) {
        const Reply refused = platform("GET", std::string{"/v1/tenants?"} + query);
        EXPECT_EQ(refused.status, 422U) << query << refused.text;
    }
}

TEST_F(PlatformTest, ATenantWithUnfinishedMailStays)
{
    const Tenant tenant = make_tenant("Acme");
    const std::string id = tenant.id.value().text();
    sql("insert into queue.batches (tenant_id, id, pool, content_id, sender, prio, expires, recipients, chunk_size, "
        "total, created) "
        "values ('" +
        id + "', '01936f8a-0000-7000-8000-000000000001', 'default', 'c', 's', 1, now(), '{}', 1, 2, now())");
    EXPECT_EQ(platform("DELETE", "/v1/tenants/" + id).status, 409U);
    sql("insert into analytics.batch_counts (tenant_id, batch_id, delivered, bounced) values ('" + id +
        "', '01936f8a-0000-7000-8000-000000000001', 1, 1)");
    EXPECT_EQ(platform("DELETE", "/v1/tenants/" + id).status, 204U);
    EXPECT_EQ(sql("select count(*) from control.api_keys where tenant_id = '" + id + "'"), "0");
}

TEST_F(PlatformTest, PoolsAndSourcesAreMadeListedAndDeleted)
{
    EXPECT_EQ(platform("POST", "/v1/pools", R"({"name": "warm", "description": "old ones"})").status, 201U);
    EXPECT_EQ(platform("POST", "/v1/pools", R"({"name": "warm"})").status, 409U);
    EXPECT_EQ(platform("POST", "/v1/pools", R"({"name": "Warm!"})").status, 422U);
    EXPECT_EQ(platform("GET", "/v1/pools/warm").at("description"), "old ones");
    EXPECT_EQ(platform("GET", "/v1/pools").object().at("data").as_array().size(), 2U);

    const std::string body = R"({"address": "192.0.2.1", "ehlo_name": "MTA1.example", "pool": "warm", "node": "n1"})";
    const Reply source = platform("POST", "/v1/sources", body);
    ASSERT_EQ(source.status, 201U) << source.text;
    EXPECT_EQ(source.at("ehlo_name"), "mta1.example");
    EXPECT_EQ(source.at("address"), "192.0.2.1");
    const std::string path = source.header("Location");
    EXPECT_EQ(platform("GET", path).text, source.text);
    EXPECT_EQ(platform("POST", "/v1/sources", body).status, 409U) << "one address, one source";
    EXPECT_EQ(platform("GET", "/v1/sources").object().at("data").as_array().size(), 1U);
    EXPECT_EQ(platform("DELETE", "/v1/pools/warm").status, 409U) << "a source is in it";
    EXPECT_EQ(platform("DELETE", path).status, 204U);
    EXPECT_EQ(platform("DELETE", path).status, 404U);
    EXPECT_EQ(platform("DELETE", "/v1/pools/warm").status, 204U);
    EXPECT_EQ(platform("GET", "/v1/pools/warm").status, 404U);
    EXPECT_EQ(platform("DELETE", "/v1/pools/warm").status, 404U);
}

TEST_F(PlatformTest, BadSourcesAreRefused)
{
    for (const char* address : {"", "300.1.1.1", "0.0.0.0", "224.0.0.1", "fe80::1%1", "192.0.2.1/24", "mta.example"}) {
        const Reply refused = platform("POST", "/v1/sources",
                                       R"({"ehlo_name": "m.example", "pool": "default", "node": "n1", "address": ")" +
                                           std::string{address} + "\"}");
        EXPECT_EQ(refused.status, 422U) << address;
    }
    EXPECT_EQ(platform("POST", "/v1/sources",
                       R"({"ehlo_name": "m.example", "pool": "none", "node": "n1", "address": "192.0.2.1"})")
                  .status,
              422U);
}

TEST_F(PlatformTest, EveryChangeMovesTheSettings)
{
    const auto version = [&] { return std::stoll(sql("select settings from control.settings_version")); };
    auto last = version();
    const auto moved = [&](const char* what) {
        const auto now = version();
        EXPECT_GT(now, last) << what;
        last = now;
    };
    const std::string path = "/v1/tenants/" + platform("POST", "/v1/tenants", R"({"name": "Acme"})").at("id");
    moved("tenant made");
    platform("PATCH", path, R"({"suspended": true})");
    moved("tenant changed");
    platform("DELETE", path);
    moved("tenant deleted");
    add_source();
    moved("source made");
}

TEST_F(PlatformTest, WatchersNeedNoCredential)
{
    EXPECT_EQ(call("", "GET", "/healthz").text, R"({"status":"ok","checks":{"process":"ok"}})");
    const Reply ready = call("", "GET", "/readyz");
    EXPECT_EQ(ready.status, 503U);
    EXPECT_EQ(ready.text, R"({"status":"unavailable","checks":{"redis":"away"}})");
    EXPECT_NE(call("", "GET", "/metrics").text.find("# TYPE penguin_"), std::string::npos);
    const Reply described = call("", "GET", "/v1/openapi.yaml");
    EXPECT_TRUE(described.text.starts_with("openapi: 3.1.0"));
    EXPECT_EQ(described.header("Content-Type"), "application/yaml");
}

TEST_F(PlatformTest, WhatCannotBeReconciledNowIsToldWhenToComeBack)
{
    reconcilable_ = false;
    const Reply refused = platform("POST", "/v1/queue/reconcile", R"({"pool": "default"})");
    EXPECT_EQ(refused.status, 503U) << refused.text;
    EXPECT_EQ(refused.header("Retry-After"), "5");
    EXPECT_NE(refused.text.find("what the nodes hold"), std::string::npos) << refused.text;
}

TEST_F(PlatformTest, AnOutageOfPostgresIsSaidAndEnds)
{
    postgres_.stop();
    const Reply away = platform("GET", "/v1/pools");
    postgres_.start();
    EXPECT_EQ(away.status, 503U);
    EXPECT_EQ(away.code(), "unavailable");
    EXPECT_EQ(away.header("Retry-After"), "5");
    Reply back = platform("GET", "/v1/pools");
    for (int i = 0; i < 100 && back.status != 200; ++i) { // until the pool's back-off has passed
        std::this_thread::sleep_for(std::chrono::milliseconds{100});
        back = platform("GET", "/v1/pools");
    }
    EXPECT_EQ(back.status, 200U);
}

} // namespace
} // namespace penguin::control::api::test
