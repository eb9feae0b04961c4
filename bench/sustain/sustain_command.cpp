#include "bench/sustain/sustain_command.h"

#include <memory>

#include <fmt/format.h>

#include "bench/harness/report.h"
#include "bench/harness/verb.h"
#include "bench/sustain/sustain.h"

namespace penguin::bench {

namespace {

struct Words {
    SustainOptions sustain;
    VerbWords verb;
};

std::string found_text(const json::value& after)
{
    return after.is_null() ? "never" : fmt::format("{:.0f} s", after.to_number<double>());
}

Column column_of(const char* title, const json::value& side)
{
    return {.title = title,
            .cells = {fmt::format("{:.0f} %", side.at("share").to_number<double>() * 100),
                      fmt::format("{:.1f} %", side.at("deferred").to_number<double>() * 100),
                      found_text(side.at("found_after_s"))}};
}

std::string table_of(const json::object& results)
{
    return table({{.title = fmt::format("sustainable: {:.2f} messages/s",
                                        results.at("sustainable_per_second").to_number<double>()),
                   .cells = {"of that, at the end", "put off, at the end", "found after"}},
                  column_of("engine", results.at("engine")),
                  column_of("naive", results.at("naive")),
                  {.title = "engine, wanted", .cells = {"80 %", "under 2 %", "600 s"}}});
}

std::string line_of(const json::object& run)
{
    const auto side = [&run](const char* who) {
        const json::value& one = run.at(who);
        return fmt::format("{} {:.0f} % of the rate, {:.1f} % put off", who, one.at("share").to_number<double>() * 100,
                           one.at("deferred").to_number<double>() * 100);
    };
    return side("engine") + "; " + side("naive");
}

int run(Words words)
{
    SustainOptions& sustain = words.sustain;
    sustain.mail.world.daemon = words.verb.daemon_program();
    sustain.mail.world.work = words.verb.work;
    return run_verb({.name = "sustain",
                     .options = to_json(sustain),
                     .once = [&](Patience& patience) { return sustain_once(patience, sustain); },
                     .results = sustain_results,
                     .table = [](const json::value& results) { return table_of(results.as_object()); },
                     .line = line_of},
                    words.verb);
}

} // namespace

void add_sustain_command(CLI::App& app, int& status)
{
    auto words = std::make_shared<Words>();
    SustainOptions& sustain = words->sustain;
    words->verb.runs = 1;
    words->verb.timeout_s = 3'600;
    sustain.mail.size = 2'000;
    sustain.mail.world.domains = 10;
    CLI::App* command = app.add_subcommand("sustain", "Measure how near the engine comes to what a provider sustains");
    command->add_option("--profile", sustain.profile, "FILE: the provider, see bench/README.md")
        ->required()
        ->check(CLI::ExistingFile);
    command->add_option("--find-s", sustain.find_s, "Seconds to look for the rate")
        ->capture_default_str()
        ->check(CLI::Range(1, 86'400));
    command->add_option("--keep-s", sustain.keep_s, "Seconds after that, by which a sender is judged")
        ->capture_default_str()
        ->check(CLI::Range(1, 86'400));
    command
        ->add_option("--naive-factor", sustain.naive_factor, "The naive sender's rate, in what the provider sustains")
        ->capture_default_str()
        ->check(CLI::Range(0.01, 1'000.0));
    command->add_option("--size", sustain.mail.size, "Octets of a message")->capture_default_str();
    command->add_option("--domains", sustain.mail.world.domains, "Recipient domains of the site")
        ->capture_default_str()
        ->check(CLI::Range(1, 100'000));
    command->add_option("--connections", sustain.mail.world.connections, "To the site, as the daemon's setting")
        ->capture_default_str()
        ->check(CLI::Range(1, 1'000));
    command->add_option("--shards", sustain.mail.world.shards, "Sending threads of the daemon; 0: one a core")
        ->capture_default_str()
        ->check(CLI::Range(0, 256));
    add_common_options(*command, words->verb);
    command->callback([words, &status] { status = run(*words); });
}

} // namespace penguin::bench
