// Who is refused cannot fill the database: how many records come of how many events. Time is passed in.
#include "control/audit/event_tally.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace penguin::control::audit {
namespace {

using namespace std::chrono_literals;

const WallTime kWall{std::chrono::microseconds{1'700'000'000'000'000}};

class EventTallyTest : public testing::Test {
protected:
    void add(std::string peer, SecurityAction action = SecurityAction::auth_failed, std::string why = "wrong secret")
    {
        tally_.add({.kind = {.action = action, .peer = std::move(peer), .actor = "", .why = std::move(why)},
                    .request_id = "r" + std::to_string(++events_),
                    .time = kWall + std::chrono::microseconds{events_}});
    }
    std::vector<EventTally::Row> at(SteadyTime::duration after) { return tally_.take(start_ + after); }
    static std::uint64_t events_of(const std::vector<EventTally::Row>& rows)
    {
        std::uint64_t sum = 0;
        for (const auto& row : rows) sum += row.events;
        return sum;
    }

    EventTally tally_;
    SteadyTime start_{};
    std::uint64_t events_ = 0;
};

TEST_F(EventTallyTest, TheFirstIsToldAtOnceAndItsRepetitionsAtTheEndOfTheMinute)
{
    add("192.0.2.1");
    add("192.0.2.1");
    add("192.0.2.2");
    const auto first = at(1s);
    ASSERT_EQ(first.size(), 2U);
    EXPECT_EQ(first[0].entry.action, "auth.failed");
    EXPECT_EQ(first[0].entry.peer, "192.0.2.1");
    EXPECT_EQ(first[0].entry.request_id, "r1");
    EXPECT_EQ(first[0].entry.time, kWall + 2us);
    EXPECT_EQ(
        first[0].entry.detail,
        R"({"count":2,"first":"2023-11-14T22:13:20.000Z","last":"2023-11-14T22:13:20.000Z","why":"wrong secret"})");
    for (int i = 0; i < 50; ++i) add("192.0.2.1");
    EXPECT_TRUE(at(2s).empty());
    EXPECT_TRUE(at(60s).empty());
    const auto later = at(61s);
    ASSERT_EQ(later.size(), 1U);
    EXPECT_EQ(later[0].events, 50U);
    EXPECT_EQ(later[0].entry.request_id, "r4");
    EXPECT_TRUE(at(200s).empty());
}

TEST_F(EventTallyTest, WhatDiffersIsToldApart)
{
    add("192.0.2.1");
    add("192.0.2.1", SecurityAction::auth_failed, "expired");
    add("192.0.2.1", SecurityAction::auth_throttled, "");
    const SecurityKind kind{.action = SecurityAction::request_denied,
                            .peer = "192.0.2.1",
                            .actor = "key",
                            .tenant = TenantId{*Uuid::parse("01936f8a-0000-7000-8000-00000000000a")},
                            .route = "GET /v1/tenants",
                            .why = "platform_required"};
    tally_.add({.kind = kind, .request_id = "", .time = kWall});
    const auto rows = at(0s);
    ASSERT_EQ(rows.size(), 4U);
    EXPECT_EQ(rows[3].entry.action, "request.denied");
    EXPECT_EQ(rows[3].entry.resource, "GET /v1/tenants");
    EXPECT_EQ(rows[3].entry.actor, "key");
    EXPECT_EQ(rows[3].entry.tenant, kind.tenant);
}

TEST_F(EventTallyTest, TheWorstGrowthIsBoundedWhateverComes)
{
    constexpr unsigned kMinutes = 10;
    std::size_t rows = 0;
    std::uint64_t told = 0;
    unsigned peer = 0;
    for (unsigned second = 0; second < kMinutes * 60; ++second) {
        for (int i = 0; i < 2'000; ++i, ++peer)
            add(std::to_string(peer), static_cast<SecurityAction>(peer % kSecurityActions), std::to_string(peer % 7));
        const auto now = at(std::chrono::seconds{second});
        rows += now.size();
        told += events_of(now);
    }
    EXPECT_LE(rows, kMinutes * (EventTally::kRowsAMinute + 1) * kSecurityActions);
    told += events_of(tally_.take_all());
    EXPECT_EQ(told, events_) << "every event is counted in some record";
}

TEST_F(EventTallyTest, WhatIsOverTheBoundIsOneRecordOfOthers)
{
    EXPECT_TRUE(at(0s).empty());
    for (unsigned i = 0; i < 5'000; ++i) add("p" + std::to_string(i));
    EXPECT_EQ(at(0s).size(), EventTally::kRowsAMinute);
    EXPECT_TRUE(at(30s).empty());
    const auto rows = at(60s);
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].entry.peer, "others");
    EXPECT_EQ(rows[0].entry.action, "auth.failed");
    EXPECT_EQ(rows[0].events, 5'000 - EventTally::kRowsAMinute);
}

TEST_F(EventTallyTest, OneActionDoesNotUseUpTheRoomOfAnother)
{
    EXPECT_TRUE(at(0s).empty());
    for (unsigned i = 0; i < 5'000; ++i) add("p" + std::to_string(i), SecurityAction::request_denied);
    add("192.0.2.1");
    const auto rows = at(1s);
    EXPECT_EQ(rows.size(), EventTally::kRowsAMinute + 1);
    EXPECT_TRUE(std::ranges::any_of(rows, [](const auto& row) { return row.entry.peer == "192.0.2.1"; }));
}

TEST_F(EventTallyTest, AtTheEndEverythingIsTold)
{
    for (unsigned i = 0; i < 40; ++i) add("p" + std::to_string(i));
    std::uint64_t told = events_of(at(0s));
    for (unsigned i = 0; i < 40; ++i) add("p" + std::to_string(i));
    told += events_of(tally_.take_all());
    EXPECT_EQ(told, 80U);
    EXPECT_TRUE(tally_.take_all().empty());
}

TEST_F(EventTallyTest, LongTextIsCut)
{
    add(std::string(10'000, 'p'), SecurityAction::auth_failed, std::string(10'000, 'w'));
    const auto rows = at(0s);
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_LE(rows[0].entry.peer.size(), EventTally::kFieldMax);
    EXPECT_LE(rows[0].entry.detail.size(), EventTally::kFieldMax + 200);
}

} // namespace
} // namespace penguin::control::audit
