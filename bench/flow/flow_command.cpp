#include "bench/flow/flow_command.h"

#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "bench/drain/drain_command.h"
#include "bench/flow/flow.h"
#include "bench/harness/report.h"
#include "bench/harness/verb.h"

namespace penguin::bench {

namespace {

struct Words {
    FlowOptions flow;
    VerbWords verb;
};

double number_at(const json::object& object, std::string_view name) { return object.at(name).to_number<double>(); }

std::string table_of(const json::object& results)
{
    Column names{.title = "ms", .cells = {"p50", "p95", "p99", "max"}};
    std::vector<Column> columns{std::move(names)};
    for (const auto& [title, field] : {std::pair{"submission to the sink", "accept_to_250_ms"}, {"API", "api_ms"}}) {
        Column column{.title = title, .cells = {}};
        for (const auto& [name, value] : results.at(field).as_object())
            column.cells.push_back(fmt::format("{:.1f}", value.to_number<double>()));
        columns.push_back(std::move(column));
    }
    return fmt::format("messages/s wanted {:.0f}, delivered {:.0f}; submissions at most {:.0f} ms late; limit {}\n\n",
                       number_at(results, "rate"), number_at(results, "messages_per_second"),
                       number_at(results, "submitted_late_ms"), std::string{results.at("limit").as_string()}) +
           table(columns);
}

std::string line_of(const json::object& run)
{
    return fmt::format("{:.0f} messages/s; p95 {:.0f} ms to the sink; API p99 {:.1f} ms",
                       number_at(run, "messages_per_second"), number_at(run.at("accept_to_250_ms").as_object(), "p95"),
                       number_at(run.at("api_ms").as_object(), "p99"));
}

int run(Words words)
{
    FlowOptions& flow = words.flow;
    flow.mail.world.daemon = words.verb.daemon_program();
    flow.mail.world.work = words.verb.work;
    const auto once = [&](Patience& patience) {
        if (flow.rate == 0) flow.rate = half_of_drain(patience, flow.mail, flow.probe_messages);
        flow.mail.world.sink_log = true;
        return flow_once(patience, flow);
    };
    return run_verb({.name = "flow",
                     .options = to_json(flow),
                     .once = once,
                     .results = flow_results,
                     .table = [](const json::value& results) { return table_of(results.as_object()); },
                     .line = line_of},
                    words.verb);
}

} // namespace

void add_flow_command(CLI::App& app, int& status)
{
    auto words = std::make_shared<Words>();
    FlowOptions& flow = words->flow;
    CLI::App* command =
        app.add_subcommand("flow", "Measure how long mail takes at a constant rate, and the API beside it");
    command->add_option("--rate", flow.rate, "Messages a second; 0: half of what drain reaches")
        ->capture_default_str()
        ->check(CLI::Range(0, 1'000'000));
    command->add_option("--seconds", flow.seconds, "How long")->capture_default_str()->check(CLI::Range(1, 3'600));
    command->add_option("--batch", flow.batch, "Recipients of one submission")
        ->capture_default_str()
        ->check(CLI::Range(1, 10'000));
    command->add_option("--probe-messages", flow.probe_messages, "Of the drain that finds the rate")
        ->capture_default_str()
        ->check(CLI::Range(100, 1'000'000));
    add_mail_options(*command, flow.mail);
    add_common_options(*command, words->verb);
    command->callback([words, &status] { status = run(*words); });
}

} // namespace penguin::bench
