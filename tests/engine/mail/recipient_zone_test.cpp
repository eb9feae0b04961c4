#include "engine/mail/recipient_zone.h"

#include <gtest/gtest.h>

namespace penguin {
namespace {

TEST(RecipientZone, IsTheVariableThatNamesOne)
{
    EXPECT_EQ(recipient_zone(R"({"name":"Ann","time_zone":"Europe/Berlin"})")->name(), "Europe/Berlin");
    for (const char* vars :
         {"", "{}", R"({"name":"Ann"})", R"({"time_zone":""})", R"({"time_zone":"Mars/Base"})", R"({"time_zone":1})",
          R"({"my_time_zone":"UTC"})", R"({"name":"time_zone"})", R"({"time_zone":"UTC")", R"(["time_zone"])"})
        EXPECT_FALSE(recipient_zone(vars)) << vars;
}

} // namespace
} // namespace penguin
