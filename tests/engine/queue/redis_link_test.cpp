// Replies as values, whatever is announced in them.
#include "engine/queue/redis_link.h"

#include <gtest/gtest.h>

namespace penguin::queue {
namespace {

Result<std::optional<RedisReply>> first_reply(std::string_view octets)
{
    asio::io_context io;
    RedisLink link{io.get_executor()};
    redisReaderFeed(link.reader.get(), octets.data(), octets.size());
    return link.next_reply();
}

TEST(RedisLink, ReadsAnArrayWhole)
{
    const auto reply = first_reply("*3\r\n$2\r\nab\r\n:5\r\n*0\r\n");
    ASSERT_TRUE(reply && *reply);
    ASSERT_EQ((*reply)->array().size(), 3U);
    EXPECT_EQ((*reply)->array()[0].text(), "ab");
    EXPECT_EQ((*reply)->array()[1].integer(), 5);
}

TEST(RedisLink, MakesNoRoomForMoreThanItsBound)
{
    EXPECT_EQ(first_reply("*1000000000\r\n").error().code, Errc::malformed);
    EXPECT_EQ(first_reply("*1\r\n*1048577\r\n").error().code, Errc::malformed);
    const auto allowed = first_reply("*1048576\r\n");
    ASSERT_TRUE(allowed);
    EXPECT_FALSE(allowed->has_value()); // its elements have not come
}

} // namespace
} // namespace penguin::queue
