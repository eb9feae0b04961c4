#include "engine/delivery/settings.h"

#include <gtest/gtest.h>

namespace penguin::delivery {
namespace {

TEST(LaneLimits, AreNarrowedByWhatTheProviderTakesAndNeverWidened)
{
    const LaneLimits ours{.connections = 10, .messages_per_connection = 100};
    EXPECT_EQ(narrowed(ours, nullptr).connections, 10U);
    EXPECT_EQ(narrowed(ours, nullptr).messages_per_connection, 100U);

    policy::Provider provider{.name = "acme"};
    EXPECT_EQ(narrowed(ours, &provider).connections, 10U);
    EXPECT_EQ(narrowed(ours, &provider).messages_per_connection, 100U);
    provider.connections = 2;
    provider.messages_per_connection = 1'000;
    EXPECT_EQ(narrowed(ours, &provider).connections, 2U);
    EXPECT_EQ(narrowed(ours, &provider).messages_per_connection, 100U);
    EXPECT_EQ(narrowed(ours, &provider).idle, ours.idle);
}

TEST(Settings, ACampaignsMailGoesInItsWindowByTheSendersOrTheRecipientsClock)
{
    const TenantId tenant{Uuid::v7(wall_now())};
    const CampaignId ours{Uuid::v7(wall_now())};
    const CampaignId theirs{Uuid::v7(wall_now())};
    Settings settings;
    settings.windows.emplace(CampaignKey{tenant, ours}, *policy::SendingWindow::parse("mon 09:00-17:00 Europe/Berlin"));
    settings.windows.emplace(CampaignKey{tenant, theirs},
                             *policy::SendingWindow::parse("mon 09:00-17:00 Europe/Berlin recipient"));
    const WallTime at = *parse_rfc3339("2026-01-05T01:00:00Z"); // a Monday
    const char* const tokyo = R"({"time_zone":"Asia/Tokyo"})";
    const auto opens = [&](std::optional<CampaignId> campaign, const char* vars) {
        return to_rfc3339(settings.opens(tenant, campaign, vars, at)).substr(11, 5);
    };
    EXPECT_EQ(opens(ours, ""), "08:00");
    EXPECT_EQ(opens(ours, tokyo), "08:00") << "the sender's clock";
    EXPECT_EQ(opens(theirs, tokyo), "01:00");
    EXPECT_EQ(opens(theirs, ""), "08:00") << "of one without a zone";
    EXPECT_EQ(opens(std::nullopt, tokyo), "01:00");
    EXPECT_EQ(opens(CampaignId{Uuid::v7(wall_now())}, ""), "01:00");
    EXPECT_EQ(settings.opens(TenantId{Uuid::v7(wall_now())}, ours, "", at), at) << "another tenant's";
}

} // namespace
} // namespace penguin::delivery
