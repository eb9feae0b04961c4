// penguinctl: from words to an exit status.
#include <csignal>
#include <cstdio>
#include <exception>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include "control/ctl/arguments.h"
#include "control/ctl/completion.h"
#include "control/ctl/run_verb.h"
#include "control/ctl/top.h"

namespace {

using namespace penguin;
using namespace penguin::control::ctl;

int run_to_end(const Arguments& arguments, ApiClient& client, const Profile& profile)
{
    const Writers writers{.out = [](const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); },
                          .err = [](const std::string& text) { std::fwrite(text.data(), 1, text.size(), stderr); }};
    asio::io_context io;
    int status = kUnreachable;
    std::exception_ptr failed;
    asio::co_spawn(io, run_verb(arguments, client, profile, writers), [&](const std::exception_ptr& thrown, int gave) {
        failed = thrown;
        status = gave;
    });
    io.run();
    if (failed) std::rethrow_exception(failed);
    return status;
}

int ask(const Arguments& arguments)
{
    const Result<Profile> profile = choose_profile(Environment::of_process(), arguments.profile);
    if (!profile) {
        fmt::print(stderr, "penguinctl: {}\n", profile.error().detail);
        return kUsage;
    }
    ApiClient client{
        {.url = profile->url, .key = profile->key, .authorities = profile->ca_file, .limit = arguments.timeout}};
    if (arguments.command == Command::top)
        return run_top(client, {.interval = arguments.interval, .once = arguments.once, .url = profile->url.text()});
    return run_to_end(arguments, client, *profile);
}

int run(const std::vector<Verb>& verbs, const Arguments& arguments)
{
    switch (arguments.command) {
    case Command::version: fmt::print("penguinctl {}\n", PENGUIN_VERSION); return kDone;
    case Command::completion: fmt::print("{}", completion_script(verbs, arguments.shell)); return kDone;
    case Command::verb:
    case Command::top: break;
    }
    return ask(arguments);
}

} // namespace

int main(int argc, char** argv)
{
    try {
        const std::vector<Verb> verbs = all_verbs();
        const auto arguments = parse_arguments(verbs, {argv + 1, argv + argc});
        if (!arguments) {
            fmt::print(arguments.error().status == kDone ? stdout : stderr, "{}", arguments.error().text);
            return arguments.error().status;
        }
        const int status = run(verbs, *arguments);
        if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
        fmt::print(stderr, "penguinctl: the output could not be written\n");
        return kUnreachable;
    } catch (const std::exception& thrown) {
        fmt::print(stderr, "penguinctl: {}\n", thrown.what());
        return kUsage;
    }
}
