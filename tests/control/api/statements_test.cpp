// Every statement that a tenant's calls run, under another tenant and under none: it finds and changes nothing of the first one's.
// The statements are those that PostgreSQL logs while every route of a tenant is called, so none can be forgotten.
#include <algorithm>
#include <compare>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "control/db/pg_connection.h"
#include "probes.h"
#include "tests/support/run.h"

namespace penguin::control::api::test {
namespace {

using namespace std::chrono_literals;
using tests::run;

struct Logged {
    std::string sql;
    std::string parameters; // as EXECUTE takes them: "'a', NULL"; "" for none
    friend auto operator<=>(const Logged&, const Logged&) = default;
};

// "$1 = 'x', $2 = NULL" without the names. A quote inside a value is doubled.
std::string values_of(const std::string& detail)
{
    std::string out;
    bool quoted = false;
    for (std::size_t i = 0; i < detail.size(); ++i) {
        if (detail[i] == '\'') quoted = !quoted;
        if (!quoted && detail[i] == '$') {
            i = detail.find(" = ", i) + 2;
            continue;
        }
        out += detail[i];
    }
    return out;
}

// The kind ("LOG", "DETAIL") and the text of each entry. Its further lines begin with a tab.
std::vector<std::pair<std::string, std::string>> entries_of(const std::string& log)
{
    std::vector<std::pair<std::string, std::string>> entries;
    std::istringstream lines{log};
    for (std::string line; std::getline(lines, line);) {
        const std::size_t process = line.find("] ");
        const std::size_t text = line.find(":  ", std::min(process, line.size()));
        if (!line.starts_with("20") || text == std::string::npos) {
            if (!entries.empty()) entries.back().second += "\n" + line;
            continue;
        }
        entries.emplace_back(line.substr(process + 2, text - process - 2), line.substr(text + 3));
    }
    return entries;
}

// Statements of the extended protocol, which are ours: the helpers of the tests use the simple one.
std::set<Logged> statements_in(const std::string& log)
{
    constexpr std::string_view kExecute = "execute ";
    constexpr std::string_view kParameters = "parameters: ";
    const auto entries = entries_of(log);
    std::set<Logged> found;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const auto& [kind, text] = entries[i];
        const std::size_t colon = text.find(": ");
        if (kind != "LOG" || !text.starts_with(kExecute) || colon == std::string::npos) continue;
        Logged logged{text.substr(colon + 2), ""};
        if (i + 1 < entries.size() && entries[i + 1].first == "DETAIL" &&
            entries[i + 1].second.starts_with(kParameters))
            logged.parameters = values_of(entries[i + 1].second.substr(kParameters.size()));
        found.insert(std::move(logged));
    }
    return found;
}

bool sets_the_scene(const std::string& sql)
{
    return sql.contains("set_config") || sql.starts_with("begin") || sql.starts_with("BEGIN") ||
           sql.starts_with("commit") || sql.starts_with("COMMIT") || sql.starts_with("rollback") ||
           sql.starts_with("ROLLBACK");
}

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
    ~StatementsTest() override
    {
        postgres_.sql("postgres", "alter system reset all");
        postgres_.sql("postgres", "select pg_reload_conf()");
    }

    std::string log() const
    {
        std::ifstream in{postgres_.folder() + "/log"};
        std::ostringstream text;
        text << in.rdbuf();
        return text.str();
    }

    // What A's calls of every route say to PostgreSQL. What takes things away comes last.
    std::set<Logged> statements_of_every_route()
    {
        postgres_.sql("postgres", "alter system set log_statement = 'all'");
        postgres_.sql("postgres", "alter system set log_parameter_max_length = -1");
        postgres_.sql("postgres", "select pg_reload_conf()");
        for (int i = 0; i < 500 && sql("show log_statement") != "all"; ++i) std::this_thread::sleep_for(10ms);
        const std::size_t before = log().size();
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
        const std::string text = log().substr(before);
        return statements_in(text);
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

    // By pm_api for that tenant ("" is none), committed. Gives what a SELECT found as one text.
    Result<std::string> replay(db::PgConnection& connection, const Logged& logged, const std::string& tenant)
    {
        std::vector<db::Statement> all{{"begin", {}},
                                       {"select set_config('app.current_tenant_id', $1, true)", db::Params{tenant}}};
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

    Tenant a_ = make_tenant("A");
    Named theirs_;
};

TEST_F(StatementsTest, FindAndChangeNothingOfAnotherTenant)
{
    const std::set<Logged> statements = statements_of_every_route();
    std::set<std::string> texts;
    for (const Logged& logged : statements)
        if (!sets_the_scene(logged.sql)) texts.insert(logged.sql);
    ASSERT_GE(texts.size(), 20U) << "the log does not show what was said";

    // A's things once more, since the calls took them away.
    call(a_.credential, "POST", "/v1/domains", R"({"name": "acme.example"})");
    call(a_.credential, "POST", "/v1/suppressions", R"({"address": "no@acme.example"})");
    const std::string before = rows_of_a();
    const std::string other = make_tenant("B").id.value().text();
    auto api = run(io_, db::PgConnection::connect(db::ConnectOptions{postgres_.dsn(database_name_, "pm_api"), "", 5s}));
    ASSERT_TRUE(api) << api.error().detail;
    std::size_t ran = 0;
    std::size_t found_by_owner = 0;
    for (const Logged& logged : statements) {
        if (sets_the_scene(logged.sql)) continue;
        if (logged.sql.starts_with("select ") && replay(**api, logged, a_.id.value().text()).value_or("") != "")
            ++found_by_owner;
        for (const std::string& who : {other, std::string{}}) {
            SCOPED_TRACE(logged.sql + "\n(" + logged.parameters + ") as " + (who.empty() ? "nobody" : "another"));
            const Result<std::string> said = replay(**api, logged, who);
            if (!said) continue; // refused by a policy; that it is no error of this test, `ran` shows
            ++ran;
            for (const std::string& word :
                 {a_.id.value().text(), theirs_.batch, theirs_.key, theirs_.domain, theirs_.address, theirs_.campaign})
                EXPECT_EQ(said->find(word), std::string::npos) << *said;
        }
    }
    EXPECT_GE(found_by_owner, 5U) << "they are what A's calls said";
    EXPECT_GT(ran, texts.size()) << "most of them are no error, they only find nothing";
    EXPECT_EQ(rows_of_a(), before);
}

} // namespace
} // namespace penguin::control::api::test
