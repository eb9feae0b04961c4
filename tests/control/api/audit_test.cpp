// What the API leaves in the audit log: each route that changes something, by the route table, and each kind of refusal.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include "api_fixture.h"
#include "control/audit/record_text.h"
#include "control/auth/jwks_file.h"
#include "engine/base/day.h"
#include "probes.h"
#include "tests/support/run.h"

namespace penguin::control::api::test {
namespace {

// They are the ledger's: every message of them has its events.
const std::set<std::string> kNotAudited{"POST /v1/batches", "POST /api/inject/v1"};

// They only answer.
const std::set<std::string> kChangeNothing{"POST /v1/rules/check", "POST /v1/rules/try"};

struct Step {
    const char* route;
    const char* action;
    std::function<Reply()> good;
    std::function<Reply()> refused;
    std::size_t records = 1;
};

class AuditTest : public ApiTest {
protected:
    std::size_t count() const { return std::stoul(sql("select count(*) from control.audit")); }
    std::string last(const std::string& column) const
    {
        return sql("select " + column + " from control.audit order by seq desc limit 1");
    }
    Reply mine(std::string_view method, const std::string& target, std::string_view body = "")
    {
        return call(a_.credential, method, target, body);
    }
    bool write_events() { return tests::run(io_, audit_->write(std::chrono::steady_clock::now())); }
    std::string counted(const std::string& action) const
    {
        return sql("select coalesce(sum((detail::jsonb ->> 'count')::int), 0) from control.audit where action = '" +
                   action + "'");
    }
    // The whole log by the API, oldest first.
    std::vector<audit::AuditRecord> log()
    {
        std::vector<audit::AuditRecord> records;
        std::string cursor;
        do {
            const Reply page = platform("GET", "/v1/audit?limit=7" +
                                                   (cursor.empty() ? "" : "&cursor=" + http::percent_encoded(cursor)));
            EXPECT_EQ(page.status, 200U) << page.text;
            for (const json::value& one : page.object().at("data").as_array()) {
                auto record = audit::parse_record(json::serialize(one));
                EXPECT_TRUE(record) << record.error().detail << json::serialize(one);
                if (record) records.insert(records.begin(), *record);
            }
            cursor = page.object().at("next_cursor").is_null() ? "" : page.at("next_cursor");
        } while (!cursor.empty());
        return records;
    }

    Tenant a_ = make_tenant("A");
    const std::string id_ = a_.id.value().text();
    const std::string nobody_ = "01936f8a-0000-7000-8000-000000000009";
};

std::string today() { return day_text(std::chrono::floor<std::chrono::days>(wall_now())); }

std::string signal_on(const std::string& day)
{
    return R"({"scope": "domain", "subject": "acme.example", "kind": "complaints", "origin": "o", "value": 1, "day": ")" +
           day + "\"}";
}

class EveryRoute : public AuditTest {
protected:
    std::string kept_; // what a step made, for the next

    Reply make(const Reply& made)
    {
        kept_ = made.at("id");
        return made;
    }

    std::vector<Step> of_the_platform()
    {
        const std::string source = R"({"address": "192.0.2.1", "ehlo_name": "m.example", "pool": "warm", "node": "n"})";
        const std::string key = R"({"name": "k", "scopes": ["events:read"]})";
        return {
            {"POST /v1/tenants", "tenant.created",
             [this] { return make(platform("POST", "/v1/tenants", R"({"name": "x"})")); },
             [this] { return platform("POST", "/v1/tenants", R"({"name": "x", "id": ")" + kept_ + "\"}"); }},
            {"PATCH /v1/tenants/{tenant}", "tenant.updated",
             [this] { return platform("PATCH", "/v1/tenants/" + kept_, R"({"suspended": true})"); },
             [this] { return platform("PATCH", "/v1/tenants/" + kept_, R"({"pool": "nowhere"})"); }},
            {"DELETE /v1/tenants/{tenant}", "tenant.deleted",
             [this] { return platform("DELETE", "/v1/tenants/" + kept_); },
             [this] { return platform("DELETE", "/v1/tenants/" + kept_); }, 2}, // two transactions
            {"POST /v1/tenants/{tenant}/api-keys", "api_key.created",
             [this, key] { return make(platform("POST", "/v1/tenants/" + id_ + "/api-keys", key)); },
             [this, key] { return platform("POST", "/v1/tenants/" + nobody_ + "/api-keys", key); }},
            {"DELETE /v1/tenants/{tenant}/api-keys/{key}", "api_key.revoked",
             [this] { return platform("DELETE", "/v1/tenants/" + id_ + "/api-keys/" + kept_); },
             [this] { return platform("DELETE", "/v1/tenants/" + id_ + "/api-keys/" + kept_); }},
            {"POST /v1/pools", "pool.created", [this] { return platform("POST", "/v1/pools", R"({"name": "warm"})"); },
             [this] { return platform("POST", "/v1/pools", R"({"name": "warm"})"); }},
            {"POST /v1/sources", "source.created",
             [this, source] { return make(platform("POST", "/v1/sources", source)); },
             [this, source] { return platform("POST", "/v1/sources", source); }},
            {"PUT /v1/sources/{source}/warmup", "warmup.assigned",
             [this] { return platform("PUT", "/v1/sources/" + kept_ + "/warmup", R"({"plan": "cold"})"); },
             [this] { return platform("PUT", "/v1/sources/" + nobody_ + "/warmup", R"({"plan": "cold"})"); }},
            {"PATCH /v1/sources/{source}/warmup/{provider}", "warmup.set",
             [this] { return platform("PATCH", "/v1/sources/" + kept_ + "/warmup/gmail", R"({"stage": 3})"); },
             [this] { return platform("PATCH", "/v1/sources/" + kept_ + "/warmup/none", R"({"stage": 3})"); }},
            {"DELETE /v1/sources/{source}/warmup", "warmup.ended",
             [this] { return platform("DELETE", "/v1/sources/" + kept_ + "/warmup"); },
             [this] { return platform("DELETE", "/v1/sources/" + kept_ + "/warmup"); }},
            {"PUT /v1/signals", "signal.put", [this] { return platform("PUT", "/v1/signals", signal_on(today())); },
             [this] { return platform("PUT", "/v1/signals", signal_on("someday")); }},
            {"DELETE /v1/sources/{source}", "source.deleted",
             [this] { return platform("DELETE", "/v1/sources/" + kept_); },
             [this] { return platform("DELETE", "/v1/sources/" + kept_); }},
            {"DELETE /v1/pools/{pool}", "pool.deleted", [this] { return platform("DELETE", "/v1/pools/warm"); },
             [this] { return platform("DELETE", "/v1/pools/default"); }},
            {"POST /v1/pauses/{pause}/resume", "pause.resumed",
             [this] {
                 kept_ = Uuid::v7(wall_now()).text();
                 sql("insert into control.pauses (id, scope, subject, place, rule, reply, node, since, until) values "
                     "('" +
                     kept_ + "', 'source', '192.0.2.1', '', 'r', '', 'n', now(), now() + interval '1 hour')");
                 return platform("POST", "/v1/pauses/" + kept_ + "/resume");
             },
             [this] { return platform("POST", "/v1/pauses/" + kept_ + "/resume"); }},
            {"PUT /v1/rules", "rules.changed", [this] { return platform("PUT", "/v1/rules", R"({"text": "# none"})"); },
             [this] { return platform("PUT", "/v1/rules", R"({"text": "none"})"); }},
            {"POST /v1/rules/versions/{version}/rollback", "rules.rolled_back",
             [this] { return platform("POST", "/v1/rules/versions/0/rollback"); },
             [this] { return platform("POST", "/v1/rules/versions/9/rollback"); }},
            {"POST /v1/queue/reconcile", "queue.reconciled",
             [this] { return platform("POST", "/v1/queue/reconcile", R"({"pool": "default"})"); },
             [this] {
                 reconcilable_ = false;
                 return platform("POST", "/v1/queue/reconcile", R"({"pool": "default"})");
             }},
        };
    }

    std::vector<Step> of_a_tenant()
    {
        const std::string domain = R"({"name": "acme.example"})";
        const std::string address = R"({"address": "ann@example.net"})";
        return {
            {"POST /v1/domains", "domain.created",
             [this, domain] {
                 const Reply made = mine("POST", "/v1/domains", domain);
                 publish(made);
                 return made;
             },
             [this, domain] { return mine("POST", "/v1/domains", domain); }},
            {"POST /v1/domains/{domain}/verify", "domain.verified",
             [this] { return mine("POST", "/v1/domains/acme.example/verify"); },
             [this] { return mine("POST", "/v1/domains/other.example/verify"); }},
            {"POST /v1/batches/{batch}/cancel", "batch.cancelled",
             [this] {
                 const Reply batch = mine("POST", "/v1/batches", batch_from("acme.example"));
                 EXPECT_EQ(batch.status, 202U) << batch.text;
                 return mine("POST", "/v1/batches/" + batch.at("id") + "/cancel");
             },
             [this] { return mine("POST", "/v1/batches/" + nobody_ + "/cancel"); }},
            {"POST /v1/campaigns/{campaign}/pause", "campaign.paused",
             [this] { return mine("POST", "/v1/campaigns/" + nobody_ + "/pause"); },
             [this] { return mine("POST", "/v1/campaigns/x/pause"); }},
            {"POST /v1/campaigns/{campaign}/resume", "campaign.resumed",
             [this] { return mine("POST", "/v1/campaigns/" + nobody_ + "/resume"); },
             [this] { return mine("POST", "/v1/campaigns/x/resume"); }},
            {"POST /v1/campaigns/{campaign}/window", "campaign.window_set",
             [this] { return mine("POST", "/v1/campaigns/" + nobody_ + "/window", kWindow); },
             [this] { return mine("POST", "/v1/campaigns/" + nobody_ + "/window", "{}"); }},
            {"DELETE /v1/campaigns/{campaign}/window", "campaign.window_removed",
             [this] { return mine("DELETE", "/v1/campaigns/" + nobody_ + "/window"); },
             [this] { return mine("DELETE", "/v1/campaigns/x/window"); }},
            {"POST /v1/campaigns/{campaign}/cancel", "campaign.cancelled",
             [this] { return mine("POST", "/v1/campaigns/" + nobody_ + "/cancel"); },
             [this] { return mine("POST", "/v1/campaigns/" + nobody_ + "/pause"); }}, // it is final
            {"DELETE /v1/domains/{domain}", "domain.deleted",
             [this] { return mine("DELETE", "/v1/domains/acme.example"); },
             [this] { return mine("DELETE", "/v1/domains/acme.example"); }},
            {"POST /v1/api-keys", "api_key.created",
             [this] { return make(mine("POST", "/v1/api-keys", R"({"name": "k", "scopes": ["keys:read"]})")); },
             [this] { return mine("POST", "/v1/api-keys", R"({"name": "k", "scopes": ["tenants:write"]})"); }},
            {"DELETE /v1/api-keys/{key}", "api_key.revoked", [this] { return mine("DELETE", "/v1/api-keys/" + kept_); },
             [this] { return mine("DELETE", "/v1/api-keys/" + kept_); }},
            {"POST /v1/suppressions", "suppression.added",
             [this, address] { return mine("POST", "/v1/suppressions", address); },
             [this] { return mine("POST", "/v1/suppressions", R"({"address": "ann"})"); }},
            {"DELETE /v1/suppressions/{address}", "suppression.removed",
             [this] { return mine("DELETE", "/v1/suppressions/ann@example.net"); },
             [this] { return mine("DELETE", "/v1/suppressions/ann@example.net"); }},
        };
    }

    void go(const Step& step, const std::string& tenant)
    {
        SCOPED_TRACE(step.route);
        std::size_t before = count();
        const Reply good = step.good();
        EXPECT_LT(good.status, 300U) << good.text;
        EXPECT_EQ(count(), before + step.records);
        EXPECT_EQ(last("action"), step.action);
        EXPECT_EQ(last("request_id"), "id");
        EXPECT_EQ(last("peer"), "127.0.0.1");
        EXPECT_EQ(last("actor").size(), 36U) << "the id of the API key";
        if (!tenant.empty()) EXPECT_EQ(last("tenant_id"), tenant);
        before = count();
        const Reply refused = step.refused();
        EXPECT_GE(refused.status, 400U) << refused.text;
        EXPECT_EQ(count(), before) << last("action") << " of what did not happen";
    }
};

TEST_F(EveryRoute, ThatChangesSomethingLeavesOneRecordAndNoneWhenItIsRefused)
{
    std::set<std::string> changing;
    for (const http::Route& route : router_.routes())
        if (route.method != http::Method::get && route.method != http::Method::options)
            changing.insert(std::string{http::name_of(route.method)} + " " + route.pattern);
    std::set<std::string> covered = kNotAudited;
    covered.insert(kChangeNothing.begin(), kChangeNothing.end());
    for (const Step& step : of_the_platform()) {
        go(step, "");
        covered.insert(step.route);
    }
    add_source();
    for (const Step& step : of_a_tenant()) {
        go(step, id_);
        covered.insert(step.route);
    }
    EXPECT_EQ(covered, changing) << "a route that changes something has no step here";
    audit::ChainCheck check;
    for (const audit::AuditRecord& record : log()) EXPECT_EQ(check.take(record), std::nullopt);
    EXPECT_EQ(std::to_string(check.head().seq), sql("select seq from control.audit_head"));
}

TEST_F(AuditTest, WhatChangesNothingLeavesNothing)
{
    add_source();
    make_verified_domain(a_, "acme.example");
    mine("POST", "/v1/suppressions", R"({"address": "bob@example.net"})");
    const std::size_t before = count();
    EXPECT_EQ(mine("POST", "/v1/domains/acme.example/verify").at("verified"), "true");
    EXPECT_EQ(mine("POST", "/v1/suppressions", R"({"address": "bob@example.net"})").status, 201U);
    EXPECT_EQ(mine("POST", "/v1/batches", batch_from("acme.example")).status, 202U);
    EXPECT_EQ(mine("POST", "/api/inject/v1", injection_from("acme.example")).status, 200U);
    EXPECT_EQ(count(), before);
}

TEST_F(AuditTest, NoRecordHoldsAnAddressOrASecret)
{
    const Reply key = mine("POST", "/v1/api-keys", R"({"name": "of ann", "scopes": ["keys:read"]})");
    mine("POST", "/v1/suppressions", R"({"address": "ann@example.net", "reason": "she asked"})");
    mine("DELETE", "/v1/suppressions/ann@example.net");
    const ApiKey unknown = ApiKey::make(wall_now());
    call("Bearer " + unknown.text(), "GET", "/v1/domains");
    call("Bearer " + key.at("key") + "x", "GET", "/v1/domains");
    ASSERT_TRUE(write_events());
    const std::string all = sql("select string_agg(a::text, ' ') from control.audit a");
    EXPECT_NE(all.find("auth.failed"), std::string::npos);
    for (const std::string& word : {std::string{"ann"}, std::string{"asked"}, key.at("secret"), unknown.secret,
                                    unknown.id.text(), key.at("secret").substr(0, 10)})
        EXPECT_EQ(all.find(word), std::string::npos) << word;
    EXPECT_NE(all.find(R"(""count"":1)"), std::string::npos) << all;
}

TEST_F(AuditTest, WrongCredentialsAndDeniedRequestsAreThere)
{
    for (int i = 0; i < 3; ++i) EXPECT_EQ(call("Bearer wrong", "GET", "/v1/domains").status, 401U);
    EXPECT_EQ(mine("GET", "/v1/tenants/" + nobody_).status, 403U);
    const Reply poor = mine("POST", "/v1/api-keys", R"({"name": "k", "scopes": ["keys:read"]})");
    EXPECT_EQ(call("Bearer " + poor.at("key"), "GET", "/v1/domains").status, 403U);
    EXPECT_EQ(platform("GET", "/v1/domains").status, 403U);
    ASSERT_TRUE(write_events());
    EXPECT_EQ(counted("auth.failed"), "3");
    EXPECT_EQ(counted("request.denied"), "3");
    const auto denied = [&](const char* why) {
        return sql(
            "select resource || ' ' || coalesce(tenant_id::text, 'platform') || ' ' || actor from control.audit where "
            "action = 'request.denied' and detail::jsonb ->> 'why' = '" +
            std::string{why} + "'");
    };
    EXPECT_TRUE(denied("platform_required").starts_with("GET /v1/tenants/{tenant} " + id_ + " "))
        << "no id that was asked for";
    EXPECT_EQ(denied("insufficient_scope"), "GET /v1/domains " + id_ + " " + poor.at("id"));
    EXPECT_TRUE(denied("tenant_required").starts_with("GET /v1/domains platform "));
}

TEST_F(AuditTest, AForgedTokenIsThere)
{
    const std::filesystem::path file = testing::TempDir() + "penguin-audit-jwks-" + std::to_string(::getpid());
    std::ofstream{file} << R"({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})";
    auto jwks = JwksFile::load(file, std::chrono::steady_clock::now());
    std::filesystem::remove(file);
    ASSERT_TRUE(jwks);
    CredentialAuthenticator::Options options{
        .hash_key = {}, .jwks = std::make_shared<JwksFile>(std::move(*jwks)), .rules = {}};
    CredentialAuthenticator with_tokens{*keys_, std::move(options), *audit_, metrics_};
    // {"alg":"HS256","typ":"at+jwt","kid":"k"} and {"platform":true}
    const std::string token =
        "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6ImsifQ.eyJwbGF0Zm9ybSI6dHJ1ZX0.c2lnbmF0dXJl";
    EXPECT_FALSE(tests::run(io_, with_tokens.authenticate("Bearer " + token, asio::ip::make_address("192.0.2.7"))));
    ASSERT_TRUE(write_events());
    EXPECT_EQ(counted("auth.forged_token"), "1");
    EXPECT_EQ(last("peer"), "192.0.2.7");
    EXPECT_EQ(sql("select count(*) from control.audit where detail like '%eyJ%'"), "0");
}

TEST_F(AuditTest, IsReadByThePlatformAloneAndFiltered)
{
    add_source();
    mine("POST", "/v1/suppressions", R"({"address": "ann@example.net"})");
    const auto seqs = [this](const std::string& query) {
        const Reply page = platform("GET", "/v1/audit?" + query);
        EXPECT_EQ(page.status, 200U) << page.text;
        return page.object().at("data").as_array().size();
    };
    const std::size_t all = count();
    EXPECT_EQ(seqs(""), all);
    EXPECT_EQ(seqs("action=source.created"), 1U);
    EXPECT_EQ(seqs("action=none"), 0U);
    EXPECT_EQ(seqs("tenant=" + id_), 3U) << "made, a key for it, its suppression";
    EXPECT_EQ(seqs("tenant=" + id_ + "&action=tenant.created"), 1U);
    EXPECT_EQ(seqs("since=2099-01-01T00:00:00Z"), 0U);
    EXPECT_EQ(seqs("until=2099-01-01T00:00:00Z"), all);
    EXPECT_EQ(seqs("until=2020-01-01T00:00:00Z"), 0U);
    EXPECT_EQ(log().size(), all);
    for (const char* query : {"since=x", "tenant=x", "cursor=x", "limit=0", "actor=x"})
        EXPECT_EQ(platform("GET", std::string{"/v1/audit?"} + query).status, 422U) << query;
    EXPECT_EQ(mine("GET", "/v1/audit").code(), "platform_required");
}

} // namespace
} // namespace penguin::control::api::test
