// Tenant A's things do not exist for tenant B: for every route of a tenant, made from the route table, B's call with A's ids is
// answered exactly as a call with ids that nobody has: same status, same head, same body. A route without a probe fails.
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "api_fixture.h"
#include "probes.h"
#include "statement_log.h"

namespace penguin::control::api::test {
namespace {

// Both answers without what must differ: the names that the call itself gave, what is made fresh in any case.
std::string comparable(const Reply& reply, const Named& named)
{
    std::string text = fmt::format("{}\n{}\n{}", reply.status, reply.head, reply.text);
    const auto blank = [&](const std::string& word, const char* by) {
        for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos;) text.replace(at, word.size(), by);
    };
    blank(named.message, "<message>");
    blank(named.domain, "<domain>");
    blank(named.key, "<key>");
    blank(named.address, "<address>");
    blank(named.batch, "<batch>");
    blank(named.campaign, "<campaign>");
    return text;
}

// POSTs that make something answer with fresh ids, keys and times: of these only what a client could learn from counts.
std::string shape_of(const json::value& value)
{
    if (value.is_object()) {
        std::string text = "{";
        for (const auto& [name, inner] : value.get_object()) text += std::string{name} + ":" + shape_of(inner) + ",";
        return text + "}";
    }
    if (value.is_array()) {
        std::string text = "[";
        for (const json::value& inner : value.get_array()) text += shape_of(inner) + ",";
        return text + "]";
    }
    return value.is_bool() || value.is_null() ? json::serialize(value) : std::string{json::to_string(value.kind())};
}

constexpr const char* kCampaign = "01936f8a-0000-7000-8000-0000000000cc"; // A's

class TenancyTest : public ApiTest {
protected:
    TenancyTest()
    {
        add_source();
        make_verified_domain(a_, "acme.example");
        call(a_.credential, "POST", "/v1/suppressions", R"({"address": "no@acme.example"})");
        const Reply batch =
            call(a_.credential, "POST", "/v1/batches", batch_from("acme.example"), {{"Idempotency-Key", "key"}});
        EXPECT_EQ(batch.status, 202U) << batch.text;
        const std::string id = a_.id.value().text();
        EXPECT_EQ(call(a_.credential, "POST", std::string{"/v1/campaigns/"} + kCampaign + "/pause").status, 200U);
        sql("insert into analytics.batch_counts (tenant_id, batch_id, delivered) values ('" + id + "', '" +
            batch.at("id") + "', 1)");
        sql("insert into analytics.events values ('" + id + "', '" + batch.at("id") +
            "', 0, 1, 'delivered', 1, 250, now(), null, 1, true, false, false, null, null, 'k', 'r', '', '', '', '', "
            "'', '', '', '')");
        theirs_ = Named{.domain = "acme.example",
                        .key = sql("select id from control.api_keys where tenant_id = '" + id + "'"),
                        .address = "no@acme.example",
                        .batch = batch.at("id"),
                        .message = batch.at("id") + ".0",
                        .campaign = kCampaign};
    }

    // Everything that A has, in one hash.
    std::string rows_of_a()
    {
        std::string all;
        for (const char* table :
             {"control.api_keys", "control.domains", "control.dkim_keys", "control.suppressions", "control.idempotency",
              "control.campaigns", "content.contents", "queue.batches", "analytics.events", "analytics.batch_counts"})
            all += std::string{table} +
                   sql(fmt::format("select md5(string_agg(t::text, ',' order by t::text)) || count(*) from {} t "
                                   "where tenant_id = '{}'",
                                   table, a_.id.value().text()));
        return all + sql("select t::text from control.tenants t where id = '" + a_.id.value().text() + "'");
    }

    Reply probe(const Tenant& tenant, const http::Route& route, const Named& named)
    {
        const Probe& with = probes().at(std::string{http::name_of(route.method)} + " " + route.pattern);
        std::string target = with.target(named);
        if (target.ends_with("cursor=")) target = "/v1/api-keys"; // lists take no names
        return call(tenant.credential, http::name_of(route.method), target, with.body(named));
    }

    Tenant a_ = make_tenant("A");
    Named theirs_;
    // Same lengths as A's, so that Content-Length is equal too.
    const Named nobodys_{.domain = "none.example",
                         .key = "01936f8a-0000-7000-8000-000000000001",
                         .address = "xx@none.example",
                         .batch = "01936f8a-0000-7000-8000-000000000002",
                         .message = "01936f8a-0000-7000-8000-000000000002.0",
                         .campaign = "01936f8a-0000-7000-8000-000000000003"};
};

TEST_F(TenancyTest, WhatIsAnothersIsAsIfItWereNotThere)
{
    ASSERT_EQ(theirs_.domain.size(), nobodys_.domain.size());
    ASSERT_EQ(theirs_.address.size(), nobodys_.address.size());
    const std::string before = rows_of_a();
    std::size_t probed = 0;
    for (const http::Route& route : router_.routes()) {
        if (route.audience != http::Audience::tenant) continue;
        const std::string name = std::string{http::name_of(route.method)} + " " + route.pattern;
        SCOPED_TRACE(name);
        if (!probes().contains(name)) {
            ADD_FAILURE() << "a route of a tenant has no probe here";
            continue;
        }
        // A tenant each, so that what one call makes is not there for the other.
        const Tenant b = make_tenant("B");
        const Tenant c = make_tenant("C");
        const Reply others = probe(b, route, theirs_);
        const Reply nobodys = probe(c, route, nobodys_);
        EXPECT_LT(others.status, 500U) << others.text;
        const bool fresh =
            others.status == 201U || name == "GET /v1/api-keys" || name.starts_with("POST /v1/campaigns");
        if (fresh) { // ids, keys, times
            EXPECT_EQ(nobodys.status, others.status) << nobodys.text;
            EXPECT_EQ(shape_of(others.body), shape_of(nobodys.body));
        } else {
            EXPECT_EQ(comparable(others, theirs_), comparable(nobodys, nobodys_));
        }
        for (const std::string& word : {theirs_.batch, theirs_.key, a_.id.value().text()})
            if (probes().at(name).target(theirs_).find(word) == std::string::npos)
                EXPECT_EQ(others.text.find(word), std::string::npos) << "told something of A's";
        ++probed;
    }
    EXPECT_EQ(probed, probes().size()) << "a probe whose route is gone";
    EXPECT_EQ(rows_of_a(), before);
    EXPECT_TRUE(cancelled_.empty());
}

// What is not there takes as long as what is another's: the same statements in the same order, so that no clock can tell them apart.
TEST_F(TenancyTest, WhatIsAnothersTakesTheStatementsOfWhatIsNotThere)
{
    StatementLog log{postgres_, database_name_};
    const auto said = [&](const Tenant& tenant, const http::Route& route, const Named& named) {
        log.news();
        probe(tenant, route, named);
        std::vector<std::string> texts;
        for (const Logged& one : log.news()) texts.push_back(one.sql);
        return texts;
    };
    for (const http::Route& route : router_.routes()) {
        if (route.audience != http::Audience::tenant || !route.pattern.contains('{')) continue;
        SCOPED_TRACE(std::string{http::name_of(route.method)} + " " + route.pattern);
        const Tenant b = make_tenant("B");
        const Tenant c = make_tenant("C");
        const std::vector<std::string> others = said(b, route, theirs_);
        const std::vector<std::string> nobodys = said(c, route, nobodys_);
        EXPECT_EQ(others, nobodys);
        EXPECT_GT(others.size(), 4U) << "the look-up of the credential, and one more";
    }
}

TEST_F(TenancyTest, ListsHoldOnlyOnesOwn)
{
    const Tenant b = make_tenant("B");
    for (const char* list : {"/v1/domains", "/v1/suppressions", "/v1/batches", "/v1/campaigns", "/v1/events"})
        EXPECT_EQ(call(b.credential, "GET", list).text, R"({"data":[],"next_cursor":null})") << list;
    EXPECT_EQ(call(b.credential, "GET", "/v1/api-keys").object().at("data").as_array().size(), 1U);
    for (const char* list :
         {"/v1/domains", "/v1/suppressions", "/v1/batches", "/v1/campaigns", "/v1/events", "/v1/api-keys"})
        EXPECT_EQ(call(a_.credential, "GET", list).object().at("data").as_array().size(), 1U) << list;
}

TEST_F(TenancyTest, AnothersCursorAndIdempotencyKeyOpenNothing)
{
    const Tenant b = make_tenant("B");
    make_verified_domain(b, "b.example");
    const Reply mine = call(b.credential, "POST", "/v1/batches", batch_from("b.example"), {{"Idempotency-Key", "key"}});
    EXPECT_EQ(mine.status, 202U) << mine.text;
    EXPECT_EQ(mine.header("Idempotency-Replayed"), "");
    call(a_.credential, "POST", "/v1/batches", batch_from("acme.example"));
    const std::string cursor = call(a_.credential, "GET", "/v1/batches?limit=1").at("next_cursor");
    ASSERT_NE(cursor, "null");
    const Reply page = call(b.credential, "GET", "/v1/batches?cursor=" + http::percent_encoded(cursor));
    EXPECT_EQ(page.text.find(theirs_.batch), std::string::npos);
}

TEST_F(TenancyTest, RoutesOfThePlatformAreClosedToTenantsWhateverTheyName)
{
    const std::string before = rows_of_a();
    const Tenant b = make_tenant("B");
    for (const http::Route& route : router_.routes()) {
        if (route.audience != http::Audience::platform) continue;
        std::string mine = route.pattern;
        for (const char* parameter : {"{tenant}", "{key}", "{pool}", "{source}", "{version}", "{pause}"}) {
            const std::size_t at = mine.find(parameter);
            if (at == std::string::npos) continue;
            mine.replace(at, std::string{parameter}.size(), at < 14 ? a_.id.value().text() : theirs_.key);
        }
        const Reply refused = call(b.credential, http::name_of(route.method), mine, R"({"suspended": true})");
        EXPECT_EQ(refused.status, 403U) << route.pattern;
        EXPECT_EQ(refused.code(), "platform_required") << route.pattern;
        EXPECT_EQ(call("", http::name_of(route.method), mine).status, 401U) << route.pattern;
    }
    EXPECT_EQ(rows_of_a(), before);
}

TEST_F(TenancyTest, ThePlatformsCredentialIsNoTenants)
{
    for (const http::Route& route : router_.routes()) {
        if (route.audience != http::Audience::tenant) continue;
        EXPECT_EQ(platform(http::name_of(route.method), route.pattern, "{}").code(), "tenant_required")
            << route.pattern;
    }
}

} // namespace
} // namespace penguin::control::api::test
