// Batches, messages, events, and the platform client's injection call.
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "api_fixture.h"

namespace penguin::control::api::test {
namespace {

constexpr const char* kTemplate =
    R"("template": {"from": {"email": "sales@acme.example", "name": "Acme"}, "subject": "Hi {{name}}", "text": "Dear {{name}}"})";

std::string batch(const std::string& recipients, const std::string& more = "")
{
    return std::string{"{"} + kTemplate + R"(, "recipients": )" + recipients + (more.empty() ? "" : ", " + more) + "}";
}

class SendingTest : public ApiTest {
protected:
    SendingTest()
    {
        add_source();
        make_verified_domain(tenant_, "acme.example");
    }
    Reply mine(std::string_view method, std::string_view target, std::string_view body = "",
               const http::Fields& fields = {})
    {
        return call(tenant_.credential, method, target, body, fields);
    }
    void add_event(const std::string& batch_id, int index, int position, const std::string& kind)
    {
        sql(fmt::format("insert into analytics.events values ('{}', '{}', {}, {}, '{}', 1, 250, "
                        "'2026-11-24T04:29:07Z', null, 1500, true, false, "
                        "false, null, null, 'tok:{}', 'ann@example.net', '', '', 'body', '2.0.0', 'ok', "
                        "'mx.example.net', '192.0.2.10', "
                        "'mx.example.net (192.0.2.99)')",
                        tenant_.id.value().text(), batch_id, index, position, kind, position));
    }
    Tenant tenant_ = make_tenant("Acme");
};

TEST_F(SendingTest, WhatFindsTheBacklogFullIsToldWhenToComeBack)
{
    backlog_->add(PoolName{"default"}, kBacklogMax);
    const Reply refused = mine("POST", "/v1/batches", batch(R"([{"email": "ann@example.net"}])"));
    EXPECT_EQ(refused.status, 503U) << refused.text;
    EXPECT_EQ(refused.code(), "unavailable");
    EXPECT_EQ(refused.header("Retry-After"), "5");
    EXPECT_NE(refused.text.find("waits for its queue"), std::string::npos) << refused.text;
}

TEST_F(SendingTest, ABatchIsAcceptedAndCounted)
{
    const Reply accepted =
        mine("POST", "/v1/batches", batch(R"([{"email": "ann@example.net", "name": "Ann", "variables": {"n": 1}},
                                                                 {"email": "bob@example.net"}])"));
    ASSERT_EQ(accepted.status, 202U) << accepted.text;
    EXPECT_EQ(accepted.at("accepted"), "2");
    const std::string path = accepted.header("Location");
    const Reply found = mine("GET", path);
    ASSERT_EQ(found.status, 200U) << found.text;
    EXPECT_EQ(found.at("id"), accepted.at("id"));
    EXPECT_EQ(
        json::serialize(found.object().at("counts")),
        R"({"total":2,"queued":2,"delivered":0,"bounced":0,"deferred":0,"expired":0,"suppressed":0,"cancelled":0})");
    sql("insert into analytics.batch_counts (tenant_id, batch_id, delivered, deferred) values ('" +
        tenant_.id.value().text() + "', '" + accepted.at("id") + "', 1, 3)");
    EXPECT_EQ(
        json::serialize(mine("GET", path).object().at("counts")),
        R"({"total":2,"queued":1,"delivered":1,"bounced":0,"deferred":3,"expired":0,"suppressed":0,"cancelled":0})");
    EXPECT_EQ(mine("GET", "/v1/batches").object().at("data").as_array().at(0), mine("GET", path).body);
    EXPECT_EQ(mine("POST", path + "/cancel").at("cancelled"), "1");
    ASSERT_EQ(cancelled_.size(), 1U);
    EXPECT_EQ(cancelled_.front().first, tenant_.id);
}

TEST_F(SendingTest, BadRecipientsAreNamedAndTheOthersGo)
{
    mine("POST", "/v1/suppressions", R"({"address": "no@example.net"})");
    const Reply accepted = mine("POST", "/v1/batches", batch(R"([{"email": "ann@example.net"}, {"email": "nobody"},
        {"email": "ANN@example.net"}, {"email": "No@example.net"}])"));
    ASSERT_EQ(accepted.status, 202U) << accepted.text;
    EXPECT_EQ(accepted.at("accepted"), "1");
    EXPECT_EQ(accepted.at("refused"), "3");
    std::string codes;
    for (const json::value& refused : accepted.object().at("refused_recipients").as_array())
        codes += json::serialize(refused.at("index")) + " " + std::string{refused.at("code").as_string()} + ";";
    EXPECT_EQ(codes, "1 bad_address;2 duplicate_recipient;3 suppressed;");
    const Reply none = mine("POST", "/v1/batches", batch(R"([{"email": "nobody"}])"));
    EXPECT_EQ(none.status, 422U);
    EXPECT_EQ(none.code(), "no_recipient_accepted");
    EXPECT_NE(none.text.find(R"("field":"recipients[0].email","code":"bad_address")"), std::string::npos) << none.text;
}

TEST_F(SendingTest, ABatchHasItsTimesAndTheyAreHeldAgainstEachOther)
{
    const std::string ann = R"([{"email": "ann@example.net"}])";
    const std::string soon = to_rfc3339(wall_now() + std::chrono::hours{1});
    const std::string later = to_rfc3339(wall_now() + std::chrono::hours{2});
    const auto times = [&](const std::string& not_before, const std::string& expires) {
        return mine("POST", "/v1/batches",
                    batch(ann, fmt::format(R"("not_before": "{}", "expires_at": "{}")", not_before, expires)));
    };
    ASSERT_EQ(times(soon, later).status, 202U);
    EXPECT_EQ(
        sql(fmt::format("select count(*) from queue.batches where not_before = '{}' and expires = '{}'", soon, later)),
        "1");
    const Reply over_before_it_begins = times(later, soon);
    EXPECT_EQ(over_before_it_begins.status, 422U);
    EXPECT_NE(over_before_it_begins.text.find(R"("field":"expires_at")"), std::string::npos)
        << over_before_it_begins.text;
    const Reply too_late = times(to_rfc3339(wall_now() + std::chrono::hours{31 * 24}), later);
    EXPECT_NE(too_late.text.find(R"("field":"not_before")"), std::string::npos) << too_late.text;
}

TEST_F(SendingTest, TheSameKeyGivesTheSameAnswer)
{
    const std::string body = batch(R"([{"email": "ann@example.net"}])");
    const http::Fields key{{"Idempotency-Key", "k-1"}};
    const Reply first = mine("POST", "/v1/batches", body, key);
    const Reply again = mine("POST", "/v1/batches", body, key);
    EXPECT_EQ(first.status, 202U);
    EXPECT_EQ(again.status, 202U);
    EXPECT_EQ(again.text, first.text);
    EXPECT_EQ(first.header("Idempotency-Replayed"), "");
    EXPECT_EQ(again.header("Idempotency-Replayed"), "true");
    const Reply other = mine("POST", "/v1/batches", batch(R"([{"email": "bob@example.net"}])"), key);
    EXPECT_EQ(other.status, 422U);
    EXPECT_EQ(other.code(), "idempotency_key_reused");
    EXPECT_EQ(sql("select count(*) from queue.batches"), "1");
    for (const char* bad : {"", "a b", "\xC3\xA9"})
        EXPECT_EQ(mine("POST", "/v1/batches", body, {{"Idempotency-Key", bad}}).status, 422U) << bad;
    EXPECT_EQ(mine("POST", "/v1/batches", body, {{"Idempotency-Key", std::string(256, 'k')}}).status, 422U);
}

TEST_F(SendingTest, ADomainThatIsNotVerifiedSendsNothing)
{
    std::string body = batch(R"([{"email": "ann@example.net"}])");
    body.replace(body.find("acme.example"), 12, "other.example");
    const Reply refused = mine("POST", "/v1/batches", body);
    EXPECT_EQ(refused.status, 422U);
    EXPECT_EQ(refused.code(), "domain_not_verified");
}

TEST_F(SendingTest, ASuspendedTenantSendsNothing)
{
    platform("PATCH", "/v1/tenants/" + tenant_.id.value().text(), R"({"suspended": true})");
    const Reply refused = mine("POST", "/v1/batches", batch(R"([{"email": "ann@example.net"}])"));
    EXPECT_EQ(refused.status, 403U) << refused.text;
    EXPECT_EQ(refused.code(), "tenant_suspended");
    EXPECT_EQ(mine("GET", "/v1/batches").status, 200U) << "it may still look";
}

TEST_F(SendingTest, TenThousandRecipientsAreTakenAndOneMoreIsNot)
{
    json::array recipients;
    for (int i = 0; i < 10'000; ++i) recipients.push_back({{"email", fmt::format("r{}@example.net", i)}});
    const Reply accepted = mine("POST", "/v1/batches", batch(json::serialize(recipients)));
    ASSERT_EQ(accepted.status, 202U) << accepted.text.substr(0, 500);
    EXPECT_EQ(accepted.at("accepted"), "10000");
    recipients.push_back({{"email", "one@example.net"}});
    const Reply refused = mine("POST", "/v1/batches", batch(json::serialize(recipients)));
    EXPECT_EQ(refused.status, 422U);
    EXPECT_NE(refused.text.find(R"("field":"recipients","code":"too_many")"), std::string::npos) << refused.text;
}

TEST_F(SendingTest, AMessageTellsItsEvents)
{
    const Reply accepted = mine("POST", "/v1/batches", batch(R"([{"email": "Ann@example.net"}])"));
    const std::string id = accepted.at("id");
    const std::string path = "/v1/messages/" + id + ".0";
    const Reply queued = mine("GET", path);
    ASSERT_EQ(queued.status, 200U) << queued.text;
    EXPECT_EQ(queued.at("recipient"), "Ann@example.net");
    EXPECT_EQ(queued.at("state"), "queued");
    add_event(id, 0, 1, "deferred");
    EXPECT_EQ(mine("GET", path).at("state"), "deferred");
    add_event(id, 0, 2, "delivered");
    const Reply delivered = mine("GET", path);
    EXPECT_EQ(delivered.at("state"), "delivered");
    const json::array& events = delivered.object().at("events").as_array();
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(events[1].at("id"), json::string{id + ".0:tok:2"});
    EXPECT_EQ(events[1].at("at"), "2026-11-24T04:29:07.000Z");
    EXPECT_EQ(events[1].at("tls"), true);
    add_event(id, 0, 3, "deferred");
    EXPECT_EQ(mine("GET", path).at("state"), "delivered") << "a deferral that was told late changes nothing";
    for (const char* other : {".1", ".00", ".10000", "", ".x"})
        EXPECT_EQ(mine("GET", "/v1/messages/" + id + other).status, 404U);
}

TEST_F(SendingTest, EventsComeNewestFirstInPagesAndByFilter)
{
    const std::string first = mine("POST", "/v1/batches", batch(R"([{"email": "a@example.net"}])")).at("id");
    const std::string second = mine("POST", "/v1/batches", batch(R"([{"email": "b@example.net"}])")).at("id");
    add_event(first, 0, 1, "deferred");
    add_event(first, 0, 2, "delivered");
    add_event(second, 0, 3, "bounced");
    const auto ids = [&](const std::string& query) {
        std::string text;
        const Reply page = mine("GET", "/v1/events" + query);
        EXPECT_EQ(page.status, 200U) << query << page.text;
        for (const json::value& event : page.object().at("data").as_array()) {
            const std::string id{event.at("id").as_string()};
            text += id.substr(id.rfind(':') + 1);
        }
        return text;
    };
    EXPECT_EQ(ids(""), "321");
    EXPECT_EQ(ids("?kind=delivered"), "2");
    EXPECT_EQ(ids("?batch=" + first), "21");
    EXPECT_EQ(ids("?since=2026-11-24T04:29:07Z"), "321");
    EXPECT_EQ(ids("?since=2026-11-24T05:29:08%2B01:00"), "");
    EXPECT_EQ(ids("?limit=2"), "32");
    const std::string cursor = mine("GET", "/v1/events?limit=2").at("next_cursor");
    EXPECT_EQ(ids("?limit=2&cursor=" + http::percent_encoded(cursor)), "1");
    for (const char* query : {"?kind=sent", "?batch=x", "?since=now", "?cursor=AAAA", "?page=2"})
        EXPECT_EQ(mine("GET", std::string{"/v1/events"} + query).status, 422U) << query;
}

// reference: what the platform's client sends today.
TEST_F(SendingTest, ThePlatformsClientIsServed)
{
    EXPECT_EQ(call("", "OPTIONS", "/api/inject/v1").status, 204U);
    const std::string content =
        "From: Acme <sales@acme.example>\nTo: {{email}}\nSubject: Hi {{name}}\nMIME-Version: 1.0\n"
        "Content-Type: text/html; charset=utf-8\n\n<p>Dear {{name}}</p>\n";
    const json::object body{{"envelope_sender", "sales@acme.example"},
                            {"content", content},
                            {"recipients",
                             {{{"email", "ann@example.net"}, {"name", "Ann"}, {"substitutions", {{"name", "Ann"}}}},
                              {{"email", "nobody"}},
                              {{"email", "bob@example.net"}}}}};
    const Reply injected = mine("POST", "/api/inject/v1", json::serialize(body));
    ASSERT_EQ(injected.status, 200U) << injected.text;
    EXPECT_EQ(injected.at("success_count"), "2");
    EXPECT_EQ(injected.at("fail_count"), "1");
    EXPECT_EQ(injected.at("failed_recipients"), R"(["nobody"])");
    EXPECT_EQ(injected.object().at("errors").as_array().size(), 1U);
    const json::array& ids = injected.object().at("message_ids").as_array();
    ASSERT_EQ(ids.size(), 2U);
    EXPECT_EQ(injected.object().at("message_id"), ids[0]);
    EXPECT_EQ(mine("GET", "/v1/messages/" + std::string{ids[1].as_string()}).at("recipient"), "bob@example.net");

    const json::object built{{"envelope_sender", "sales@acme.example"},
                             {"content",
                              {{"text_body", "Dear {{name}}"},
                               {"subject", "Hi"},
                               {"from", {{"email", "sales@acme.example"}, {"name", "A"}}}}},
                             {"recipients", json::array{{{"email", "ann@example.net"}, {"name", nullptr}}}}};
    EXPECT_EQ(mine("POST", "/api/inject/v1", json::serialize(built)).at("success_count"), "1");
}

TEST_F(SendingTest, AnInjectionOfRefusedRecipientsOnlyIsNoError)
{
    const json::object body{{"envelope_sender", "sales@acme.example"},
                            {"content", "From: sales@acme.example\nSubject: Hi\n\nHello\n"},
                            {"recipients", json::array{{{"email", "nobody"}}}}};
    const Reply injected = mine("POST", "/api/inject/v1", json::serialize(body));
    EXPECT_EQ(injected.status, 200U) << injected.text;
    EXPECT_EQ(injected.at("success_count"), "0");
    EXPECT_EQ(injected.at("fail_count"), "1");
    EXPECT_EQ(injected.at("message_id"), "");
}

TEST_F(SendingTest, AnInjectionOfAnotherDomainIsRefused)
{
    const json::object body{{"envelope_sender", "x@other.example"},
                            {"content", "From: x@other.example\nSubject: Hi\n\nHello\n"},
                            {"recipients", json::array{{{"email", "ann@example.net"}}}}};
    EXPECT_EQ(mine("POST", "/api/inject/v1", json::serialize(body)).code(), "domain_not_verified");
}

} // namespace
} // namespace penguin::control::api::test
