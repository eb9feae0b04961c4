#include "bench/compare/compare_command.h"

#include <fmt/format.h>

#include "bench/compare/compare.h"
#include "bench/drain/drain_command.h"
#include "bench/harness/report.h"
#include "bench/harness/verb.h"
#include "bench/peers/peer.h"

namespace penguin::bench {

namespace {

struct Words {
    CompareOptions compare;
    VerbWords verb;
};

std::string line_of(const json::object& run)
{
    std::string line;
    for (const auto& [part, pair] : run) {
        const auto number = [&pair](const char* name) { return pair.at(name).to_number<double>(); };
        line += fmt::format("{}{}: {:.0f} to {:.0f} messages/s, {:.1f} times", line.empty() ? "" : "; ",
                            std::string_view{part}, number("ours"), number("peer"), number("ratio"));
    }
    return line;
}

std::string table_of(const json::object& results)
{
    std::vector<Column> columns{{.title = "", .cells = {}}};
    for (const char* name : {"ours", "peer", "ratio_min", "ratio_median", "ratio_max"})
        columns.push_back({.title = name, .cells = {}});
    for (const auto& [part, values] : results) {
        columns[0].cells.emplace_back(part);
        for (std::size_t i = 1; i < columns.size(); ++i)
            columns[i].cells.push_back(fmt::format("{:.1f}", values.at(columns[i].title).to_number<double>()));
    }
    return table(columns);
}

int run(Words words)
{
    words.compare.drain.world.daemon = words.verb.daemon_program();
    words.compare.drain.world.work = words.verb.work;
    std::size_t number = 0;
    return run_verb({.name = "compare",
                     .options = to_json(words.compare),
                     .once = [&](Patience& patience) { return compare_once(patience, words.compare, number++); },
                     .results = compare_results,
                     .table = [](const json::value& results) { return table_of(results.as_object()); },
                     .line = line_of},
                    words.verb);
}

} // namespace

void add_compare_command(CLI::App& app, int& status)
{
    auto words = std::make_shared<Words>();
    words->verb.runs = 5;
    words->verb.timeout_s = 3'600;
    words->compare.drain.distinct = true;
    CLI::App* command = app.add_subcommand("compare", "Measure another MTA and ours, pair by pair");
    const auto number = [command](const char* name, std::size_t& to, std::size_t most, const char* help) {
        command->add_option(name, to, help)->capture_default_str()->check(CLI::Range(std::size_t{1}, most));
    };
    command->add_option("--peer", words->compare.peer, "Beside whom")
        ->capture_default_str()
        ->check(CLI::IsMember(peer_names()));
    number("--unsigned-messages", words->compare.unsigned_messages, 1'000'000, "How many are drained");
    number("--signed-messages", words->compare.signed_messages, 1'000'000, "How many go the whole way, signed");
    number("--feeders", words->compare.feeders, 1'000, "Connections that hand the peer its messages");
    DrainOptions& drain = words->compare.drain;
    number("--size", drain.size, 10'000'000, "Octets of a message");
    drain.world.domains = 1'000;
    drain.world.sites = 20;
    number("--domains", drain.world.domains, 1'000'000, "Recipient domains");
    number("--sites", drain.world.sites, 10'000, "Sets of MX hosts that the domains share");
    number("--connections", drain.world.connections, 1'000, "At most, from one source to one site");
    number("--sink-threads", drain.world.sink_threads, 64, "Of the receiving side");
    add_common_options(*command, words->verb);
    command->callback([words, &status] { status = run(*words); });
}

} // namespace penguin::bench
