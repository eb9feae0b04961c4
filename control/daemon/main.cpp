// penguin-mta: the commands.
#include <csignal>
#include <cstdio>
#include <iostream>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "control/daemon/audit_commands.h"
#include "control/daemon/config.h"
#include "control/daemon/daemon.h"
#include "control/daemon/key_rotation.h"
#include "control/daemon/part_options.h"
#include "control/daemon/process_user.h"
#include "control/daemon/rules_commands.h"
#include "engine/base/log.h"
#include "engine/policy/rule_trial.h"

namespace {

using namespace penguin;
using namespace penguin::control;

constexpr const char* kDefaultConfig = "/etc/penguin-mta/penguin-mta.toml";

struct Arguments {
    std::string config;    // empty: kDefaultConfig if it is there, else the defaults
    std::string state_dir; // empty: the file's
    std::string user;
};

int say(const ConfigProblems& problems)
{
    for (const ConfigProblem& problem : problems) fmt::print(stderr, "{}\n", text_of(problem));
    return 1;
}

ConfigResult configuration(const Arguments& arguments)
{
    std::string file = arguments.config;
    if (file.empty() && std::filesystem::exists(kDefaultConfig)) file = kDefaultConfig;
    std::string state_dir = arguments.state_dir;
    if (!state_dir.empty()) state_dir = std::filesystem::absolute(state_dir).lexically_normal().string();
    if (file.empty()) return parse_config("", "built-in defaults", state_dir);
    return load_config(file, state_dir);
}

// Files of ours are ours alone; a crash must not write keys into a core file; connections need descriptors. Stores inherit it.
void set_process_limits()
{
    ::umask(0077);
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &files);
    }
    std::signal(SIGPIPE, SIG_IGN);
}

// The kernel hands a core to a program of core_pattern whatever RLIMIT_CORE says, and lets a process of the same user look into
// our memory: both no more. A change of user would undo it, so it comes after that.
void keep_memory_private() { ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

// Common to all commands that touch the state directory: never as root.
int as_service(const Arguments& arguments, int (*command)(const Config&))
{
    const ConfigResult config = configuration(arguments);
    if (!config) return say(config.error());
    set_process_limits();
    if (const Result<> became = become_user(arguments.user, config->node.state_dir); !became) {
        fmt::print(stderr, "penguin-mta: {}\n", became.error().detail);
        return 1;
    }
    keep_memory_private();
    log::start(log_options(config->log));
    const int status = command(*config);
    log::flush();
    return status;
}

int serve(const Config& config)
{
    if (!config.smtp.allow_targets.empty())
        log::warning("daemon", "test_targets_allowed",
                     {{"networks", fmt::format("{}", fmt::join(config.smtp.allow_targets, " "))},
                      {"meaning", "mail may go to addresses that are refused in production"}});
    Daemon daemon{config};
    return daemon.run();
}

int check_config(const std::string& file)
{
    const ConfigResult config = load_config(file);
    if (!config) return say(config.error());
    if (const policy::RuleBook::Made rules = load_rules(config->delivery.rules_file); !rules) {
        for (const policy::RuleProblem& problem : rules.error())
            fmt::print(stderr, "{}: delivery.rules_file: {}\n", file, policy::text_of(problem));
        return 1;
    }
    fmt::print("ok\n");
    return 0;
}

int print_admin_key(const Arguments& arguments)
{
    const ConfigResult config = configuration(arguments);
    if (!config) return say(config.error());
    const Result<std::string> key = read_small_file(StateDir{config->node.state_dir}.admin_key());
    if (!key) {
        fmt::print(stderr, "penguin-mta: {} (the first start makes it)\n", key.error().detail);
        return 1;
    }
    fmt::print("{}", *key);
    return 0;
}

void add_arguments(CLI::App& command, Arguments& arguments, bool with_user)
{
    command.add_option("--config", arguments.config, fmt::format("TOML file (default {})", kDefaultConfig))
        ->check(CLI::ExistingFile);
    command.add_option("--state-dir", arguments.state_dir, "over node.state_dir of the file");
    if (with_user)
        command.add_option("--user", arguments.user,
                           fmt::format("the user to become when started as root (default {})", kServiceUser));
}

} // namespace

int main(int argc, char** argv)
{
    CLI::App app{"penguin-mta, the SMTP sending engine", "penguin-mta"};
    app.require_subcommand(1);
    Arguments arguments;
    std::string file;
    CLI::App* const serve_command = app.add_subcommand("serve", "Run the daemon in the foreground");
    CLI::App* const migrate_command =
        app.add_subcommand("migrate", "Bring the schema of the configured PostgreSQL up to date");
    CLI::App* const rotate_command = app.add_subcommand(
        "rotate-kek",
        "Wrap every stored secret by the first key of keys.encryption_keys_file; serve may go on meanwhile");
    CLI::App* const audit_command = app.add_subcommand("audit", "The audit log, for safe keeping");
    CLI::App* const export_command =
        audit_command->add_subcommand("export", "Write every record to stdout: JSON lines, oldest first");
    CLI::App* const verify_command =
        audit_command->add_subcommand("verify", "Say whether an export is whole; reads nothing else");
    audit_command->require_subcommand(1);
    CLI::App* const rules_command = app.add_subcommand("rules", "Reply rules: what replies of providers mean");
    CLI::App* const rules_check_command =
        rules_command->add_subcommand("check", "Say everything that is wrong with a file of rules");
    CLI::App* const rules_try_command =
        rules_command->add_subcommand("try", "Say which rule knows a reply, why, and what would happen");
    rules_command->require_subcommand(1);
    CLI::App* const check_command =
        app.add_subcommand("check-config", "Say everything that is wrong with a configuration");
    CLI::App* const key_command =
        app.add_subcommand("admin-key", "Print the platform API key that the first start made");
    CLI::App* const version_command = app.add_subcommand("version", "Print the version");
    add_arguments(*serve_command, arguments, true);
    add_arguments(*migrate_command, arguments, true);
    add_arguments(*rotate_command, arguments, true);
    add_arguments(*key_command, arguments, false);
    add_arguments(*export_command, arguments, true);
    std::string head;
    verify_command->add_option("file", file, "what `audit export` wrote; - is stdin")->default_str("-");
    verify_command->add_option("--head", head,
                               "SEQ:HASH that an earlier verify printed: shows a log that was cut or made anew");
    check_command->add_option("file", file, "TOML file")->required();
    rules_check_command->add_option("file", file, "TOML file, over the shipped rules")->required();
    RuleTrial trial;
    rules_try_command->add_option("reply", trial.reply, R"(as the server sent it; lines by line ends or by " | ")")
        ->required();
    rules_try_command->add_option("--provider", trial.provider, "who said it (default: nobody known)");
    rules_try_command->add_option("--phase", trial.phase, "what it answers")
        ->check(CLI::IsMember(policy::reply_phases()))
        ->capture_default_str();
    rules_try_command->add_option("--rules", trial.file, "TOML file, over the shipped rules");
    CLI11_PARSE(app, argc, argv);

    try {
        if (*serve_command) return as_service(arguments, serve);
        if (*migrate_command) return as_service(arguments, run_migrations);
        if (*rotate_command) return as_service(arguments, run_key_rotation);
        if (*export_command) return as_service(arguments, run_audit_export);
        if (*verify_command) return run_audit_verify(file, head);
        if (*rules_check_command) return check_rules(file, std::cout);
        if (*rules_try_command) return try_rules(trial, std::cout);
        if (*check_command) return check_config(file);
        if (*key_command) return print_admin_key(arguments);
        if (*version_command) fmt::print("penguin-mta {}\n", PENGUIN_VERSION);
        return 0;
    } catch (const std::exception& thrown) {
        fmt::print(stderr, "penguin-mta: {}\n", thrown.what());
        return 1;
    }
}
