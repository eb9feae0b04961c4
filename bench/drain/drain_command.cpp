#include "bench/drain/drain_command.h"

#include <memory>

#include <fmt/format.h>

#include "bench/harness/report.h"
#include "bench/harness/verb.h"

namespace penguin::bench {

namespace {

struct Words {
    DrainOptions drain;
    VerbWords verb;
};

double number_at(const json::object& object, std::string_view name) { return object.at(name).to_number<double>(); }

Column column_of(const std::string& title, const json::object& values, const char* format)
{
    Column column{.title = title, .cells = {}};
    for (const auto& [name, value] : values)
        column.cells.push_back(fmt::format(fmt::runtime(format), value.to_number<double>()));
    return column;
}

std::string bound_of(const json::object& results)
{
    const json::value* bound = results.if_contains("signed_bound");
    if (bound == nullptr) return {};
    const json::object& of = bound->as_object();
    return fmt::format(
        "bound of signing                      {:.0f}  ({:.0f} us a bare RSA-2048 signature, {:.0f} us an "
        "unsigned message); reached: {:.0f} %\n",
        number_at(of, "messages_per_second"), number_at(of, "rsa2048_us"), number_at(of, "unsigned_us"),
        number_at(of, "share") * 100);
}

std::string table_of(const json::object& results)
{
    Column names{.title = "", .cells = {}};
    const json::object& micros = results.at("cpu_us_per_message").as_object();
    for (const auto& [name, value] : micros) names.cells.emplace_back(name);
    return fmt::format("messages/s until the sinks have all   {:.0f}  (spread {:.0f} %)\n"
                       "messages/s until the ledger has all   {:.0f}\n"
                       "messages/s from submission to sinks   {:.0f}  (accepting alone: {:.0f})\n"
                       "{}limit                                 {}\n\n",
                       number_at(results, "messages_per_second"), number_at(results, "spread") * 100,
                       number_at(results, "ledger_messages_per_second"),
                       number_at(results, "whole_way_messages_per_second"),
                       number_at(results, "accept_messages_per_second"), bound_of(results),
                       std::string{results.at("limit").as_string()}) +
           table({names, column_of("us CPU/message", micros, "{:.1f}"),
                  column_of("accepting", results.at("accept_cpu_us_per_message").as_object(), "{:.1f}"),
                  column_of("peak MB", results.at("rss_mb").as_object(), "{:.0f}")});
}

std::string line_of(const json::object& run)
{
    return fmt::format("{:.0f} messages/s, {:.0f} with the ledger; limit: {}", number_at(run, "messages_per_second"),
                       number_at(run, "ledger_messages_per_second"), std::string{run.at("limit").as_string()});
}

int run(Words words)
{
    words.drain.world.daemon = words.verb.daemon_program();
    words.drain.world.work = words.verb.work;
    return run_verb({.name = "drain",
                     .options = to_json(words.drain),
                     .once = [&](Patience& patience) { return drain_once(patience, words.drain); },
                     .results = drain_results,
                     .table = [](const json::value& results) { return table_of(results.as_object()); },
                     .line = line_of},
                    words.verb);
}

} // namespace

void add_mail_options(CLI::App& command, DrainOptions& drain)
{
    WorldOptions& world = drain.world;
    world.domains = 1'000;
    world.sites = 20;
    const auto number = [&command](const char* name, std::size_t& to, std::size_t from, std::size_t most,
                                   const char* help) {
        command.add_option(name, to, help)->capture_default_str()->check(CLI::Range(from, most));
    };
    number("--size", drain.size, 1'000, 10'000'000, "Octets of a message");
    number("--domains", world.domains, 1, 1'000'000, "Recipient domains");
    number("--sites", world.sites, 1, 10'000, "Sets of MX hosts that the domains share");
    number("--sources", world.sources, 1, 10'000, "Addresses that are sent from");
    number("--tenants", world.tenants, 1, 10'000, "Who submit in turns");
    number("--shards", world.shards, 0, 128, "Threads of the daemon that deliver; 0: one a core");
    number("--connections", world.connections, 1, 1'000, "At most, from one source to one site");
    number("--messages-per-connection", world.messages_per_connection, 1, 1'000'000, "At most");
    number("--sink-threads", world.sink_threads, 1, 64, "Of the receiving side");
    const auto dkim = [&drain](const std::string& word) {
        drain.dkim = word;
        drain.world.ed25519 = word == "both";
    };
    command
        .add_option_function<std::string>("--dkim", dkim,
                                          "none (already signed when submitted), rsa2048, both (and Ed25519)")
        ->default_str(drain.dkim)
        ->check(CLI::IsMember({"none", "rsa2048", "both"}));
    const auto content = [&drain](const std::string& word) { drain.distinct = word == "distinct"; };
    command.add_option_function<std::string>("--content", content, "same, or distinct for each recipient")
        ->default_str("same")
        ->check(CLI::IsMember({"same", "distinct"}));
    command.add_flag("--tls", world.tls, "The sinks offer STARTTLS");
}

void add_drain_command(CLI::App& app, int& status)
{
    auto words = std::make_shared<Words>();
    CLI::App* command = app.add_subcommand("drain", "Measure how fast accepted mail goes out");
    command->add_option("--messages", words->drain.messages, "How many")
        ->capture_default_str()
        ->check(CLI::Range(1, 10'000'000));
    command->add_option("--batch", words->drain.batch, "Recipients of one submission")
        ->capture_default_str()
        ->check(CLI::Range(1, 10'000));
    add_mail_options(*command, words->drain);
    command->add_flag("--bound", words->drain.bound,
                      "With --dkim rsa2048: each run drains unsigned mail too and tells what bounds the signed rate");
    add_common_options(*command, words->verb);
    command->callback([words, &status] {
        if (words->drain.bound && words->drain.dkim != "rsa2048")
            throw CLI::ValidationError("--bound", "goes with --dkim rsa2048");
        status = run(*words);
    });
}

} // namespace penguin::bench
