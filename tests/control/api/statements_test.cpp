// Every statement that a tenant's or the platform's calls run, under another tenant and under none: it finds and changes nothing
// of whose it is. The statements are those that PostgreSQL logs while every route is called, so none can be forgotten.
#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>

#include "control/db/pg_connection.h"
#include "engine/base/day.h"
#include "probes.h"
#include "statement_log.h"
#include "tests/support/run.h"

namespace penguin::control::api::test {
namespace {

using namespace std::chrono_literals;
using tests::run;

const std::string kPlatform = "the platform"; // who asks, where a tenant's id could stand

const std::map<std::string, std::string> kPlatformBodies{
    {"POST /v1/tenants", R"({"name": "made"})"},
    {"PATCH /v1/tenants/{tenant}", R"({"name": "renamed"})"},
    {"POST /v1/tenants/{tenant}/api-keys", R"({"name": "made", "scopes": ["keys:read"]})"},
    {"POST /v1/pools", R"({"name": "made"})"},
    {"POST /v1/sources", R"({"ehlo_name": "made.example", "pool": "default", "node": "n1", "address": "192.0.2.99"})"},
    {"PUT /v1/sources/{source}/warmup", R"({"plan": "cold"})"},
    {"PATCH /v1/sources/{source}/warmup/{provider}", R"({"stage": 2})"},
    {"PUT /v1/signals",
     R"({"scope": "domain", "subject": "acme.example", "kind": "complaints", "origin": "o", "value": 1, "day": ")" +
         day_text(std::chrono::floor<std::chrono::days>(wall_now())) + "\"}"},
    {"POST /v1/queue/reconcile", R"({"pool": "default"})"},
    {"PUT /v1/rules", R"({"text": "# again"})"},
    {"POST /v1/rules/check", R"({"text": ""})"},
    {"POST /v1/rules/try", R"({"reply": "550 no"})"},
};

// What the platform's routes name.
struct Platforms {
    std::string tenant, key, pool, source, pause;
    std::string target(std::string pattern) const
    {
        for (const auto& [parameter, value] : {std::pair<std::string, std::string>{"{tenant}", tenant},
                                               {"{key}", key},
                                               {"{pool}", pool},
                                               {"{provider}", "gmail"},
                                               {"{source}", source},
                                               {"{pause}", pause},
                                               {"{version}", "1"}})
            if (const std::size_t at = pattern.find(parameter); at != std::string::npos)
                pattern.replace(at, parameter.size(), value);
        return pattern;
    }
};

class StatementsTest : public ApiTest {
protected:
    StatementsTest()
    {
        add_source();
        make_verified_domain(a_, "acme.example");
        call(a_.credential, "POST", "/v1/suppressions", R"({"address": "no@acme.example"})");
        const Reply batch =
            call(a_.credential, "POST", "/v1/batches", batch_from("acme.example"), {{"Idempotency-Key", "key"}});
        EXPECT_EQ(batch.status, 202U) << batch.text;
        const std::string id = a_.id.value().text();
        const Reply spare =
            call(a_.credential, "POST", "/v1/api-keys", R"({"name": "spare", "scopes": ["keys:read"]})");
        theirs_ = Named{.domain = "acme.example",
                        .key = spare.at("id"),
                        .address = "no@acme.example",
                        .batch = batch.at("id"),
                        .message = batch.at("id") + ".0",
                        .campaign = "01936f8a-0000-7000-8000-0000000000cc"};
    }

    // What A's calls of every route say to PostgreSQL. What takes things away comes last.
    std::set<Logged> statements_of_every_route()
    {
        StatementLog log{postgres_, database_name_};
        for (const bool deleting : {false, true}) {
            for (const http::Route& route : router_.routes()) {
                if (route.audience != http::Audience::tenant || (route.method == http::Method::del) != deleting)
                    continue;
                const std::string name = std::string{http::name_of(route.method)} + " " + route.pattern;
                const Probe& probe = probes().at(name);
                std::string target = probe.target(theirs_);
                if (target.ends_with("cursor=")) target = "/v1/api-keys";
                const Reply reply = call(a_.credential, http::name_of(route.method), target, probe.body(theirs_));
                EXPECT_LT(reply.status, 500U) << name << ' ' << reply.text;
            }
        }
        const std::vector<Logged> all = log.news();
        return {all.begin(), all.end()};
    }

    // What the platform's calls of each of its routes say, about a tenant, a key, a pool and a source of their own. The longest
    // paths are deleted first: a key before its tenant.
    std::set<Logged> statements_of_the_platform(const Platforms& named)
    {
        std::vector<const http::Route*> routes;
        for (const http::Route& route : router_.routes())
            if (route.audience == http::Audience::platform) routes.push_back(&route);
        // Else in the order of the table, in which things are made before they are read.
        std::ranges::sort(routes, {}, [](const http::Route* route) {
            const bool deletes = route->method == http::Method::del;
            return std::pair{deletes ? 1000 - static_cast<int>(route->pattern.size()) : 0, route};
        });
        StatementLog log{postgres_, database_name_};
        for (const http::Route* route : routes) {
            const std::string name = std::string{http::name_of(route->method)} + " " + route->pattern;
            const auto body = kPlatformBodies.find(name);
            const Reply reply = platform(http::name_of(route->method), named.target(route->pattern),
                                         body == kPlatformBodies.end() ? "" : body->second);
            EXPECT_LT(reply.status, 300U) << name << ": give it a body in kPlatformBodies. " << reply.text;
        }
        const std::vector<Logged> all = log.news();
        return {all.begin(), all.end()};
    }

    Platforms make_platforms(const std::string& address, const std::string& pool)
    {
        Platforms made{.tenant = make_tenant("of the platform").id.value().text(),
                       .key = {},
                       .pool = pool,
                       .source = {},
                       .pause = {}};
        made.key = sql("select id from control.api_keys where tenant_id = '" + made.tenant + "'");
        platform("POST", "/v1/pools", R"({"name": ")" + pool + "\"}");
        add_source(address);
        platform("PUT", "/v1/rules", R"({"text": "# of the cold ones"})");
        sql("insert into analytics.unknown_replies values (current_date, 'rcpt', '550 a cold one', 1, 's', now()) "
            "on conflict do nothing");
        made.pause = Uuid::v7(wall_now()).text();
        sql("insert into control.pauses (id, scope, subject, place, rule, reply, node, since, until) values ('" +
            made.pause + "', 'source', '" + address + "', '', 'r', '', 'n', now(), now() + interval '1 hour')");
        made.source = sql("select id from control.sources where host(address) = '" + address + "'");
        return made;
    }

    // Not the tenants' own row of another tenant that the test makes meanwhile.
    std::string rows_of_the_platform()
    {
        std::string all;
        for (const char* table :
             {"control.platform_keys", "control.pools", "control.sources", "control.warmups", "control.warmup_lanes",
              "control.warmup_decisions", "control.signals", "control.global_suppressions", "control.rule_versions",
              "control.pauses", "analytics.unknown_replies", "(select * from control.tenants where name <> 'B')"})
            all +=
                sql(fmt::format("select md5(string_agg(t::text, ',' order by t::text)) || count(*) from {} t", table));
        return all;
    }

    std::string rows_of_a()
    {
        std::string all;
        for (const char* table :
             {"control.api_keys", "control.domains", "control.dkim_keys", "control.suppressions", "control.campaigns",
              "control.idempotency", "content.contents", "queue.batches", "analytics.batch_counts"})
            all += sql(fmt::format(
                "select md5(string_agg(t::text, ',' order by t::text)) || count(*) from {} t where tenant_id = '{}'",
                table, a_.id.value().text()));
        return all + sql("select t::text from control.tenants t where id = '" + a_.id.value().text() + "'");
    }

    // By pm_api for that tenant ("" is none) or for the platform, committed. Gives what a SELECT found as one text.
    Result<std::string> replay(db::PgConnection& connection, const Logged& logged, const std::string& who)
    {
        std::vector<db::Statement> all{{"begin", {}}};
        if (who == kPlatform)
            all.push_back({"select set_config('app.platform', 'on', true)", {}});
        else
            all.push_back({"select set_config('app.current_tenant_id', $1, true)", db::Params{who}});
        const bool reads = logged.sql.starts_with("select ");
        const std::string sql =
            reads ? "select coalesce(string_agg(q::text, '|'), '') as said from (" + logged.sql + ") q" : logged.sql;
        all.push_back({"prepare again as " + sql, {}});
        all.push_back({"execute again" + (logged.parameters.empty() ? "" : "(" + logged.parameters + ")"), {}});
        const auto rows = run(io_, connection.run(all, 10s));
        const auto ended = run(io_, connection.run({db::Statement{rows ? "commit" : "rollback", {}}}, 10s));
        run(io_, connection.run({db::Statement{"deallocate all", {}}}, 10s));
        if (!rows) return std::unexpected{rows.error()};
        if (!ended) return std::unexpected{ended.error()};
        return reads ? rows->back().front().get<std::string>("said") : std::string{};
    }

    struct Replayed {
        std::size_t texts = 0;          // different statements
        std::size_t ran = 0;            // times that one was no error
        std::size_t found_by_owner = 0; // of those that read, when whose they are asks
    };
    // Each of them as another tenant and as nobody: none of these words is in what it finds.
    Replayed replay_as_others(const std::set<Logged>& statements, const std::string& owner,
                              const std::vector<std::string>& words)
    {
        const std::string other = make_tenant("B").id.value().text();
        auto api =
            run(io_, db::PgConnection::connect(db::ConnectOptions{postgres_.dsn(database_name_, "pm_api"), "", 5s}));
        if (!api) throw std::runtime_error{api.error().detail};
        Replayed done;
        std::set<std::string> texts;
        for (const Logged& logged : statements) {
            if (sets_the_scene(logged.sql)) continue;
            texts.insert(logged.sql);
            if (logged.sql.starts_with("select ") && replay(**api, logged, owner).value_or("") != "")
                ++done.found_by_owner;
            for (const std::string& who : {other, std::string{}}) {
                SCOPED_TRACE(logged.sql + "\n(" + logged.parameters + ") as " + (who.empty() ? "nobody" : "another"));
                const Result<std::string> said = replay(**api, logged, who);
                if (!said) continue; // refused by a policy; that it is no error of this test, `ran` shows
                ++done.ran;
                for (const std::string& word : words) EXPECT_EQ(said->find(word), std::string::npos) << *said;
            }
        }
        done.texts = texts.size();
        return done;
    }

    Tenant a_ = make_tenant("A");
    Named theirs_;
};

TEST_F(StatementsTest, FindAndChangeNothingOfAnotherTenant)
{
    const std::set<Logged> statements = statements_of_every_route();
    // A's things once more, since the calls took them away.
    call(a_.credential, "POST", "/v1/domains", R"({"name": "acme.example"})");
    call(a_.credential, "POST", "/v1/suppressions", R"({"address": "no@acme.example"})");
    const std::string before = rows_of_a();
    const std::string a = a_.id.value().text();
    const Replayed done = replay_as_others(
        statements, a, {a, theirs_.batch, theirs_.key, theirs_.domain, theirs_.address, theirs_.campaign});
    EXPECT_GE(done.texts, 20U) << "the log does not show what was said";
    EXPECT_GE(done.found_by_owner, 5U) << "they are what A's calls said";
    EXPECT_GT(done.ran, done.texts) << "most of them are no error, they only find nothing";
    EXPECT_EQ(rows_of_a(), before);
}

TEST_F(StatementsTest, OfThePlatformFindAndChangeNothingWhenATenantOrNobodyAsks)
{
    const std::set<Logged> statements = statements_of_the_platform(make_platforms("192.0.2.20", "warm"));
    // Such things once more: what the statements name by id is gone, what they list is not.
    const Platforms named = make_platforms("192.0.2.21", "cold");
    const std::string before = rows_of_a() + rows_of_the_platform();
    const Replayed done =
        replay_as_others(statements, kPlatform,
                         {a_.id.value().text(), named.tenant, named.key, named.source, named.pause, "cold", "192.0.2"});
    EXPECT_GE(done.texts, 15U) << "the log does not show what was said";
    EXPECT_GE(done.found_by_owner, 5U) << "they are what the platform's calls said";
    EXPECT_GT(done.ran, done.texts / 2) << "those that read are no error, they only find nothing";
    EXPECT_EQ(rows_of_a() + rows_of_the_platform(), before);
}

} // namespace
} // namespace penguin::control::api::test
