// Where the API is and with which key: the file, the environment, and who may read what.
#include "control/ctl/profile.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace penguin::control::ctl {
namespace {

TEST(CtlConfigFile, HasProfiles)
{
    const auto config = parse_ctl_config(R"(
default = "prod"
[profiles.prod]
url = "https://mta1.example.com:8025"
key = "pm_live_1"
ca_file = "/etc/ssl/pm.pem"
[profiles.local]
key_file = "~/key"
)",
                                         "config.toml");
    ASSERT_TRUE(config);
    EXPECT_EQ(config->usual, "prod");
    EXPECT_TRUE(config->holds_key);
    EXPECT_EQ(config->profiles.at("prod").url, "https://mta1.example.com:8025");
    EXPECT_EQ(config->profiles.at("prod").ca_file, "/etc/ssl/pm.pem");
    EXPECT_EQ(config->profiles.at("local").url, kUsualUrl);
    EXPECT_EQ(config->profiles.at("local").key_file, "~/key");
    EXPECT_FALSE(parse_ctl_config("[profiles.a]\nkey_file = \"/k\"", "f")->holds_key);
    EXPECT_TRUE(parse_ctl_config("", "f")->profiles.empty());
}

struct WrongFile {
    const char* text;
    const char* problem;
};

TEST(CtlConfigFile, RefusesByFileLineAndKey)
{
    for (const WrongFile& wrong : {
             WrongFile{"default = ", "f:1: "},
             WrongFile{"defualt = \"a\"", "f:1: defualt: unknown key"},
             WrongFile{"default = \"a\"", "f:1: default: names no profile of this file"},
             WrongFile{"profiles = 3", "f:1: profiles: must be a table"},
             WrongFile{"[profiles]\nprod = \"https://a\"", "f:2: profiles.prod: must be a table"},
             WrongFile{"[profiles.prod]\nurl = \"http://mta1.example.com\"", "f:2: profiles.prod.url: in clear only"},
             WrongFile{"[profiles.prod]\nurl = 3", "f:2: profiles.prod.url: must be text"},
             WrongFile{"[profiles.prod]\ntoken = \"x\"",
                       "f:2: profiles.prod.token: unknown key; known here: ca_file, key, key_file, url"},
             WrongFile{"[profiles.prod]\nkey_file = \"key\"", "f:2: profiles.prod.key_file: must be an absolute path"},
             WrongFile{"[profiles.prod]\nca_file = \"ca\"", "f:2: profiles.prod.ca_file: must be an absolute path"},
             WrongFile{"[profiles.prod]\nkey = \"a\"\nkey_file = \"/k\"",
                       "f:3: profiles.prod.key_file: one of key and key_file"},
         }) {
        const auto config = parse_ctl_config(wrong.text, "f");
        ASSERT_FALSE(config) << wrong.text;
        EXPECT_TRUE(text_of(config.error().front()).starts_with(wrong.problem)) << text_of(config.error().front());
    }
}

TEST(CtlConfigFile, NoProblemRepeatsAKey)
{
    const auto config = parse_ctl_config("[profiles.prod]\nkey = \"secret\\nword\"", "f");
    ASSERT_FALSE(config);
    EXPECT_FALSE(text_of(config.error().front()).contains("secret"));
}

class ProfileTest : public testing::Test {
protected:
    ProfileTest() { std::filesystem::create_directories(home_ / ".config" / "penguinctl"); }
    ~ProfileTest() override { std::filesystem::remove_all(home_); }

    std::filesystem::path write(const std::filesystem::path& name, const std::string& text, mode_t mode = 0600) const
    {
        const std::filesystem::path path = home_ / name;
        std::ofstream{path} << text;
        ::chmod(path.c_str(), mode);
        return path;
    }
    Environment environment() const
    {
        return {.url = {}, .key = {}, .config = {}, .xdg_config_home = {}, .home = home_.string()};
    }

    const char* kUsual = ".config/penguinctl/config.toml";
    std::filesystem::path home_ =
        std::filesystem::temp_directory_path() / ("penguinctl-" + std::to_string(::getpid()) + "-" +
                                                  testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(ProfileTest, WithNothingItIsThisMachineWithoutAKey)
{
    const auto profile = choose_profile(environment(), "");
    ASSERT_TRUE(profile) << profile.error().detail;
    EXPECT_EQ(profile->url.text(), "http://127.0.0.1:8025");
    EXPECT_EQ(profile->key, "");
}

TEST_F(ProfileTest, TheFilesDefaultAndTheOneThatIsNamed)
{
    write(kUsual,
          "default = \"a\"\n[profiles.a]\nkey = \"ka\"\n[profiles.b]\nurl = \"https://b.example\"\nkey = \"kb\"\n");
    EXPECT_EQ(choose_profile(environment(), "")->key, "ka");
    const auto named = choose_profile(environment(), "b");
    ASSERT_TRUE(named);
    EXPECT_EQ(named->key, "kb");
    EXPECT_EQ(named->url.text(), "https://b.example");
    EXPECT_EQ(named->from, "profile b");
    const auto unknown = choose_profile(environment(), "c");
    EXPECT_EQ(unknown.error().code, Errc::missing);
    EXPECT_TRUE(unknown.error().detail.ends_with("no profile 'c' is in it")) << unknown.error().detail;
}

TEST_F(ProfileTest, TheEnvironmentStandsForAWholeProfileSoThatNoKeyGoesElsewhere)
{
    write(kUsual, "[profiles.default]\nurl = \"https://a.example\"\nkey = \"ka\"\n");
    Environment only_url = environment();
    only_url.url = "http://127.0.0.1:9";
    EXPECT_EQ(choose_profile(only_url, "")->key, "") << "not the file's key";
    EXPECT_EQ(choose_profile(only_url, "default")->url.text(), "https://a.example");
    Environment only_key = environment();
    only_key.key = "ke";
    EXPECT_EQ(choose_profile(only_key, "")->url.text(), "http://127.0.0.1:8025");
    only_key.url = "http://elsewhere.example";
    EXPECT_EQ(choose_profile(only_key, "").error().detail, "PENGUIN_URL: in clear only to this machine: use https");
}

TEST_F(ProfileTest, AFileWithAKeyIsForItsOwnerAlone)
{
    for (const mode_t mode : {0640, 0604, 0660, 0644}) {
        const auto path = write(kUsual, "[profiles.default]\nkey = \"secret\"\n", mode);
        const auto profile = choose_profile(environment(), "");
        ASSERT_FALSE(profile) << mode;
        EXPECT_EQ(profile.error().code, Errc::denied);
        EXPECT_EQ(profile.error().detail,
                  path.string() + ": holds a key and others can read it: chmod 600 " + path.string());
    }
    write(kUsual, "[profiles.default]\nurl = \"https://a.example\"\n", 0644);
    EXPECT_TRUE(choose_profile(environment(), "")) << "no key is in it";
    write(kUsual, "[profiles.default]\nkey = \"secret\"\n", 0400);
    EXPECT_TRUE(choose_profile(environment(), ""));
}

TEST_F(ProfileTest, AKeyFileHoldsOneKeyForItsOwnerAlone)
{
    write(kUsual, "[profiles.default]\nkey_file = \"~/key\"\nca_file = \"~/ca.pem\"\n", 0644);
    EXPECT_EQ(choose_profile(environment(), "").error().code, Errc::not_found);
    write("key", "pm_live_1\n");
    const auto profile = choose_profile(environment(), "");
    ASSERT_TRUE(profile) << profile.error().detail;
    EXPECT_EQ(profile->key, "pm_live_1");
    EXPECT_EQ(profile->ca_file, (home_ / "ca.pem").string());
    write("key", "pm_live_1\n", 0644);
    EXPECT_EQ(choose_profile(environment(), "").error().code, Errc::denied);
    for (const std::string& text : {std::string{""}, std::string{"\n"}, std::string{"a b\n"}, std::string{"a\nb\n"}}) {
        write("key", text);
        EXPECT_EQ(choose_profile(environment(), "").error().code, Errc::bad_value) << text;
    }
    write("key", std::string(kKeyMax + 1, 'x'));
    EXPECT_EQ(choose_profile(environment(), "").error().code, Errc::too_long);
}

TEST_F(ProfileTest, TheFileIsWhereTheEnvironmentSays)
{
    write("other.toml", "[profiles.default]\nkey = \"other\"\n");
    Environment elsewhere = environment();
    elsewhere.config = (home_ / "other.toml").string();
    EXPECT_EQ(choose_profile(elsewhere, "")->key, "other");
    elsewhere.config = (home_ / "none.toml").string();
    EXPECT_EQ(choose_profile(elsewhere, "").error().code, Errc::not_found) << "a file that is named must be there";
    Environment xdg = environment();
    xdg.xdg_config_home = "/x";
    EXPECT_EQ(xdg.config_file(), "/x/penguinctl/config.toml");
    EXPECT_EQ(environment().config_file(), home_ / ".config/penguinctl/config.toml");
}

TEST_F(ProfileTest, AllThatIsWrongWithTheFileIsSaid)
{
    write(kUsual, "[profiles.default]\nurl = \"ftp://a\"\nword = 1\n");
    const auto profile = choose_profile(environment(), "");
    ASSERT_FALSE(profile);
    EXPECT_TRUE(profile.error().detail.contains("config.toml:2: profiles.default.url: ")) << profile.error().detail;
    EXPECT_TRUE(profile.error().detail.contains("config.toml:3: profiles.default.word: ")) << profile.error().detail;
}

} // namespace
} // namespace penguin::control::ctl
