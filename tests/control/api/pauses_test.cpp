// What rules have paused, by the API.
#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "api_fixture.h"

namespace penguin::control::api::test {
namespace {

class PausesTest : public ApiTest {
protected:
    // Gives its id.
    std::string pause(const std::string& subject, const std::string& since = "now()",
                      const std::string& until = "now() + interval '1 hour'")
    {
        const std::string id = Uuid::v7(wall_now()).text();
        sql(fmt::format(
            "insert into control.pauses (id, scope, subject, place, rule, reply, node, since, until) values "
            "('{}', 'lane', '{}', 'mx.acme.example', 'gmail-4.7.28', '421 4.7.28 no', 'n1', {}, {})",
            id, subject, since, until));
        return id;
    }
    std::vector<std::string> listed(const std::string& query = "")
    {
        std::vector<std::string> out;
        const Reply page = platform("GET", "/v1/pauses" + query);
        for (const json::value& one : page.object().at("data").as_array())
            out.emplace_back(one.at("subject").as_string());
        return out;
    }
    Reply resume(const std::string& id) { return platform("POST", "/v1/pauses/" + id + "/resume"); }
    std::string version() const { return sql("select pauses from control.settings_version"); }
};

TEST_F(PausesTest, ListsWhatHoldsNewestFirst)
{
    pause("192.0.2.1");
    pause("192.0.2.2");
    pause("192.0.2.3", "now() - interval '2 hours'", "now() - interval '1 hour'");
    EXPECT_EQ(listed(), (std::vector<std::string>{"192.0.2.2", "192.0.2.1"}));
    const Reply page = platform("GET", "/v1/pauses?limit=1");
    EXPECT_EQ(listed("?cursor=" + http::percent_encoded(page.at("next_cursor"))),
              (std::vector<std::string>{"192.0.2.1"}));
    const json::object& one = page.object().at("data").as_array().front().as_object();
    EXPECT_EQ(one.at("rule"), "gmail-4.7.28");
    EXPECT_EQ(one.at("scope"), "lane");
    EXPECT_EQ(one.at("place"), "mx.acme.example");
    EXPECT_EQ(one.at("reply"), "421 4.7.28 no");
    EXPECT_TRUE(one.at("resumed_at").is_null());
}

TEST_F(PausesTest, OneThatIsResumedIsMarkedForEveryNode)
{
    const std::string id = pause("192.0.2.1");
    const std::string before = version();
    const Reply done = resume(id);
    ASSERT_EQ(done.status, 200U) << done.text;
    EXPECT_NE(done.at("resumed_at"), "null");
    EXPECT_NE(version(), before) << "or no node would see it";
    EXPECT_TRUE(listed().empty());
    EXPECT_EQ(sql("select resumed_by from control.pauses").size(), 36U);
    EXPECT_EQ(sql("select detail::jsonb ->> 'subject' from control.audit where action = 'pause.resumed'"), "192.0.2.1");
    EXPECT_EQ(resume(id).status, 404U) << "it is resumed already";
}

TEST_F(PausesTest, NeverBeforeItBeganWhateverTheClocksSay)
{
    const std::string id = pause("192.0.2.1", "now() + interval '10 seconds'");
    ASSERT_EQ(resume(id).status, 200U);
    EXPECT_EQ(sql("select resumed = since from control.pauses"), "t");
}

TEST_F(PausesTest, WhatIsNotThereOrOverCannotBeResumed)
{
    const std::string over = pause("192.0.2.1", "now() - interval '2 hours'", "now() - interval '1 hour'");
    const std::string before = version();
    for (const std::string& id : {over, std::string{"01936f8a-0000-7000-8000-000000000009"}, std::string{"x"}})
        EXPECT_EQ(resume(id).status, 404U) << id;
    EXPECT_EQ(version(), before);
}

} // namespace
} // namespace penguin::control::api::test
