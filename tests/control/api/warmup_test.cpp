// Warm-up plans of sources by the API: assigned, read, set by hand, ended; and signals of others.
#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "api_fixture.h"
#include "engine/base/day.h"

namespace penguin::control::api::test {
namespace {

std::string day_before(int days)
{
    return day_text(std::chrono::floor<std::chrono::days>(wall_now()) - std::chrono::days{days});
}

class WarmupTest : public ApiTest {
protected:
    WarmupTest()
    {
        add_source("192.0.2.10");
        source_ = sql("select id from control.sources");
        path_ = "/v1/sources/" + source_ + "/warmup";
    }
    static json::object share_of(const Reply& reply, std::string_view provider)
    {
        for (const json::value& one : reply.object().at("providers").as_array())
            if (one.at("provider").as_string() == provider) return one.as_object();
        throw std::runtime_error{reply.text};
    }
    std::string moves()
    {
        return sql("select string_agg(move || ':' || reason, ' ' order by id) from control.warmup_decisions");
    }

    std::string source_, path_;
};

TEST_F(WarmupTest, APlanIsAssignedReadAndEnded)
{
    EXPECT_EQ(platform("GET", path_).status, 404U);
    const auto version = [&] { return std::stoll(sql("select settings from control.settings_version")); };
    const auto before = version();
    const Reply made =
        platform("PUT", path_, R"({"plan": "cold", "start": "2026-03-10", "hour_from": 7, "hour_to": 19})");
    ASSERT_EQ(made.status, 200U) << made.text;
    EXPECT_GT(version(), before);
    EXPECT_EQ(made.at("plan"), "cold");
    EXPECT_EQ(made.at("start"), "2026-03-10");
    EXPECT_EQ(made.at("address"), "192.0.2.10");
    EXPECT_EQ(made.object().at("providers").as_array().size(), 6U);
    const json::object gmail = share_of(made, "gmail");
    EXPECT_EQ(gmail.at("stage"), 0);
    EXPECT_EQ(gmail.at("last_stage"), 22);
    EXPECT_EQ(gmail.at("cap"), 4) << "3.5 of ten";
    EXPECT_EQ(gmail.at("cap_set"), false);
    EXPECT_EQ(gmail.at("stopped"), false);
    EXPECT_TRUE(gmail.at("decided").is_null());
    EXPECT_EQ(gmail.at("today").at("sent"), 0);

    sql("insert into analytics.warmup_days (source, provider, day, sent, delivered, blocks) values ('192.0.2.10', "
        "'gmail', "
        "(now() at time zone 'UTC')::date, 7, 5, 2)");
    EXPECT_EQ(platform("GET", path_).text.find("hard_bounces") == std::string::npos, false);
    EXPECT_EQ(share_of(platform("GET", path_), "gmail").at("today").at("sent"), 7);
    EXPECT_EQ(share_of(platform("GET", path_), "m365").at("today").at("sent"), 0);

    EXPECT_EQ(platform("DELETE", path_).status, 204U);
    EXPECT_EQ(platform("GET", path_).status, 404U);
    EXPECT_EQ(platform("DELETE", path_).status, 404U);
}

TEST_F(WarmupTest, AChangeOfThePlanBeginsAnewAndAChangeOfItsHoursDoesNot)
{
    platform("PUT", path_, R"({"plan": "cold", "stage": 4})");
    EXPECT_EQ(share_of(platform("GET", path_), "m365").at("stage"), 4);
    const Reply hours = platform("PUT", path_, R"({"plan": "cold", "hour_from": 9, "used_enough": 0.5})");
    EXPECT_EQ(share_of(hours, "m365").at("stage"), 4) << "the plan is the same";
    EXPECT_EQ(hours.at("hour_from"), "9");
    EXPECT_EQ(hours.at("used_enough"), "5E-1");
    EXPECT_EQ(platform("PUT", path_, R"({"plan": "cold"})").at("used_enough"), "8E-1") << "the plan's again";
    EXPECT_EQ(hours.at("start"), day_before(0));
    EXPECT_EQ(share_of(platform("PUT", path_, R"({"plan": "steady"})"), "m365").at("stage"), 0);
    EXPECT_EQ(platform("DELETE", "/v1/sources/" + source_).status, 204U) << "its plan goes with it";
    EXPECT_EQ(sql("select count(*) from control.warmup_lanes"), "0");
}

TEST_F(WarmupTest, APersonSetsStageAndCapAndStops)
{
    platform("PUT", path_, R"({"plan": "cold"})");
    const Reply staged = platform("PATCH", path_ + "/gmail", R"({"stage": 5})");
    ASSERT_EQ(staged.status, 200U) << staged.text;
    EXPECT_EQ(share_of(staged, "gmail").at("cap"), 28);
    EXPECT_EQ(share_of(staged, "m365").at("stage"), 0);
    const Reply capped = platform("PATCH", path_ + "/gmail", R"({"cap": 9, "stopped": true})");
    EXPECT_EQ(share_of(capped, "gmail").at("cap"), 9);
    EXPECT_EQ(share_of(capped, "gmail").at("cap_set"), true);
    EXPECT_EQ(share_of(capped, "gmail").at("stopped"), true);
    const Reply freed = platform("PATCH", path_ + "/gmail", R"({"cap": 0, "stopped": false})");
    EXPECT_EQ(share_of(freed, "gmail").at("cap"), 28) << "the plan's again";
    EXPECT_EQ(share_of(freed, "gmail").at("stopped"), false);
    EXPECT_EQ(platform("PATCH", path_ + "/nobody", R"({"stage": 1})").status, 404U);
    EXPECT_EQ(platform("PATCH", "/v1/sources/x/warmup/gmail", R"({"stage": 1})").status, 404U);

    const Reply decisions = platform("GET", path_ + "/decisions?limit=1");
    ASSERT_EQ(decisions.status, 200U) << decisions.text;
    const json::object last = decisions.object().at("data").as_array().front().as_object();
    EXPECT_EQ(last.at("move").as_string(), "set");
    EXPECT_EQ(last.at("reason").as_string(), "by_hand");
    EXPECT_EQ(last.at("from"), 5);
    EXPECT_EQ(last.at("to"), 5);
    EXPECT_EQ(last.at("actor").as_string().size(), 36U);
    EXPECT_EQ(last.at("numbers").at("cap"), 0);
    EXPECT_FALSE(decisions.object().at("next_cursor").is_null());
    EXPECT_EQ(sql("select count(*) from control.warmup_decisions"), "9") << "6 of the plan, 3 by hand";
}

struct Bad {
    const char* method;
    const char* target; // behind the source's warm-up; "!": the signals
    const char* body;
    const char* says;
};

TEST_F(WarmupTest, WhatIsWrongIsRefusedByItsField)
{
    platform("PUT", path_, R"({"plan": "cold"})");
    const Bad all[] = {
        {"PUT", "", "{}", R"("field":"plan","code":"required")"},
        {"PUT", "", R"({"plan": "none"})", R"("field":"plan","code":"not_found")"},
        {"PUT", "", R"({"plan": "cold", "start": "10.3.2026"})", R"("field":"start","code":"bad_format")"},
        {"PUT", "", R"({"plan": "cold", "hour_from": 24})", R"("field":"hour_from","code":"out_of_range")"},
        {"PUT", "", R"({"plan": "cold", "hour_from": 7.5})", R"("field":"hour_from","code":"out_of_range")"},
        {"PUT", "", R"({"plan": "cold", "hour_from": 9, "hour_to": 9})", R"("field":"hour_to","code":"out_of_range")"},
        {"PUT", "", R"({"plan": "cold", "stage": 23})", R"("field":"stage","code":"out_of_range")"},
        {"PUT", "", R"({"plan": "cold", "stages": 2})", R"("field":"stages","code":"unknown_field")"},
        {"PATCH", "/gmail", "{}", R"("field":"stage","code":"required")"},
        {"PATCH", "/gmail", R"({"stage": 23})", R"("field":"stage","code":"out_of_range")"},
        {"PATCH", "/gmail", R"({"cap": -1})", R"("field":"cap","code":"out_of_range")"},
        {"PATCH", "/gmail", R"({"stopped": 1})", R"("field":"stopped","code":"wrong_type")"},
        {"PUT", "!", "{}", R"("field":"subject","code":"required")"},
        {"PUT", "!", R"({"scope": "address"})", R"("field":"scope","code":"bad_value")"},
        {"PUT", "!", R"({"scope": "source", "subject": "192.0.2.1"})", R"("field":"subject","code":"bad_format")"},
        {"PUT", "!", R"({"scope": "domain", "subject": "a b"})", R"("field":"subject","code":"bad_format")"},
        {"PUT", "!", R"({"kind": "complaint_share", "value": 1.5})", R"("field":"value","code":"out_of_range")"},
        {"PUT", "!", R"({"kind": "listings", "value": 0.5})", R"("field":"value","code":"out_of_range")"},
        {"PUT", "!", R"({"kind": "opens", "value": 1})", R"("field":"kind","code":"bad_value")"},
        {"PUT", "!", R"({"day": "2001-01-01"})", R"("field":"day","code":"out_of_range")"},
    };
    for (const Bad& one : all) {
        const std::string target = *one.target == '!' ? "/v1/signals" : path_ + one.target;
        const Reply refused = platform(one.method, target, one.body);
        EXPECT_EQ(refused.status, 422U) << one.body;
        EXPECT_NE(refused.text.find(one.says), std::string::npos) << one.body << refused.text;
    }
    EXPECT_EQ(sql("select count(*) from control.signals"), "0");
}

TEST_F(WarmupTest, PlansAreShown)
{
    const Reply plans = platform("GET", "/v1/warmup/plans");
    ASSERT_EQ(plans.status, 200U) << plans.text;
    EXPECT_GE(plans.object().at("data").as_array().size(), 9U);
    const json::object first = plans.object().at("data").as_array().front().as_object();
    EXPECT_EQ(first.at("name").as_string(), "cold");
    EXPECT_EQ(first.at("caps").as_array().front(), 10);
    EXPECT_EQ(first.at("limits").at("blocks").at("back"), 0.05);
}

TEST_F(WarmupTest, ASignalIsReplacedByWhoSaysItAgainAndListedInPages)
{
    const auto signal = [&](int days, int value, const char* origin) {
        return platform(
            "PUT", "/v1/signals",
            fmt::format(R"({{"scope": "source", "subject": "{}", "day": "{}", "kind": "listings", "origin": "{}",)"
                        R"( "value": {}}})",
                        source_, day_before(days), origin, value));
    };
    ASSERT_EQ(signal(1, 1, "zen").status, 200U);
    EXPECT_EQ(signal(1, 2, "zen").at("value"), "2E0");
    signal(0, 1, "zen");
    signal(0, 1, "other");
    EXPECT_EQ(sql("select count(*) from control.signals"), "3");
    const Reply first = platform("GET", "/v1/signals?limit=2&scope=source&subject=" + source_);
    ASSERT_EQ(first.status, 200U) << first.text;
    EXPECT_EQ(first.object().at("data").as_array().size(), 2U);
    const Reply second =
        platform("GET", "/v1/signals?limit=2&cursor=" + http::percent_encoded(first.at("next_cursor")));
    ASSERT_EQ(second.status, 200U) << second.text;
    EXPECT_EQ(second.object().at("data").as_array().size(), 1U);
    EXPECT_TRUE(second.object().at("next_cursor").is_null());
    EXPECT_EQ(platform("GET", "/v1/signals?scope=domain").object().at("data").as_array().size(), 0U);
    EXPECT_EQ(platform("GET", "/v1/signals?scope=x").status, 422U);
}

} // namespace
} // namespace penguin::control::api::test
