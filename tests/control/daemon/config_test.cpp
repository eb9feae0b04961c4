#include "control/daemon/config.h"

#include <algorithm>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penguin::control {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::vector<std::string> problems_of(std::string_view text)
{
    const ConfigResult config = parse_config(text, "p.toml");
    std::vector<std::string> out;
    if (config) return out;
    for (const ConfigProblem& problem : config.error()) out.push_back(text_of(problem));
    return out;
}

TEST(Config, AnEmptyFileIsAllDefaults)
{
    const ConfigResult config = parse_config("", "p.toml");
    ASSERT_TRUE(config);
    EXPECT_EQ(*config, Config{});
    EXPECT_TRUE(config->database.embedded());
}

TEST(Config, TheExampleHoldsTheDefaults)
{
    const ConfigResult example = load_config(PENGUIN_EXAMPLE_CONFIG);
    ASSERT_TRUE(example) << text_of(example.error().front());
    EXPECT_EQ(*example, Config{});
}

void collect_keys(const toml::table& table, const std::string& path, std::set<std::string>& out)
{
    for (const auto& [key, node] : table) {
        const std::string full = path.empty() ? std::string{key.str()} : path + "." + std::string{key.str()};
        if (node.is_table() && full != "log.modules")
            collect_keys(*node.as_table(), full, out);
        else
            out.insert(full);
    }
}

TEST(Config, TheExampleNamesEveryKey)
{
    std::set<std::string> in_example;
    collect_keys(toml::parse_file(PENGUIN_EXAMPLE_CONFIG), "", in_example);
    EXPECT_EQ(in_example, config_keys());
}

TEST(Config, EveryKeyOfTheExampleIsExplained)
{
    // A comment stands before each section or group of keys; a blank line ends a group.
    std::ifstream in{PENGUIN_EXAMPLE_CONFIG};
    bool explained = false;
    std::string line;
    for (int number = 1; std::getline(in, line); ++number) {
        if (line.empty())
            explained = false;
        else if (line.starts_with('#'))
            explained = true;
        else if (line.find(" = ") != std::string::npos && !explained)
            // The tiers of the database repeat what their first section explains.
            EXPECT_THAT(line, testing::ContainsRegex("^(dsn|worker_dsn|owner_dsn) = ")) << "line " << number;
    }
}

struct BadCase {
    const char* name;
    const char* text;
    const char* problem;
};

constexpr BadCase kBad[] = {
    {"Syntax", "[node]\nname = \n", "p.toml:2: "},
    {"UnknownSection", "\n[nodes]\n", "p.toml:2: nodes: unknown key; known here: auth, database, delivery"},
    {"UnknownKey", "[smtp]\nprot = 25\n",
     "p.toml:2: smtp.prot: unknown key; known here: allow_targets, port, starttls, timeouts"},
    {"UnknownDottedKey", "smtp.timeouts.helo = \"1s\"", "p.toml:1: smtp.timeouts.helo: unknown key"},
    {"SectionIsNoTable", "smtp = 3", "p.toml:1: smtp: must be a table, is a number"},
    {"TextIsNumber", "[node]\nname = 5", "p.toml:2: node.name: must be text, is a number"},
    {"NumberIsText", "[smtp]\nport = \"25\"", "p.toml:2: smtp.port: must be a number, is text"},
    {"NumberIsFraction", "[dns]\ntries = 1.5", "p.toml:2: dns.tries: must be a number, is a fraction"},
    {"FlagIsText", "[smtp]\nstarttls = \"yes\"", "p.toml:2: smtp.starttls: must be true or false, is text"},
    {"ArrayIsText", "[dns]\nservers = \"192.0.2.1\"", "p.toml:2: dns.servers: must be an array of texts, is text"},
    {"ArrayOfNumbers", "[dns]\nservers = [1]",
     "p.toml:2: dns.servers: must be an array of texts, an item, is a number"},
    {"DateForTime", "[delivery]\nidle = 1979-05-27", "p.toml:2: delivery.idle: must be text, is a date or time"},
    {"PortZero", "[smtp]\nport = 0", "p.toml:2: smtp.port: must be 1 to 65535 (it is 0)"},
    {"PortTooHigh", "[smtp]\nport = 65536", "p.toml:2: smtp.port: must be 1 to 65535 (it is 65536)"},
    {"Negative", "[delivery]\nshards = -1", "p.toml:2: delivery.shards: must be 0 to 128 (it is -1)"},
    {"DurationWithoutUnit", "[smtp.timeouts]\nrcpt = \"30\"", "p.toml:2: smtp.timeouts.rcpt: must be a time such as"},
    {"DurationWrongOrder", "[smtp.timeouts]\nrcpt = \"1s5m\"", "p.toml:2: smtp.timeouts.rcpt: must be a time such as"},
    {"DurationHuge", "[smtp.timeouts]\nrcpt = \"99999999999999999999s\"",
     "p.toml:2: smtp.timeouts.rcpt: must be a time"},
    {"DurationOutOfRange", "[smtp.timeouts]\nrcpt = \"2h\"",
     "p.toml:2: smtp.timeouts.rcpt: must be 1s to 1h (it is \"2h\")"},
    {"DurationTooFine", "[smtp.timeouts]\nrcpt = \"1500ms\"", "p.toml:2: smtp.timeouts.rcpt: must be whole times 1s"},
    {"SizeWithoutUnit", "[http]\nbody_max = \"100\"", "p.toml:2: http.body_max: must be a size such as"},
    {"SizeOutOfRange", "[http]\nbody_max = \"1KiB\"", "p.toml:2: http.body_max: must be 64KiB to 256MiB"},
    {"NodeName", "[node]\nname = \"a b\"", "p.toml:2: node.name: must be at most 64 letters, digits, dots and hyphens"},
    {"TwoLines", "[auth]\nissuer = \"a\\nb\"", "p.toml:2: auth.issuer: must be one line"},
    {"StateDirRelative", "[node]\nstate_dir = \"var\"", "p.toml:2: node.state_dir: must be an absolute path"},
    {"StateDirQuoting", "[node]\nstate_dir = \"/var/a b\"",
     "p.toml:2: node.state_dir: must be an absolute path of letters"},
    {"RulesRelative", "[delivery]\nrules_file = \"own.toml\"",
     "p.toml:2: delivery.rules_file: must be an absolute path"},
    {"Environment", "[node]\nenvironment = \"prod\"",
     "p.toml:2: node.environment: must be one of production, test (it is \"prod\")"},
    {"Level", "[log]\nlevel = \"loud\"", "p.toml:2: log.level: must be debug, info, warning or error"},
    {"ModuleLevel", "[log.modules]\ndelivery = \"loud\"",
     "p.toml:2: log.modules.delivery: must be debug, info, warning or error"},
    {"ModuleLevelType", "[log.modules]\ndelivery = 1", "p.toml:2: log.modules.delivery: must be text, is a number"},
    {"ListenNoPort", "[http]\nlisten = [\"127.0.0.1\"]", "p.toml:2: http.listen: must be \"address:port\""},
    {"ListenName", "[http]\nlisten = [\"localhost:80\"]", "p.toml:2: http.listen: must be \"address:port\""},
    {"ListenRelativeSocket", "[http]\nlisten = [\"unix:x\"]", "p.toml:2: http.listen: must be an absolute path"},
    {"PlainOnTheNetwork", "[http]\nlisten = [\"0.0.0.0:8025\"]",
     "p.toml:2: http.listen: \"0.0.0.0:8025\" is open to the network"},
    {"PlainOnTheNetwork6", "[http]\nlisten = [\"[::]:8025\"]",
     "p.toml:2: http.listen: \"[::]:8025\" is open to the network"},
    {"CertWithoutKey", "[http]\ntls_cert = \"/c.pem\"",
     "p.toml:2: http.tls_cert: tls_cert and tls_key are given together"},
    {"JwksWithoutIssuer", "[auth]\njwks_file = \"/j\"\naudience = \"x\"",
     "p.toml:1: auth.issuer: is needed with jwks_file"},
    {"JwksUrlInClear", "[auth]\njwks_url = \"http://keys.example/\"", "p.toml:2: auth.jwks_url: url: https only"},
    {"JwksUrlAndFile",
     "[auth]\njwks_file = \"/j\"\njwks_url = \"https://keys.example/\"\n"
     "issuer = \"i\"\naudience = \"a\"",
     "p.toml:3: auth.jwks_url: jwks_file or jwks_url, not both"},
    {"JwksUrlWithoutAudience", "[auth]\njwks_url = \"https://keys.example/\"\nissuer = \"x\"",
     "p.toml:1: auth.audience: is needed with jwks_url"},
    {"JwksCaAlone", "[auth]\njwks_ca_file = \"/c\"", "p.toml:2: auth.jwks_ca_file: goes with jwks_url"},
    {"JwksTargetsAlone", "[auth]\njwks_allow_targets = [\"10.0.0.0/8\"]",
     "p.toml:2: auth.jwks_allow_targets: goes with jwks_url"},
    {"RedisScheme", "[redis]\nurl = \"http://x\"", "p.toml:2: redis.url: "},
    {"RedisPrefix", "[redis]\nprefix = \"{x}\"", "p.toml:2: redis.prefix: must be at most 32"},
    {"Dsn", "[database]\ndsn = \"secret\"", "p.toml:2: database.dsn: must be a libpq connection string"},
    {"NoWorkerDsn", "[database]\ndsn = \"host=x\"", "p.toml:1: database: no worker_dsn for the tier control"},
    {"OneTierOnly", "[database.queue]\ndsn = \"host=x\"\nworker_dsn=\"host=x\"",
     "p.toml:1: database: no dsn for the tier control"},
    {"DnsServerName", "[dns]\nservers = [\"dns.example\"]", "p.toml:2: dns.servers: must be an address"},
    {"DnsServerPort", "[dns]\nservers = [\"192.0.2.1:0\"]", "p.toml:2: dns.servers: must be an address"},
    {"Network", "[node]\nenvironment=\"test\"\n[smtp]\nallow_targets = [\"127.0.0.1\"]",
     "p.toml:4: smtp.allow_targets: must be a network"},
    {"TargetsInProduction", "[smtp]\nallow_targets = [\"127.0.0.0/8\"]", "p.toml:2: smtp.allow_targets: is for tests"},
    {"BounceLabel", "[domains]\nbounce_label = \"a.b\"", "p.toml:2: domains.bounce_label: must be 1 to 63"},
    {"BounceMx", "[domains]\nbounce_mx = \"a b\"", "p.toml:2: domains.bounce_mx: must be a domain name"},
    {"DmarcReports", "[domains]\ndmarc_reports = \"x\"", "p.toml:2: domains.dmarc_reports: must be an address"},
    {"BacklogOfNothing", "[delivery]\nbacklog_max = 999",
     "p.toml:2: delivery.backlog_max: must be 1000 to 1000000000 (it is 999)"},
    {"EmptyLadder", "[delivery]\nretry_ladder = []", "p.toml:2: delivery.retry_ladder: must have at least one item"},
    {"LadderItem", "[delivery]\nretry_ladder = [\"5m\", \"soon\"]",
     "p.toml:2: delivery.retry_ladder: must be a time such as"},
    {"SiteBelowLane", "[delivery]\nconnections_per_site = 5",
     "p.toml:2: delivery.connections_per_site: must not be below"},
};

class ConfigRefuses : public testing::TestWithParam<BadCase> {};

TEST_P(ConfigRefuses, WithFileLineAndKey)
{
    const std::vector<std::string> problems = problems_of(GetParam().text);
    ASSERT_FALSE(problems.empty());
    EXPECT_THAT(problems.front(), testing::StartsWith(GetParam().problem));
}

INSTANTIATE_TEST_SUITE_P(Daemon, ConfigRefuses, testing::ValuesIn(kBad),
                         [](const auto& row) { return std::string{row.param.name}; });

TEST(Config, SaysEverythingAtOnceInTheOrderOfTheFile)
{
    const std::vector<std::string> problems = problems_of("[smtp]\n"
                                                          "port = 0\n"
                                                          "colour = \"red\"\n"
                                                          "[node]\n"
                                                          "name = 5\n"
                                                          "[http]\n"
                                                          "listen = [\"192.0.2.1:80\", \"x\"]\n");
    EXPECT_THAT(problems, ElementsAre(HasSubstr("p.toml:2: smtp.port"), HasSubstr("p.toml:3: smtp.colour"),
                                      HasSubstr("p.toml:5: node.name"), HasSubstr("(item \"x\")"),
                                      HasSubstr("\"192.0.2.1:80\" is open to the network")));
}

TEST(Config, ProblemsNeverShowWhatMayHoldAPassword)
{
    for (const char* text : {"[redis]\nurl = \"redis://u:hunter2@host:99999/\"", "[database]\ndsn = \"hunter2\"",
                             "[database.queue]\nowner_dsn = \"hunter2\""}) {
        const std::vector<std::string> problems = problems_of(text);
        ASSERT_FALSE(problems.empty());
        for (const std::string& problem : problems) EXPECT_THAT(problem, Not(HasSubstr("hunter2")));
    }
}

TEST(Config, AStateDirectoryThatIsTooLongForSocketsIsRefusedUnlessNoneIsMade)
{
    const std::string dir = "/" + std::string(90, 'd');
    EXPECT_THAT(problems_of("[node]\nstate_dir = \"" + dir + "\""),
                ElementsAre(HasSubstr("p.toml:2: node.state_dir: is too long: the socket " + dir)));
    EXPECT_TRUE(problems_of("[node]\nstate_dir = \"" + dir +
                            "\"\n[redis]\nurl = \"redis://localhost\"\n[database]\n"
                            "dsn = \"host=x\"\nworker_dsn = \"host=x\"\n")
                    .empty());
}

TEST(Config, ReadsEveryKindOfValue)
{
    const ConfigResult config = parse_config(R"(
        [node]
        name = "mx-1.example"
        environment = "test"
        stop_drain = "2m"
        [log.modules]
        delivery = "debug"
        [http]
        listen = ["[::1]:80", "unix:/run/p.sock"]
        body_max = "1MiB"
        [redis]
        url = "rediss://host:6380/1"
        [database]
        dsn = "host=a"
        worker_dsn = "host=b"
        [database.analytics]
        dsn = "host=c"
        [dns]
        servers = ["127.0.0.1:5353", "::1", "[::1]:53"]
        timeout = "1s500ms"
        [smtp]
        starttls = false
        allow_targets = ["127.0.0.0/8", "::1/128"]
        [delivery]
        retry_ladder = ["1s", "4d"]
    )",
                                             "p.toml");
    ASSERT_FALSE(config); // 4d is over a day
    EXPECT_THAT(text_of(config.error().front()), HasSubstr("delivery.retry_ladder: must be 1s to 1d"));
    const ConfigResult right =
        parse_config("[database]\ndsn='host=a'\nworker_dsn='host=b'\n[database.analytics]\ndsn='host=c'\n"
                     "[delivery]\nlife='1d12h30m'\nretry_ladder=['1s','1h']\n[log.modules]\nsmtp='debug'\n"
                     "[dns]\nservers=['127.0.0.1:5353','::1','[::1]:53']\ntimeout='1s500ms'\n",
                     "p.toml");
    ASSERT_TRUE(right) << text_of(right.error().front());
    EXPECT_EQ(right->delivery.life, 36h + 30min);
    EXPECT_THAT(right->delivery.retry_ladder, ElementsAre(1s, 1h));
    EXPECT_EQ(right->dns.timeout, 1500ms);
    EXPECT_EQ(right->dns.servers.size(), 3U);
    EXPECT_EQ(right->log.modules.at("smtp"), "debug");
    EXPECT_FALSE(right->database.embedded());
    EXPECT_EQ(right->database.of("analytics").dsn, "host=c");
    EXPECT_EQ(right->database.of("analytics").worker_dsn, "host=b");
    EXPECT_EQ(right->database.of("queue").dsn, "host=a");
}

TEST(Config, AFileThatIsNotThereOrTooLargeIsOneProblem)
{
    const ConfigResult none = load_config("/nonexistent/p.toml");
    ASSERT_FALSE(none);
    EXPECT_EQ(text_of(none.error().front()), "/nonexistent/p.toml: cannot be opened for reading");
    const ConfigResult endless = load_config("/dev/zero");
    ASSERT_FALSE(endless);
    EXPECT_THAT(text_of(endless.error().front()), HasSubstr("is larger than"));
}

} // namespace
} // namespace penguin::control
