#include "bench/fairness/fairness_command.h"

#include <array>
#include <memory>

#include <fmt/format.h>

#include "bench/fairness/fairness.h"
#include "bench/harness/report.h"
#include "bench/harness/verb.h"

namespace penguin::bench {

namespace {

struct Words {
    FairnessOptions fairness;
    VerbWords verb;
};

double number_at(const json::object& object, std::string_view scene, std::string_view name)
{
    return object.at(scene).at(name).to_number<double>();
}

std::string table_of(const json::object& results, const FairnessOptions& options)
{
    Column names{.title = "",
                 .cells = {fmt::format("{} messages beside {}: p95 ms", options.messages, options.waiting),
                           fmt::format("{} of high priority: p95 ms", options.high),
                           fmt::format("weights 1:3 over {} s: off by", options.seconds),
                           fmt::format("beside {} tenants: worst wait / k turns", options.tenants)}};
    std::vector<Column> columns{std::move(names)};
    for (const auto& [title, fields] :
         {std::pair{"measured", std::array{"p95_ms", "p95_ms", "share_error", "worst_ratio"}},
          {"at most", std::array{"at_most", "at_most", "at_most", "at_most"}}})
        columns.push_back({.title = title,
                           .cells = {fmt::format("{:.0f}", number_at(results, "equal", fields[0])),
                                     fmt::format("{:.0f}", number_at(results, "high", fields[1])),
                                     fmt::format("{:.3f}", number_at(results, "weighted", fields[2])),
                                     fmt::format("{:.2f}", number_at(results, "thousand", fields[3]))}});
    return table(columns);
}

std::string line_of(const json::object& run)
{
    return fmt::format("p95 {:.0f} ms, high {:.0f} ms, shares off by {:.3f} at {:.0f} messages/s, worst turn {:.2f}",
                       number_at(run, "equal", "p95_ms"), number_at(run, "high", "p95_ms"),
                       number_at(run, "weighted", "share_error"), number_at(run, "weighted", "messages_per_second"),
                       number_at(run, "thousand", "worst_ratio"));
}

int run(Words words)
{
    FairnessOptions& fairness = words.fairness;
    fairness.mail.world.daemon = words.verb.daemon_program();
    fairness.mail.world.work = words.verb.work;
    return run_verb({.name = "fairness",
                     .options = to_json(fairness),
                     .once = [&](Patience& patience) { return fairness_once(patience, fairness); },
                     .results = [&](const json::array& runs) { return fairness_results(fairness, runs); },
                     .table = [&](const json::value& results) { return table_of(results.as_object(), fairness); },
                     .line = line_of},
                    words.verb);
}

} // namespace

void add_fairness_command(CLI::App& app, int& status)
{
    auto words = std::make_shared<Words>();
    FairnessOptions& fairness = words->fairness;
    fairness.mail.size = 2'000;
    fairness.mail.world.domains = 10;
    CLI::App* command =
        app.add_subcommand("fairness", "Measure what a tenant waits for beside others that have more mail");
    const auto count = [command](const char* name, std::size_t& value, const char* text, std::size_t most) {
        command->add_option(name, value, text)->capture_default_str()->check(CLI::Range(std::size_t{1}, most));
    };
    count("--waiting", fairness.waiting, "Messages that wait before others come", 10'000'000);
    count("--rate", fairness.rate, "Messages a second that the site takes", 100'000);
    count("--messages", fairness.messages, "Of the tenant that comes later", 10'000);
    count("--high", fairness.high, "Its messages of high priority", 10'000);
    count("--seconds", fairness.seconds, "Over which the shares of weights 1 and 3 are counted", 3'600);
    count("--tenants", fairness.tenants, "Who have mail waiting when one more comes", 10'000);
    count("--late-messages", fairness.late_messages, "Of that one", 10'000);
    count("--size", fairness.mail.size, "Octets of a message", 10'000'000);
    count("--domains", fairness.mail.world.domains, "Recipient domains of the site", 100'000);
    count("--connections", fairness.mail.world.connections, "To the site, as the daemon's setting", 1'000);
    command->add_option("--shards", fairness.mail.world.shards, "Sending threads of the daemon; 0: one a core")
        ->capture_default_str()
        ->check(CLI::Range(0, 256));
    add_common_options(*command, words->verb);
    command->callback([words, &status] { status = run(*words); });
}

} // namespace penguin::bench
