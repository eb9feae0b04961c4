#include "engine/base/log.h"

#include <gtest/gtest.h>

namespace penguin::log {
namespace {

TEST(Log, OneEventIsOneLineInBothFormats)
{
    EXPECT_EQ(line_of(Format::text, "T", Level::info, "smtp", "connected", {{"host", "mx.test"}, {"tries", 2}}),
              "T info smtp connected host=mx.test tries=2");
    EXPECT_EQ(line_of(Format::json, "T", Level::warning, "smtp", "lost", {{"why", "reset"}, {"late", true}}),
              R"({"time":"T","level":"warning","module":"smtp","event":"lost","why":"reset","late":true})");
}

TEST(Log, WhatARemoteServerSaysCannotMakeASecondLine)
{
    EXPECT_EQ(line_of(Format::text, "T", Level::info, "m", "e", {{"reply", "550 no\r\nT error m forged"}}),
              R"(T info m e reply="550 no\u000d\u000aT error m forged")");
    EXPECT_EQ(line_of(Format::json, "T", Level::info, "m", "e", {{"reply", "\"}\n"}}),
              R"({"time":"T","level":"info","module":"m","event":"e","reply":"\"}\u000a"})");
}

TEST(Log, AFieldIsCutAtItsBound)
{
    const std::string line =
        line_of(Format::text, "T", Level::info, "m", "e", {{"x", std::string(kFieldMax + 50, 'a')}});
    EXPECT_EQ(line.size(), std::string{"T info m e x="}.size() + kFieldMax);
}

TEST(Log, LevelsHaveNames)
{
    EXPECT_EQ(parse_level("warning"), Level::warning);
    EXPECT_EQ(parse_level("loud").error().code, Errc::bad_value);
}

} // namespace
} // namespace penguin::log
