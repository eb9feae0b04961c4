#include "control/ctl/arguments.h"

#include <iterator>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

namespace penguin::control::ctl {
namespace {

class ArgumentsTest : public testing::Test {
protected:
    std::expected<Arguments, Ended> parse(const std::string& line) const
    {
        std::istringstream words{line};
        return parse_arguments(verbs_, {std::istream_iterator<std::string>{words}, {}});
    }
    Ended refused(const std::string& line) const
    {
        const auto parsed = parse(line);
        return parsed ? Ended{.status = -1, .text = "taken"} : parsed.error();
    }

    std::vector<Verb> verbs_ = all_verbs();
};

TEST_F(ArgumentsTest, AVerbWithItsArgumentsAndOptions)
{
    const auto parsed =
        parse("sources create --address 192.0.2.10 --ehlo-name mta1.example.com --pool default --node node-1");
    ASSERT_TRUE(parsed) << parsed.error().text;
    EXPECT_EQ(parsed->command, Command::verb);
    EXPECT_EQ(parsed->verb->path, "/v1/sources");
    const Given wanted{
        {"address", {"192.0.2.10"}}, {"ehlo_name", {"mta1.example.com"}}, {"pool", {"default"}}, {"node", {"node-1"}}};
    EXPECT_EQ(parsed->given, wanted);
}

TEST_F(ArgumentsTest, AFieldOfTheBodyMayBeAnArgument)
{
    const auto parsed = parse("rules try 550-no --provider gmail");
    ASSERT_TRUE(parsed) << parsed.error().text;
    EXPECT_EQ(parsed->given, (Given{{"reply", {"550-no"}}, {"provider", {"gmail"}}}));
    EXPECT_EQ(refused("rules try").status, kUsage);
    const auto file = parse("rules put own.toml --comment why --if-match 3");
    ASSERT_TRUE(file) << file.error().text;
    EXPECT_EQ(file->file, "own.toml");
    EXPECT_EQ(file->given, (Given{{"comment", {"why"}}, {"If-Match", {"3"}}}));
}

TEST_F(ArgumentsTest, DefaultsAreTheOnesThatHelpNames)
{
    const auto parsed = parse("pools list");
    ASSERT_TRUE(parsed);
    EXPECT_FALSE(parsed->json || parsed->all);
    EXPECT_EQ(parsed->timeout, std::chrono::seconds{30});
    EXPECT_EQ(parsed->retries, 3U);
    EXPECT_TRUE(parsed->given.empty());
}

TEST_F(ArgumentsTest, CommonOptionsStandBeforeOrBehindTheVerb)
{
    for (const char* line : {"--json --profile prod --timeout-s 5 --retries 0 tenants list",
                             "tenants list --json --profile prod --timeout-s 5 --retries 0",
                             "tenants --json list --profile prod --timeout-s 5 --retries=0"}) {
        const auto parsed = parse(line);
        ASSERT_TRUE(parsed) << line << parsed.error().text;
        EXPECT_TRUE(parsed->json) << line;
        EXPECT_EQ(parsed->profile, "prod") << line;
        EXPECT_EQ(parsed->timeout, std::chrono::seconds{5}) << line;
        EXPECT_EQ(parsed->retries, 0U) << line;
    }
}

TEST_F(ArgumentsTest, AFlagCanBeTakenBack)
{
    EXPECT_EQ(parse("tenants update t --suspended")->given.at("suspended").front(), "true");
    EXPECT_EQ(parse("tenants update t --suspended=false")->given.at("suspended").front(), "false");
    EXPECT_FALSE(parse("tenants update t")->given.contains("suspended"));
}

TEST_F(ArgumentsTest, AnArgumentMayBeNamedLikeAVerbOrAResource)
{
    EXPECT_EQ(parse("pools get list")->given.at("pool").front(), "list");
    EXPECT_EQ(parse("pools get tenants")->given.at("pool").front(), "tenants");
    EXPECT_EQ(parse("pools get top")->given.at("pool").front(), "top");
}

TEST_F(ArgumentsTest, ListsOfTextsMayBeRepeated)
{
    const Given given = parse("api-keys create --name k --scopes a:read,b:read --scopes c:read")->given;
    EXPECT_EQ(given.at("scopes"), (std::vector<std::string>{"a:read,b:read", "c:read"}));
}

TEST_F(ArgumentsTest, AFileForTheVerbThatTakesOne)
{
    const auto parsed = parse("batches submit batch.json --idempotency-key spring-1");
    ASSERT_TRUE(parsed) << parsed.error().text;
    EXPECT_EQ(parsed->file, "batch.json");
    EXPECT_EQ(parsed->idempotency_key, "spring-1");
    EXPECT_EQ(parse("batches submit -")->file, "-");
}

TEST_F(ArgumentsTest, TopCompletionAndVersion)
{
    EXPECT_EQ(parse("version")->command, Command::version);
    EXPECT_EQ(parse("completion zsh")->shell, "zsh");
    const auto top = parse("top --once --interval-s 0.5");
    ASSERT_TRUE(top);
    EXPECT_EQ(top->command, Command::top);
    EXPECT_TRUE(top->once);
    EXPECT_EQ(top->interval, std::chrono::milliseconds{500});
}

TEST_F(ArgumentsTest, EveryWrongUseHasStatusTwoAndNamesWhatIsWrong)
{
    const std::pair<const char*, const char*> cases[] = {
        {"", "subcommand is required"},
        {"tenants", "subcommand is required"},
        {"nothing", "nothing"},
        {"tenants fly", "fly"},
        {"tenants get", "tenant is required"},
        {"tenants create", "--name is required"},
        {"tenants create --name a --colour red", "--colour"},
        {"tenants create --name a --name b", "--name"},
        {"pools get a b", "b"},
        {"tenants list --timeout-s 0", "--timeout-s"},
        {"tenants list --timeout-s 3601", "--timeout-s"},
        {"tenants list --retries 101", "--retries"},
        {"completion fish", "fish"},
        {"top --interval-s 0", "--interval-s"},
        {"tenants get t --all", "--all"},
    };
    for (const auto& [line, word] : cases) {
        const Ended ended = refused(line);
        EXPECT_EQ(ended.status, kUsage) << line;
        EXPECT_TRUE(ended.text.contains(word)) << line << ": " << ended.text;
        EXPECT_TRUE(ended.text.starts_with("penguinctl: ")) << ended.text;
    }
}

TEST_F(ArgumentsTest, HelpNamesEveryVerbOptionAndChoice)
{
    const Ended all = refused("--help");
    EXPECT_EQ(all.status, kDone);
    for (const Verb& verb : verbs_) {
        EXPECT_TRUE(all.text.contains(verb.resource)) << verb.resource;
        const Ended help = refused(std::string{verb.resource} + " " + std::string{verb.name} + " --help");
        EXPECT_EQ(help.status, kDone);
        for (const Param& param : verb.params) {
            EXPECT_TRUE(help.text.contains(option_of(param))) << help.text;
            EXPECT_TRUE(help.text.contains(param.help.substr(0, 12))) << help.text;
        }
    }
    EXPECT_TRUE(refused("events list --help").text.contains("delivered|deferred"));
}

TEST_F(ArgumentsTest, NoTwoVerbsHaveOneName)
{
    std::set<std::pair<std::string_view, std::string_view>> names;
    for (const Verb& verb : verbs_)
        EXPECT_TRUE(names.emplace(verb.resource, verb.name).second) << verb.resource << verb.name;
    EXPECT_EQ(find_verb(verbs_, "tenants", "get")->path, "/v1/tenants/{tenant}");
    EXPECT_EQ(find_verb(verbs_, "tenants", "fly"), nullptr);
}

} // namespace
} // namespace penguin::control::ctl
