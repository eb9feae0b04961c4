#include "engine/delivery/inbox.h"

#include <memory>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace penguin::delivery {
namespace {

TEST(Inbox, OneWakeUpTakesAllInTheirOrder)
{
    asio::io_context io;
    std::vector<int> taken;
    Inbox<int> inbox{io.get_executor(), [&](int value) { taken.push_back(value); }};
    for (const int value : {1, 2, 3}) inbox.put(value);
    EXPECT_TRUE(taken.empty());
    EXPECT_EQ(io.run(), 1U);
    EXPECT_EQ(taken, (std::vector{1, 2, 3}));
}

TEST(Inbox, WhatIsPutWhileOthersAreTakenComesAfterThem)
{
    asio::io_context io;
    std::vector<int> taken;
    Inbox<int>* own = nullptr;
    Inbox<int> inbox{io.get_executor(), [&](int value) {
                         taken.push_back(value);
                         if (value < 3) own->put(value + 10);
                     }};
    own = &inbox;
    inbox.put(1);
    inbox.put(2);
    EXPECT_EQ(io.run(), 2U);
    EXPECT_EQ(taken, (std::vector{1, 2, 11, 12}));
}

TEST(Inbox, TakesValuesThatCannotBeCopied)
{
    asio::io_context io;
    std::unique_ptr<int> taken;
    Inbox<std::unique_ptr<int>> inbox{io.get_executor(), [&](std::unique_ptr<int> value) { taken = std::move(value); }};
    inbox.put(std::make_unique<int>(7));
    io.run();
    ASSERT_NE(taken, nullptr);
    EXPECT_EQ(*taken, 7);
}

TEST(Inbox, NothingIsLostBetweenThreads)
{
    constexpr int kThreads = 4;
    constexpr int kEach = 10'000;
    asio::io_context io{1};
    auto work = asio::make_work_guard(io);
    std::vector<int> last(kThreads, -1);
    int count = 0;
    bool in_order = true;
    Inbox<std::pair<int, int>> inbox{io.get_executor(), [&](std::pair<int, int> value) {
                                         in_order = in_order && last[value.first] == value.second - 1;
                                         last[value.first] = value.second;
                                         if (++count == kThreads * kEach) work.reset();
                                     }};
    std::thread reader{[&] { io.run(); }};
    std::vector<std::thread> writers;
    for (int thread = 0; thread < kThreads; ++thread)
        writers.emplace_back([&inbox, thread] {
            for (int i = 0; i < kEach; ++i) inbox.put({thread, i});
        });
    for (std::thread& writer : writers) writer.join();
    reader.join();
    EXPECT_EQ(count, kThreads * kEach);
    EXPECT_TRUE(in_order);
}

} // namespace
} // namespace penguin::delivery
