#include "control/submit/batch_checks.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace penguin::control::submit {
namespace {

const WallTime kNow = from_unix_ms(1'795'494'547'123);

BatchRequest request(TenantId tenant)
{
    TemplateContent content{.from = {"", *EmailAddress::parse("s@acme.example")}, .subject = "s", .text = "t"};
    return {.tenant = tenant, .content = std::move(content), .recipients = {{"ann@example.net", "", ""}}};
}

// One worker, which does one piece of work when it is told to.
class BatchChecksTest : public testing::Test {
protected:
    void submit(const std::string& name, TenantId tenant)
    {
        asio::co_spawn(home_, call(name, tenant), asio::bind_cancellation_slot(given_up_[name].slot(), asio::detached));
        go_on();
    }
    void give_up(const std::string& name)
    {
        given_up_[name].emit(asio::cancellation_type::terminal);
        go_on();
    }
    // False: it has nothing to do.
    bool work()
    {
        worker_.restart();
        const bool worked = worker_.poll_one() > 0;
        go_on();
        return worked;
    }
    void work_all()
    {
        while (work()) {
        }
    }

    asio::io_context home_;
    asio::io_context worker_;
    BatchChecks checks_{worker_.get_executor()};
    std::map<std::string, asio::cancellation_signal> given_up_;
    std::vector<std::string> answers_;
    const TenantId busy_{Uuid::v7(kNow)};
    const TenantId other_{Uuid::v7(kNow)};

private:
    awaitable<void> call(std::string name, TenantId tenant)
    {
        const auto checked = co_await checks_.check(request(tenant), kNow);
        answers_.push_back(name + (checked ? "" : " " + checked.error().detail));
    }
    void go_on()
    {
        home_.restart();
        home_.poll();
    }
};

TEST_F(BatchChecksTest, OneCheckOfATenantRunsAtATimeSoOthersWaitForOneAtMost)
{
    for (const char* name : {"a1", "a2", "a3"}) submit(name, busy_);
    submit("b1", other_);
    work_all();
    EXPECT_EQ(answers_, (std::vector<std::string>{"a1", "b1", "a2", "a3"}));
}

TEST_F(BatchChecksTest, WhoseCallerGaveUpIsNotBegun)
{
    for (const char* name : {"a1", "a2", "a3"}) submit(name, busy_);
    give_up("a2");
    EXPECT_EQ(answers_, (std::vector<std::string>{"a2 the caller's time is over"})) << "who gives up does not wait";
    work_all();
    EXPECT_EQ(answers_.size(), 3U);
    EXPECT_EQ(answers_.back(), "a3");
}

TEST_F(BatchChecksTest, TooManyThatWaitAreRefusedAndHarmNoOther)
{
    for (std::size_t i = 0; i <= kWaitingOfTenantMax + 1; ++i) submit("a" + std::to_string(i), busy_);
    EXPECT_EQ(answers_.size(), 1U); // the first is with the worker
    EXPECT_TRUE(answers_.at(0).contains("too many")) << answers_.at(0);
    submit("b1", other_);
    work_all();
    EXPECT_EQ(answers_.at(2), "b1");
}

} // namespace
} // namespace penguin::control::submit
