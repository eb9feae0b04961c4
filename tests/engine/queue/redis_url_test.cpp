#include "engine/queue/redis_url.h"

#include <gtest/gtest.h>

#include "engine/queue/redis_reply.h"
#include "engine/queue/scripts.h"

namespace penguin::queue {

namespace {

struct GoodUrl {
    const char* text;
    RedisUrl url;
    const char* shown;
};

const GoodUrl kGood[] = {
    {"redis://localhost", {"", "localhost", 6379, false, "", "", 0}, "redis://localhost:6379/0"},
    {"redis://localhost:7000/3", {"", "localhost", 7000, false, "", "", 3}, "redis://localhost:7000/3"},
    {"redis://h/", {"", "h", 6379, false, "", "", 0}, "redis://h:6379/0"},
    {"rediss://:p%40ss@r.example", {"", "r.example", 6379, true, "", "p@ss", 0}, "rediss://r.example:6379/0"},
    {"rediss://me:pw@10.0.0.1:1", {"", "10.0.0.1", 1, true, "me", "pw", 0}, "rediss://10.0.0.1:1/0"},
    {"redis://[::1]:6380", {"", "::1", 6380, false, "", "", 0}, "redis://[::1]:6380/0"},
    {"unix:///run/redis/redis.sock",
     {"/run/redis/redis.sock", "", 6379, false, "", "", 0},
     "unix:///run/redis/redis.sock"},
    {"unix:///r.sock?db=2", {"/r.sock", "", 6379, false, "", "", 2}, "unix:///r.sock?db=2"},
};

TEST(RedisUrlTest, GoodOnes)
{
    for (const GoodUrl& row : kGood) {
        const Result<RedisUrl> url = RedisUrl::parse(row.text);
        ASSERT_TRUE(url) << row.text << ": " << url.error().detail;
        EXPECT_EQ(*url, row.url) << row.text;
        EXPECT_EQ(url->shown(), row.shown);
    }
}

TEST(RedisUrlTest, BadOnesAreRefusedWithoutShowingThePassword)
{
    const std::string long_path = "unix:///" + std::string(200, 'x');
    for (const std::string& bad :
         {std::string{""}, std::string{"localhost:6379"}, std::string{"http://h"}, std::string{"redis://"},
          std::string{"redis://h:0"}, std::string{"redis://h:70000"}, std::string{"redis://h/x"},
          std::string{"redis://h/16"}, std::string{"redis://h/-1"}, std::string{"redis://h?x=1"},
          std::string{"redis://h#f"}, std::string{"unix://run/r.sock"}, std::string{"unix:///"},
          std::string{"unix:///r.sock?x=1"}, std::string{"unix:///r.sock?db=99"}, std::string{"redis://me@h"},
          std::string{"redis://u:secret word@h"}, long_path}) {
        const Result<RedisUrl> url = RedisUrl::parse(bad);
        ASSERT_FALSE(url) << bad;
        EXPECT_TRUE(url.error().detail.starts_with("Redis URL: ")) << url.error().detail;
        EXPECT_EQ(url.error().detail.find("secret"), std::string::npos);
    }
}

TEST(RedisReplyTest, ErrorRepliesHaveAMeaning)
{
    const std::pair<const char*, Errc> kCases[] = {
        {"OOM command not allowed", Errc::full},
        {"STALE x", Errc::stale},
        {"NOAUTH x", Errc::denied},
        {"WRONGPASS x", Errc::denied},
        {"LOADING x", Errc::unavailable},
        {"READONLY x", Errc::unavailable},
        {"MOVED 3999 127.0.0.1:6381", Errc::unavailable},
        {"ERR unknown", Errc::refused},
    };
    for (const auto& [text, code] : kCases) {
        const Result<RedisReply> reply = checked(RedisReply{RedisReply::Error{text}});
        ASSERT_FALSE(reply);
        EXPECT_EQ(name_of(reply.error().code), name_of(code)) << text;
    }
    EXPECT_NE(checked(RedisReply{RedisReply::Error{"MOVED 1 a:1"}}).error().detail.find("cluster"), std::string::npos);
}

TEST(RedisReplyTest, WhatItIsNotIsEmpty)
{
    EXPECT_EQ((RedisReply{std::string{"12"}}.integer()), 12);
    EXPECT_EQ((RedisReply{std::string{"12x"}}.integer()), 0);
    EXPECT_EQ((RedisReply{std::int64_t{5}}.text()), "");
    EXPECT_TRUE((RedisReply{std::int64_t{5}}.array().empty()));
    EXPECT_TRUE(RedisReply{}.nil());
}

TEST(ScriptsTest, EachBeginsWithItsFlags)
{
    for (const Script* script : kScripts) {
        EXPECT_TRUE(script->text.starts_with("#!lua")) << script->name;
        EXPECT_EQ(script->sha1.size(), 40U);
        // Only what adds to the memory may be stopped by its bound.
        const bool frees = script->text.substr(0, script->text.find('\n')).find("allow-oom") != std::string_view::npos;
        EXPECT_EQ(frees, script->name != "enqueue") << script->name;
    }
}

} // namespace

} // namespace penguin::queue
