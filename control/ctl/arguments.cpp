#include "control/ctl/arguments.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace penguin::control::ctl {

namespace {

constexpr const char* kAbout =
    "penguinctl, the command line on the API of penguin-mta\n\n"
    "Where the API is and with which key: --profile, else PENGUIN_URL and PENGUIN_KEY, else the default profile of "
    "the\n"
    "configuration file ($PENGUINCTL_CONFIG, else ~/.config/penguinctl/config.toml), else http://127.0.0.1:8025.\n"
    "Exit status: 0 done, 1 refused by the API, 2 wrong usage or configuration, 3 no answer.";

struct Bound { // a verb and the options that CLI11 keeps for it
    const Verb* verb = nullptr;
    CLI::App* app = nullptr;
    std::vector<std::pair<const Param*, CLI::Option*>> options;
};

bool is_argument(const Param& param) { return param.place == Place::path || param.positional; }

std::string type_name_of(const Param& param)
{
    if (!param.choices.empty()) return fmt::format("{}", fmt::join(param.choices, "|"));
    switch (param.kind) {
    case Kind::whole: return "N";
    case Kind::number: return "NUMBER";
    case Kind::texts: return "TEXT,...";
    case Kind::text:
    case Kind::flag: break;
    }
    return param.place == Place::if_match ? "VERSION" : "TEXT";
}

CLI::Option* add_param(CLI::App& app, const Param& param)
{
    const std::string name = option_of(param);
    const std::string help = std::string{param.help} + (param.kind == Kind::flag ? "; =false takes it back" : "");
    if (param.kind == Kind::flag) return app.add_flag(name, help);
    CLI::Option* const option =
        app.add_option(name, [](const CLI::results_t&) { return true; }, help)->required(param.required)->expected(1);
    if (param.kind == Kind::texts) option->take_all();
    return option->type_name(is_argument(param) ? "" : type_name_of(param));
}

Bound add_verb(CLI::App& resource, const Verb& verb, Arguments& arguments)
{
    Bound bound{&verb, resource.add_subcommand(std::string{verb.name}, std::string{verb.help}), {}};
    for (const Param& param : verb.params) bound.options.emplace_back(&param, add_param(*bound.app, param));
    if (verb.paged) bound.app->add_flag("--all", arguments.all, "every page; with --json one object a line");
    if (verb.takes_file)
        bound.app
            ->add_option("file", arguments.file,
                         verb.file_field.empty() ? "the JSON document; - is stdin" : "the file; - is stdin")
            ->required()
            ->type_name("");
    if (verb.idempotency_key)
        bound.app->add_option("--idempotency-key", arguments.idempotency_key,
                              "to repeat a call whose answer was lost; made when not given");
    return bound;
}

std::vector<Bound> add_verbs(CLI::App& app, std::span<const Verb> verbs, Arguments& arguments)
{
    std::vector<Bound> bounds;
    std::map<std::string_view, CLI::App*> resources;
    for (const Verb& verb : verbs) {
        CLI::App*& resource = resources[verb.resource];
        if (resource == nullptr) {
            std::vector<std::string_view> names;
            for (const Verb& other : verbs)
                if (other.resource == verb.resource) names.push_back(other.name);
            resource = app.add_subcommand(std::string{verb.resource}, fmt::format("{}", fmt::join(names, ", ")));
            resource->require_subcommand(1);
        }
        bounds.push_back(add_verb(*resource, verb, arguments));
    }
    return bounds;
}

struct Numbers { // seconds, as they are given
    unsigned timeout = 30;
    double interval = 2;
};

void add_common_options(CLI::App& app, Arguments& arguments, Numbers& numbers)
{
    app.add_flag("--json", arguments.json, "the API's own JSON in place of tables");
    app.add_option("--profile", arguments.profile, "of the configuration file");
    app.add_option("--timeout-s", numbers.timeout, "seconds that a request may take")
        ->check(CLI::Range(1U, kTimeoutMax))
        ->capture_default_str();
    app.add_option("--retries", arguments.retries, "how often 429 and 503 are tried again, after their Retry-After")
        ->check(CLI::Range(0U, kRetriesMax))
        ->capture_default_str();
}

CLI::App* add_top(CLI::App& app, Arguments& arguments, Numbers& numbers)
{
    CLI::App* const top = app.add_subcommand("top", "A live view of a node: rates, queue, connections; q ends it");
    top->add_flag("--once", arguments.once, "one frame, after one interval");
    top->add_option("--interval-s", numbers.interval, "seconds between two frames")
        ->check(CLI::Range(0.1, 3'600.0))
        ->capture_default_str();
    return top;
}

CLI::App* add_completion(CLI::App& app, Arguments& arguments)
{
    CLI::App* const completion =
        app.add_subcommand("completion", "Print a script for the shell: source <(penguinctl completion bash)");
    completion->add_option("shell", arguments.shell, "bash or zsh")->required()->check(CLI::IsMember({"bash", "zsh"}));
    return completion;
}

Given given_of(const Bound& bound)
{
    Given given;
    for (const auto& [param, option] : bound.options) {
        if (option->count() == 0) continue;
        given[std::string{param->name}] = option->results();
    }
    return given;
}

Ended ended(const CLI::App& app, const CLI::ParseError& thrown)
{
    std::ostringstream out, err;
    const int code = app.exit(thrown, out, err);
    // CLI11 says only that a subcommand is missing, not that this one does not exist.
    if (const std::vector<std::string> unknown = app.remaining(true); code != 0 && !unknown.empty())
        return {.status = kUsage,
                .text = fmt::format("penguinctl: '{}' is not known here; --help lists what is\n", unknown.front())};
    return {.status = code == 0 ? kDone : kUsage, .text = code == 0 ? out.str() : "penguinctl: " + err.str()};
}

} // namespace

std::string option_of(const Param& param)
{
    std::string name{param.name};
    if (is_argument(param)) return name;
    std::ranges::transform(name, name.begin(), [](char c) {
        const bool upper = c >= 'A' && c <= 'Z';
        return upper ? static_cast<char>(c - 'A' + 'a') : c == '_' ? '-' : c;
    });
    return "--" + name;
}

std::expected<Arguments, Ended> parse_arguments(std::span<const Verb> verbs, std::vector<std::string> words)
{
    Arguments arguments;
    Numbers numbers;
    CLI::App app{kAbout, "penguinctl"};
    app.require_subcommand(1);
    app.fallthrough(); // options of all verbs may stand behind the verb as well
    add_common_options(app, arguments, numbers);
    const std::vector<Bound> bounds = add_verbs(app, verbs, arguments);
    const CLI::App* const top = add_top(app, arguments, numbers);
    const CLI::App* const completion = add_completion(app, arguments);
    app.add_subcommand("version", "Print the version");
    std::ranges::reverse(words); // as CLI11 takes them
    try {
        app.parse(std::move(words));
    } catch (const CLI::ParseError& thrown) {
        return std::unexpected{ended(app, thrown)};
    }
    arguments.timeout = std::chrono::seconds{numbers.timeout};
    arguments.interval = std::chrono::milliseconds{std::lround(numbers.interval * 1'000)};
    for (const Bound& bound : bounds) {
        if (!*bound.app) continue;
        arguments.command = Command::verb;
        arguments.verb = bound.verb;
        arguments.given = given_of(bound);
    }
    if (*top) arguments.command = Command::top;
    if (*completion) arguments.command = Command::completion;
    return arguments;
}

} // namespace penguin::control::ctl
