// Reply rules by the API: versions and their writers, what is refused and how, trials, coverage.
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "api_fixture.h"

namespace penguin::control::api::test {
namespace {

std::string rule(const std::string& id)
{
    return fmt::format("[[rule]]\nid = '{}'\nprovider = 'gmail'\nsays = 'code 7'\nclass = 'rate_limited'\nwait = '2h'\n"
                       "kind = 'retry'\nreactions = [{{ do = 'pause', scope = 'lane', for = '1h' }}]\nnote = 'why'\n",
                       id);
}

class RulesTest : public ApiTest {
protected:
    Reply put(const std::string& text, const http::Fields& fields = {})
    {
        return platform("PUT", "/v1/rules", json::serialize(json::object{{"text", text}, {"comment", "because"}}),
                        fields);
    }
    Reply roll_back(const std::string& version, const http::Fields& fields = {})
    {
        return platform("POST", "/v1/rules/versions/" + version + "/rollback", "", fields);
    }
    static std::vector<std::string> values(const Reply& reply, const char* list, const char* field)
    {
        std::vector<std::string> out;
        for (const json::value& one : reply.object().at(list).as_array()) {
            const json::value& value = one.at(field);
            out.push_back(value.is_string() ? std::string{value.get_string()} : json::serialize(value));
        }
        return out;
    }
    std::string version() const { return sql("select settings from control.settings_version"); }
    std::string newest() const { return sql("select coalesce(max(number), 0) from control.rule_versions"); }
};

TEST_F(RulesTest, AVersionIsStoredWholeWithWhoWhenAndOverWhat)
{
    const std::string before = version();
    const Reply made = put(rule("one"));
    ASSERT_EQ(made.status, 200U) << made.text;
    EXPECT_EQ(made.at("version"), "1");
    EXPECT_EQ(made.header("ETag"), "\"1\"");
    EXPECT_EQ(made.at("comment"), "because");
    EXPECT_EQ(made.at("author").size(), 36U) << "the id of the key";
    EXPECT_EQ(made.at("shipped"), policy::shipped_rules_digest());
    EXPECT_EQ(made.at("rolled_back_to"), "null");
    EXPECT_EQ(made.at("octets"), std::to_string(rule("one").size()));
    EXPECT_NE(version(), before) << "or no node would see it";
    const Reply text = platform("GET", "/v1/rules/versions/1");
    EXPECT_EQ(text.text, rule("one"));
    EXPECT_EQ(text.header("Content-Type"), "application/toml");
}

TEST_F(RulesTest, WhatIsWrongIsNamedByRuleAndFieldAndNothingIsStored)
{
    const std::string before = version();
    const Reply refused = put(rule("one") + "[[rule]]\nid = 'x'\ncodes = [250]\nclass = 'bad'\n");
    EXPECT_EQ(refused.status, 422U);
    EXPECT_EQ(refused.code(), "validation_failed");
    const std::vector<std::string> details = values(refused, "errors", "detail");
    ASSERT_EQ(details.size(), 2U) << refused.text;
    EXPECT_TRUE(details[0].starts_with("rules:12: x: codes: ")) << details[0];
    EXPECT_TRUE(details[1].starts_with("rules:13: x: class: ")) << details[1];
    EXPECT_EQ(values(refused, "errors", "field"), (std::vector<std::string>{"text", "text"}));
    EXPECT_EQ(put("[[rule]]\nid = 'none'\noff = true\n").status, 422U);
    EXPECT_EQ(put("[[").status, 422U);
    EXPECT_EQ(platform("PUT", "/v1/rules", R"({"comment": "no text"})").status, 422U);
    EXPECT_EQ(put(std::string(policy::kRuleFileMax + 1, '#')).status, 422U);
    EXPECT_EQ(put("\xff").status, 400U);
    EXPECT_EQ(newest(), "0");
    EXPECT_EQ(version(), before);
}

TEST_F(RulesTest, WithIfMatchOnlyOverTheVersionItNames)
{
    EXPECT_EQ(put(rule("one"), {{"If-Match", "\"0\""}}).status, 200U);
    const Reply late = put(rule("two"), {{"If-Match", "\"0\""}});
    EXPECT_EQ(late.status, 412U);
    EXPECT_EQ(late.code(), "precondition_failed");
    for (const char* never : {"\"x\"", "1", "\"\"", "W/\"1\""})
        EXPECT_EQ(put(rule("two"), {{"If-Match", never}}).status, 412U) << never;
    EXPECT_EQ(roll_back("0", {{"If-Match", "\"0\""}}).status, 412U);
    EXPECT_EQ(newest(), "1");
    EXPECT_EQ(put(rule("two"), {{"If-Match", "\"1\""}}).status, 200U);
    EXPECT_EQ(put(rule("three"), {{"If-Match", "*"}}).status, 200U);
    EXPECT_EQ(newest(), "3");
}

TEST_F(RulesTest, ARollbackIsANewVersionWithAnOldText)
{
    put(rule("one"));
    put(rule("two"));
    const Reply back = roll_back("1");
    ASSERT_EQ(back.status, 200U) << back.text;
    EXPECT_EQ(back.at("version"), "3");
    EXPECT_EQ(back.at("rolled_back_to"), "1");
    EXPECT_EQ(platform("GET", "/v1/rules/versions/3").text, rule("one"));
    EXPECT_EQ(roll_back("0").at("version"), "4");
    EXPECT_EQ(platform("GET", "/v1/rules/versions/4").text, "");
    const Reply list = platform("GET", "/v1/rules/versions?limit=3");
    EXPECT_EQ(values(list, "data", "version"), (std::vector<std::string>{"4", "3", "2"}));
    EXPECT_EQ(values(list, "data", "rolled_back_to"), (std::vector<std::string>{"0", "1", "null"}));
    const Reply rest = platform("GET", "/v1/rules/versions?cursor=" + http::percent_encoded(list.at("next_cursor")));
    EXPECT_EQ(values(rest, "data", "version"), (std::vector<std::string>{"1"}));
}

TEST_F(RulesTest, OnlyWhatIsKeptAndStillFitsCanBeRolledBackTo)
{
    for (const char* none : {"7", "-1", "x", "99999999999999999999"}) {
        EXPECT_EQ(roll_back(none).status, 404U) << none;
        EXPECT_EQ(platform("GET", std::string{"/v1/rules/versions/"} + none).status, 404U) << none;
    }
    sql("insert into control.rule_versions (number, text, author, shipped, created) values "
        "(1, '[[rule]]\nid = ''gone''\noff = true\n', 'a', 's', now())");
    EXPECT_EQ(roll_back("1").status, 422U);
    EXPECT_EQ(newest(), "1");
}

TEST_F(RulesTest, AHundredVersionsAreKept)
{
    sql("insert into control.rule_versions (number, text, author, shipped, created) "
        "select n, '', 'a', 's', now() from generate_series(1, 100) n");
    EXPECT_EQ(put(rule("one")).at("version"), "101");
    EXPECT_EQ(sql("select count(*) || ' ' || min(number) from control.rule_versions"), "100 2");
}

TEST_F(RulesTest, TwoWritersAtTheSameMomentAreNotBothRight)
{
    // The other one's row is there, and not yet for us to see.
    sql("create function control.other() returns trigger language plpgsql as $$ begin "
        "raise unique_violation using message = 'the other was first'; end $$; "
        "create trigger other before insert on control.rule_versions for each row execute function control.other()");
    const Reply late = put(rule("one"));
    EXPECT_EQ(late.status, 409U);
    EXPECT_EQ(late.code(), "conflict");
}

TEST_F(RulesTest, WhatIsInForceIsTheNodesAndSaysWhereEachIsFrom)
{
    rules_.apply({4, wall_now(), rule("own")});
    rules_.apply({5, wall_now(), "[["});
    const Reply all = platform("GET", "/v1/rules");
    ASSERT_EQ(all.status, 200U) << all.text;
    EXPECT_EQ(all.at("version"), "4");
    EXPECT_EQ(all.header("ETag"), "\"4\"");
    EXPECT_EQ(all.object().at("refused").at("version"), 5);
    EXPECT_EQ(all.object().at("rules").as_array().size(), policy::shipped_rules()->rules().size() + 1);
    EXPECT_EQ(all.object().at("providers").as_array().size(), policy::shipped_rules()->providers().size());
    const Reply own = platform("GET", "/v1/rules?origin=stored");
    EXPECT_EQ(values(own, "rules", "id"), (std::vector<std::string>{"own"}));
    const json::object& one = own.object().at("rules").as_array().front().as_object();
    EXPECT_EQ(
        json::serialize(one),
        R"({"id":"own","origin":"stored","providers":["gmail"],"phases":[],"codes":[],"enhanced":[],"says":["code 7"],)"
        R"("class":"rate_limited","kind":"retry","suppress":false,"wait_s":7200,"life_s":null,)"
        R"("reactions":["pause lane 1h"],"verified":true,"note":"why"})");
    for (const std::string& origin : values(platform("GET", "/v1/rules?provider=yahoo"), "rules", "origin"))
        EXPECT_EQ(origin, "shipped");
    EXPECT_EQ(platform("GET", "/v1/rules?provider=yahoo").object().at("providers").as_array().size(), 1U);
    EXPECT_EQ(platform("GET", "/v1/rules?odd=1").status, 422U);
}

TEST_F(RulesTest, CheckSaysWhatPutWould)
{
    const Reply fine = platform("POST", "/v1/rules/check", json::serialize(json::object{{"text", rule("one")}}));
    ASSERT_EQ(fine.status, 200U) << fine.text;
    EXPECT_EQ(fine.at("own_rules"), "1");
    EXPECT_EQ(fine.at("rules"), std::to_string(policy::shipped_rules()->rules().size() + 1));
    const Reply wrong = platform("POST", "/v1/rules/check", R"({"text": "[[rule]]\nid = 'x'\n"})");
    EXPECT_EQ(wrong.status, 422U);
    EXPECT_EQ(values(wrong, "errors", "detail").front(), "rules:1: x: one of codes, enhanced and says is needed");
    EXPECT_EQ(newest(), "0");
}

TEST_F(RulesTest, TryAsksTheRulesInForce)
{
    const auto tried = [this](const std::string& body) { return platform("POST", "/v1/rules/try", body); };
    const std::string pasted =
        R"({"reply": "421-4.7.28 [192.0.2.1] code 7, unusual rate of mail from your IP address | 421 x", )"
        R"("provider": "gmail", "phase": "mail"})";
    EXPECT_EQ(tried(pasted).at("decided_by"), "gmail-4.7.28-ip");
    rules_.apply({1, wall_now(), rule("own")});
    const Reply own = tried(pasted);
    ASSERT_EQ(own.status, 200U) << own.text;
    EXPECT_EQ(own.at("decided_by"), "own");
    EXPECT_EQ(own.at("origin"), "stored");
    EXPECT_EQ(own.at("because"), R"(["provider gmail","it says /code 7/"])");
    EXPECT_EQ(own.at("kind"), "retry");
    EXPECT_EQ(own.at("wait_s"), "7200");
    EXPECT_EQ(own.at("reactions"), R"(["pause lane 1h"])");
    EXPECT_EQ(own.at("behind"), R"(["gmail-4.7.28-ip","gmail-4.7.28"])");
    const Reply codes = tried(R"({"reply": "550 5.7.1 no"})");
    EXPECT_EQ(codes.at("known"), "false");
    EXPECT_EQ(codes.at("decided_by"), "permanent-reply");
    EXPECT_EQ(codes.at("class"), "policy_refused");
    const Reply wrong = tried(R"({"reply": "hello", "provider": "nobody", "phase": "connect"})");
    EXPECT_EQ(wrong.status, 422U);
    EXPECT_EQ(values(wrong, "errors", "field"), (std::vector<std::string>{"provider", "phase", "reply"}));
}

TEST_F(RulesTest, CoverageAddsTheDaysUpAndBeginsWithTheMostFrequent)
{
    sql("insert into analytics.unknown_replies values "
        "(current_date, 'rcpt', '550 a', 2, 'new', now()), (current_date - 1, 'rcpt', '550 a', 3, 'old', now() - "
        "interval '1 day'),"
        "(current_date, 'mail', '421 b', 4, 's', now()), (current_date - 20, 'mail', '421 b', 100, 's', now())");
    const Reply week = platform("GET", "/v1/rules/coverage");
    ASSERT_EQ(week.status, 200U) << week.text;
    EXPECT_EQ(values(week, "replies", "reply"), (std::vector<std::string>{"550 a", "421 b"}));
    EXPECT_EQ(values(week, "replies", "count"), (std::vector<std::string>{"5", "4"}));
    EXPECT_EQ(values(week, "replies", "site").front(), "new");
    EXPECT_EQ(values(platform("GET", "/v1/rules/coverage?days=31"), "replies", "count").front(), "104");
    EXPECT_EQ(platform("GET", "/v1/rules/coverage?limit=1").object().at("replies").as_array().size(), 1U);
    for (const char* days : {"0", "32", "x"})
        EXPECT_EQ(platform("GET", std::string{"/v1/rules/coverage?days="} + days).status, 422U) << days;
}

TEST_F(RulesTest, NeedsItsScopes)
{
    sql("update control.platform_keys set scopes = array_remove(scopes, 'rules:write')");
    EXPECT_EQ(put(rule("one")).code(), "insufficient_scope");
    EXPECT_EQ(platform("GET", "/v1/rules").status, 200U);
}

} // namespace
} // namespace penguin::control::api::test
