#include "control/settings/snapshot_file.h"

#include <filesystem>

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace penguin::control {
namespace {

namespace fs = std::filesystem;

const char* const kTenant = "00000000-0000-7000-8000-00000000000a";
const char* const kCampaign = "00000000-0000-7000-8000-0000000000cc";
const char* const kWindowed = "00000000-0000-7000-8000-0000000000ce";

SettingsFile sample()
{
    SettingsFile file;
    file.version = 42;
    file.tenants = {{kTenant, "default", 2.5, true, "500/hour", 1000}, {kCampaign, "default"}};
    file.domains = {{kTenant, "sender.example", "bounce.sender.example"}};
    file.sources = {{kTenant, "192.0.2.1", "mail.example", "default"},
                    {kTenant, "2001:db8::1", "mail6.example", "default"}};
    file.keys = {{kTenant, "sender.example", "s1", "rsa-sha256", std::string{"\0\xff\x10", 3}, 7}};
    file.campaigns = {{kTenant, kCampaign, "paused", ""},
                      {kTenant, kTenant, "cancelled", ""},
                      {kTenant, kWindowed, "active", "mon,fri 09:00-17:00 Europe/Berlin"}};
    file.pauses = {{.pause = {.scope = policy::PauseScope::netblock,
                              .subject = "192.0.2.0/24",
                              .place = "gmail",
                              .until = WallTime{std::chrono::seconds{9}},
                              .since = WallTime{std::chrono::microseconds{7}},
                              .rule = "r"}},
                   {.pause = {.scope = policy::PauseScope::source,
                              .subject = "192.0.2.1",
                              .until = WallTime{std::chrono::seconds{9}},
                              .since = WallTime{std::chrono::seconds{7}},
                              .rule = "r"},
                    .resumed = WallTime{std::chrono::seconds{8}}}};
    file.rules = {5, WallTime{std::chrono::days{20'000}}, "[[rule]]\nid = 'x'\n# \"\\ é\n"};
    file.warmups = {{kTenant, "cold", "2026-03-01", "gmail", "2026-03-10", 7, 19, 5, 0},
                    {kTenant, "cold", "2026-03-01", "other", "", 7, 19, 0, 12}};
    return file;
}

TEST(SnapshotFile, ComesBackAsItWas)
{
    const Result<SettingsFile> back = parse_settings_file(to_json(sample()));
    ASSERT_TRUE(back) << back.error().detail;
    EXPECT_EQ(to_json(*back), to_json(sample()));
    EXPECT_EQ(back->keys[0].sealed, sample().keys[0].sealed);
    EXPECT_TRUE(back->rules.same_version(sample().rules));
    EXPECT_EQ(back->rules.text, sample().rules.text);
    EXPECT_EQ(back->pauses, sample().pauses);
}

TEST(SnapshotFile, BecomesSettings)
{
    const delivery::Settings settings = settings_of(sample());
    EXPECT_EQ(settings.version, 42U);
    const auto& tenant = settings.tenants.at(TenantId{Uuid::parse(kTenant).value()});
    EXPECT_EQ(tenant.weight, 2.5);
    EXPECT_TRUE(tenant.suspended);
    EXPECT_EQ(tenant.limits,
              (queue::TenantLimits{.rate = queue::TenantRate{500, std::chrono::hours{1}}, .monthly_quota = 1000}));
    EXPECT_FALSE(settings.tenants.at(TenantId{Uuid::parse(kCampaign).value()}).limits.any());
    const auto& domain = settings.domains.at(DomainName::parse("sender.example").value());
    EXPECT_TRUE(domain.verified);
    EXPECT_EQ(domain.bounce_host.text(), "bounce.sender.example");
    EXPECT_EQ(settings.sources.size(), 2U);
    const TenantId owner{Uuid::parse(kTenant).value()};
    const auto stopped = [&](const char* campaign) {
        return settings.stopped(owner, CampaignId{Uuid::parse(campaign).value()});
    };
    EXPECT_EQ(stopped(kCampaign), delivery::CampaignState::paused);
    EXPECT_EQ(stopped(kTenant), delivery::CampaignState::cancelled);
    EXPECT_EQ(stopped("00000000-0000-7000-8000-000000000001"), std::nullopt);
    EXPECT_EQ(settings.stopped(owner, std::nullopt), std::nullopt);
    EXPECT_EQ(stopped(kWindowed), std::nullopt);
    ASSERT_EQ(settings.windows.size(), 1U);
    EXPECT_EQ(settings.windows.begin()->second.text(), "mon,fri 09:00-17:00 Europe/Berlin");
    EXPECT_EQ(settings.stopped(TenantId{}, CampaignId{Uuid::parse(kCampaign).value()}), std::nullopt) << "not its own";
    const auto keys = keys_of(sample());
    ASSERT_EQ(keys.size(), 1U);
    EXPECT_EQ(keys[0].version, 7U);
}

TEST(SnapshotFile, AWarmUpBecomesTheCapsOfItsStages)
{
    const delivery::Settings settings = settings_of(sample());
    const delivery::WarmupShares& shares = settings.warmups.at(SourceId{Uuid::parse(kTenant).value()});
    ASSERT_EQ(shares.size(), 2U);
    const policy::WarmupRule& gmail = shares.at("gmail");
    EXPECT_EQ(gmail.cap, 28U) << "stage 5 of cold: 80, of which Gmail has 0.35";
    EXPECT_EQ(gmail.start, policy::Day{std::chrono::year{2026} / 3 / 1});
    EXPECT_EQ(gmail.stopped, policy::Day{std::chrono::year{2026} / 3 / 10});
    EXPECT_EQ(gmail.hour_from, 7U);
    EXPECT_EQ(gmail.hour_to, 19U);
    EXPECT_EQ(shares.at("other").cap, 12U) << "a person's";
    EXPECT_EQ(shares.at("other").stopped, std::nullopt);
}

// It would send without a bound.
TEST(SnapshotFile, ASourceWhoseWarmUpCannotBeReadIsNotUsed)
{
    const std::string second = "00000000-0000-7000-8000-0000000000ee";
    const WarmupRow good{second, "cold", "2026-03-01", "gmail", "", 0, 24, 0, 0};
    std::vector<WarmupRow> wrong(6, good);
    wrong[0].plan = "of a newer program";
    wrong[1].start = "someday";
    wrong[2].stopped = "someday";
    wrong[3].hour_to = 25;
    wrong[4].hour_from = 24;
    wrong[5].cap = 100'000'001;
    for (const WarmupRow& row : wrong) {
        SettingsFile file = sample();
        file.sources.push_back({second, "192.0.2.9", "mail9.example", "default"});
        file.warmups.push_back(row);
        EXPECT_EQ(settings_of(file).sources.size(), 2U) << row.plan << row.start << row.stopped;
        file.warmups.back() = good;
        EXPECT_EQ(settings_of(file).sources.size(), 3U);
    }
}

TEST(SnapshotFile, ABadRowCostsOnlyItself)
{
    SettingsFile file = sample();
    file.tenants.push_back({"no uuid", "default", 1, false});
    file.tenants.push_back({"00000000-0000-7000-8000-00000000000b", "default", 1, false, "often"});
    file.domains.push_back({kTenant, "not a domain", "x.example"});
    file.sources.push_back({kTenant, "not an address", "x.example", "default"});
    file.keys.push_back({kTenant, "sender.example", "s2", "rsa-md5", "", 1});
    file.campaigns.push_back({kTenant, "no uuid", "paused", ""});
    file.campaigns.push_back({kTenant, "00000000-0000-7000-8000-0000000000dd", "asleep", ""});
    file.campaigns.push_back({kTenant, "00000000-0000-7000-8000-0000000000de", "active", "sometimes"});
    const delivery::Settings settings = settings_of(file);
    EXPECT_EQ(settings.tenants.size(), 2U);
    EXPECT_EQ(settings.domains.size(), 1U);
    EXPECT_EQ(settings.sources.size(), 2U);
    EXPECT_EQ(settings.campaigns.size(), 3U) << "one whose window nobody understands is paused";
    EXPECT_EQ(settings.windows.size(), 1U);
    EXPECT_EQ(keys_of(file).size(), 1U);
}

TEST(SnapshotFile, OneOfAVersionWithoutCampaignsLimitsRulesAndPausesIsRead)
{
    const char* const before =
        R"({"version":7,"tenants":[{"id":"00000000-0000-7000-8000-00000000000a","pool":"default","weight":1,"suspended":false}],"domains":[],"sources":[],"keys":[]})";
    const Result<SettingsFile> file = parse_settings_file(before);
    ASSERT_TRUE(file) << file.error().detail;
    EXPECT_EQ(file->version, 7U);
    EXPECT_TRUE(file->campaigns.empty());
    EXPECT_FALSE(settings_of(*file).tenants.at(TenantId{Uuid::parse(kTenant).value()}).limits.any());
    EXPECT_EQ(file->rules.number, 0);
    EXPECT_TRUE(file->pauses.empty());
    EXPECT_TRUE(file->warmups.empty());
}

TEST(SnapshotFile, OtherTextIsRefused)
{
    for (const char* text :
         {"", "{", "[]", "{}", R"({"version":1})",
          R"({"version":"x","tenants":[],"domains":[],"sources":[],"keys":[]})",
          R"({"version":1,"tenants":[{}],"domains":[],"sources":[],"keys":[]})",
          R"({"version":1,"tenants":[],"domains":[],"sources":[],"keys":[],"campaigns":[{}]})",
          R"({"version":1,"tenants":[],"domains":[],"sources":[],"keys":[],"rules":7})",
          R"({"version":1,"tenants":[],"domains":[],"sources":[],"keys":[],"pauses":[{"scope":"all"}]})",
          R"({"version":1,"tenants":[],"domains":[],"sources":[],"keys":[],"rules":{"number":1}})",
          R"({"version":1,"tenants":[],"domains":[],"sources":[],"keys":[],"warmups":[{}]})"})
        EXPECT_EQ(parse_settings_file(text).error().code, Errc::malformed) << text;
    const std::string whole = to_json(sample());
    for (std::size_t cut = 0; cut < whole.size(); ++cut) EXPECT_FALSE(parse_settings_file(whole.substr(0, cut))) << cut;
}

TEST(SnapshotFile, SuppressionLines)
{
    const TenantId tenant{Uuid::parse(kTenant).value()};
    const auto address = [](const char* text) { return EmailAddress::parse(text).value(); };
    std::string text = suppression_line("", "all@b.example") + suppression_line(kTenant, "one@b.example") +
                       suppression_line(kTenant, "\"two words\"@b.example");
    text += "nonsense\nno-uuid x@b.example\n* not an address\n";
    text += suppression_line(kTenant, "cut@b.example").substr(0, 45); // a crash while it was written
    delivery::Suppressions suppressions;
    add_suppression_lines(text, suppressions);
    EXPECT_EQ(suppressions.size(), 3U);
    EXPECT_TRUE(suppressions.covers(TenantId{}, address("ALL@b.example")));
    EXPECT_TRUE(suppressions.covers(tenant, address("One@B.example")));
    EXPECT_FALSE(suppressions.covers(TenantId{}, address("one@b.example")));
    EXPECT_TRUE(suppressions.covers(tenant, address("\"two words\"@b.example")));
}

TEST(SnapshotFile, FilesAreReplacedWholeAndPrivate)
{
    std::string folder = (fs::temp_directory_path() / "snapshot-XXXXXX").string();
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    const fs::path path = fs::path{folder} / "f";
    EXPECT_EQ(read_file(path).error().code, Errc::not_found);
    ASSERT_TRUE(replace_file(path, "first, and long"));
    ASSERT_TRUE(replace_file(path, "second"));
    ASSERT_TRUE(append_to_file(path, " more"));
    EXPECT_EQ(read_file(path), "second more");
    struct stat info{};
    ASSERT_EQ(stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);
    EXPECT_FALSE(fs::exists(path.string() + ".new"));
    EXPECT_EQ(replace_file(fs::path{folder} / "none" / "f", "x").error().code, Errc::local_fault);
    fs::remove_all(folder);
}

} // namespace
} // namespace penguin::control
