#include "bench/submit/submit_command.h"

#include <memory>

#include <fmt/format.h>

#include "bench/harness/report.h"
#include "bench/harness/verb.h"
#include "bench/submit/submit.h"

namespace penguin::bench {

namespace {

struct Words {
    SubmitOptions submit;
    VerbWords verb;
    std::string content = "distinct";
};

double number_at(const json::object& object, std::string_view name) { return object.at(name).to_number<double>(); }

std::string table_of(const json::object& results)
{
    Column call{.title = "call", .cells = {}};
    Column limit{.title = "limit", .cells = {}};
    std::vector<Column> numbers{{.title = "batch", .cells = {}},        {.title = "clients", .cells = {}},
                                {.title = "recipients/s", .cells = {}}, {.title = "requests/s", .cells = {}},
                                {.title = "p50 ms", .cells = {}},       {.title = "p95 ms", .cells = {}},
                                {.title = "p99 ms", .cells = {}}};
    const std::vector<const char*> fields{"batch",  "clients", "recipients_per_second", "requests_per_second", "p50_ms",
                                          "p95_ms", "p99_ms"};
    std::vector<Column> costs;
    for (const char* component : {kDaemon, kPostgres, kClient})
        costs.push_back({.title = fmt::format("us {}", component), .cells = {}});
    for (const json::value& value : results.at("cases").as_array()) {
        const json::object& one = value.as_object();
        call.cells.emplace_back(one.at("call").as_string());
        limit.cells.emplace_back(one.at("limit").as_string());
        for (std::size_t i = 0; i < fields.size(); ++i)
            numbers[i].cells.push_back(fmt::format("{:.{}f}", number_at(one, fields[i]), i < 4 ? 0 : 1));
        const json::object& micros = one.at("cpu_us_per_recipient").as_object();
        std::size_t place = 0;
        for (const char* component : {kDaemon, kPostgres, kClient})
            costs[place++].cells.push_back(fmt::format("{:.1f}", number_at(micros, component)));
    }
    std::vector<Column> columns{std::move(call)};
    columns.insert(columns.end(), numbers.begin(), numbers.end());
    columns.insert(columns.end(), costs.begin(), costs.end());
    columns.push_back(std::move(limit));
    return table(columns) + "us: CPU a recipient\n";
}

std::string line_of(const json::object& run)
{
    std::string line;
    for (const json::value& one : run.at("cases").as_array())
        line += fmt::format("{}{} of {} by {}: {:.0f}/s", line.empty() ? "" : "; ",
                            std::string{one.at("call").as_string()}, one.at("batch").to_number<int>(),
                            one.at("clients").to_number<int>(), one.at("recipients_per_second").to_number<double>());
    return line;
}

int run(Words words)
{
    words.submit.distinct = words.content == "distinct";
    words.submit.world.daemon = words.verb.daemon_program();
    words.submit.world.work = words.verb.work;
    words.submit.world.backlog_max = kBacklogMost;
    return run_verb({.name = "submit",
                     .options = to_json(words.submit),
                     .once = [&](Patience& patience) { return submit_once(patience, words.submit); },
                     .results = submit_results,
                     .table = [](const json::value& results) { return table_of(results.as_object()); },
                     .line = line_of},
                    words.verb);
}

} // namespace

void add_submit_command(CLI::App& app, int& status)
{
    auto words = std::make_shared<Words>();
    SubmitOptions& submit = words->submit;
    submit.world.domains = 1'000;
    CLI::App* command = app.add_subcommand("submit", "Measure how fast mail is accepted durably over HTTP");
    command->add_option("--batch", submit.batches, "Recipients of a batch; several, separated by commas")
        ->delimiter(',')
        ->capture_default_str()
        ->check(CLI::Range(1, 10'000));
    command->add_option("--clients", submit.clients, "That submit batches side by side; several, by commas")
        ->delimiter(',')
        ->capture_default_str()
        ->check(CLI::Range(1, 400));
    command->add_option("--inject-clients", submit.inject_clients, "That make single calls of /api/inject/v1; 0: none")
        ->capture_default_str()
        ->check(CLI::Range(0, 400));
    command->add_option("--size", submit.size, "Octets of a message")
        ->capture_default_str()
        ->check(CLI::Range(1'000, 1'000'000));
    command->add_option("--seconds", submit.seconds, "For each case")
        ->capture_default_str()
        ->check(CLI::Range(1, 3'600));
    command->add_option("--tenants", submit.world.tenants, "Whose clients they are, in turns")
        ->capture_default_str()
        ->check(CLI::Range(1, 10'000));
    command->add_option("--domains", submit.world.domains, "Of the recipients")
        ->capture_default_str()
        ->check(CLI::Range(1, 1'000'000));
    command->add_option("--content", words->content, "same for all calls, or distinct")
        ->capture_default_str()
        ->check(CLI::IsMember({"same", "distinct"}));
    add_common_options(*command, words->verb);
    command->callback([words, &status] { status = run(*words); });
}

} // namespace penguin::bench
