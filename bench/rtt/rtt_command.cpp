#include "bench/rtt/rtt_command.h"

#include <memory>

#include <fmt/format.h>

#include "bench/harness/report.h"
#include "bench/harness/verb.h"
#include "bench/rtt/rtt.h"

namespace penguin::bench {

namespace {

struct Words {
    RttOptions rtt;
    VerbWords verb;
};

std::string number_text(const json::value& value, int digits)
{
    return value.is_null() ? "-" : fmt::format("{:.{}f}", value.to_number<double>(), digits);
}

std::string table_of(const json::value& results)
{
    Column mta{.title = "", .cells = {}};
    Column extension{.title = "extension", .cells = {}};
    std::vector<Column> columns{{.title = "delay ms", .cells = {}},
                                {.title = "connections", .cells = {}},
                                {.title = "a round trip", .cells = {}},
                                {.title = "messages/s", .cells = {}},
                                {.title = "bound", .cells = {}}};
    for (const json::value& one : results.as_array()) {
        mta.cells.emplace_back(one.at("mta").as_string());
        extension.cells.emplace_back(one.at("extension").as_string());
        columns[0].cells.push_back(number_text(one.at("delay_ms"), 0));
        columns[1].cells.push_back(number_text(one.at("connections"), 0));
        columns[2].cells.push_back(number_text(one.at("messages_per_round_trip"), 2));
        columns[3].cells.push_back(number_text(one.at("messages_per_second"), 1));
        columns[4].cells.push_back(number_text(one.at("bound_messages_per_second"), 0));
    }
    columns.insert(columns.begin(), {std::move(mta), std::move(extension)});
    return table(columns) + "a round trip: messages of one connection; the bound is one\n";
}

std::string line_of(const json::object& run)
{
    std::string line;
    for (const json::value& one : run.at("cases").as_array())
        line += fmt::format("{}{} {} {} ms x{}: {}/s", line.empty() ? "" : "; ", std::string{one.at("mta").as_string()},
                            std::string{one.at("extension").as_string()}, one.at("delay_ms").to_number<int>(),
                            one.at("connections").to_number<int>(), number_text(one.at("messages_per_second"), 1));
    return line;
}

int run(Words words)
{
    words.rtt.daemon = words.verb.daemon_program();
    words.rtt.work = words.verb.work;
    return run_verb({.name = "rtt",
                     .options = to_json(words.rtt),
                     .once = [&](Patience& patience) { return rtt_once(patience, words.rtt); },
                     .results = rtt_results,
                     .table = table_of,
                     .line = line_of},
                    words.verb);
}

} // namespace

void add_rtt_command(CLI::App& app, int& status)
{
    auto words = std::make_shared<Words>();
    RttOptions& rtt = words->rtt;
    words->verb.timeout_s = 3'600;
    words->verb.runs = 1; // each case has a world of its own, and there are many
    CLI::App* command = app.add_subcommand("rtt", "Measure messages a second to a site that is far away");
    command->add_option("--delays-ms", rtt.delays_ms, "Round trips; several, separated by commas")
        ->delimiter(',')
        ->capture_default_str()
        ->check(CLI::Range(0, 2'000));
    command->add_option("--connections", rtt.connections, "To the site; several, separated by commas")
        ->delimiter(',')
        ->capture_default_str()
        ->check(CLI::Range(1, 1'000));
    command->add_option("--extensions", rtt.extensions, "That the site offers: pipelining, chunking (both), none")
        ->delimiter(',')
        ->capture_default_str()
        ->check(CLI::IsMember({"pipelining", "chunking", "none"}));
    command->add_option("--seconds", rtt.seconds, "For each case, from its first message on; at least 60 round trips")
        ->capture_default_str()
        ->check(CLI::Range(1, 600));
    command->add_option("--size", rtt.size, "Octets of a message")
        ->capture_default_str()
        ->check(CLI::Range(1'000, 10'000'000));
    command->add_flag("!--no-postfix", rtt.postfix, "Leave Postfix out, which needs root");
    add_common_options(*command, words->verb);
    command->callback([words, &status] { status = run(*words); });
}

} // namespace penguin::bench
