#include "bench/soak/soak_command.h"

#include <memory>

#include <fmt/format.h>

#include "bench/drain/drain_command.h"
#include "bench/harness/report.h"
#include "bench/harness/verb.h"
#include "bench/soak/soak.h"

namespace penguin::bench {

namespace {

constexpr double kMinute = 60;
constexpr double kBesideS = 1'200; // for the world, the probe and the end

struct Words {
    SoakOptions soak;
    VerbWords verb;
};

double number_at(const json::object& object, std::string_view name) { return object.at(name).to_number<double>(); }

std::string line_of(const json::object& run)
{
    return fmt::format("{:.0f} messages at {:.0f}/s, {} alarms", number_at(run, "messages"),
                       number_at(run, "messages_per_second"), run.at("alarms").as_array().size());
}

std::string table_of(const json::object& results)
{
    std::vector<Column> columns{{.title = "", .cells = {}},
                                {.title = "mean", .cells = {}},
                                {.title = "an hour", .cells = {}},
                                {.title = "95 % from", .cells = {}},
                                {.title = "to", .cells = {}}};
    for (const auto& [name, slope] : results.at("slopes").as_object()) {
        columns[0].cells.emplace_back(name);
        std::size_t column = 1;
        for (const char* field : {"mean", "per_hour", "low", "high"})
            columns[column++].cells.push_back(
                slope.is_null() ? "too short" : fmt::format("{:.2f}", number_at(slope.as_object(), field)));
    }
    std::string text =
        table(columns) +
        fmt::format("\nRedis' data: {:.2f} MB before, {:.2f} MB when drained; PostgreSQL: {:.0f} octets a "
                    "message\n",
                    number_at(results, "dataset_before_mb"), number_at(results, "dataset_after_mb"),
                    number_at(results, "postgres_octets_per_message"));
    for (const json::value& alarm : results.at("alarms").as_array())
        text += fmt::format("ALARM: {}\n", std::string{alarm.as_string()});
    return text;
}

int run(Words words)
{
    SoakOptions& soak = words.soak;
    soak.mail.world.daemon = words.verb.daemon_program();
    soak.mail.world.work = words.verb.work;
    bool alarmed = false;
    const auto once = [&](Patience& patience) {
        if (soak.rate == 0) soak.rate = half_of_drain(patience, soak.mail, soak.probe_messages);
        json::object figures = soak_once(patience, soak);
        alarmed = alarmed || !figures.at("alarms").as_array().empty();
        return figures;
    };
    const int status = run_verb({.name = "soak",
                                 .options = to_json(soak),
                                 .once = once,
                                 .results = soak_results,
                                 .table = [](const json::value& results) { return table_of(results.as_object()); },
                                 .line = line_of},
                                words.verb);
    return status == 0 && alarmed ? 1 : status;
}

} // namespace

void add_soak_command(CLI::App& app, int& status)
{
    auto words = std::make_shared<Words>();
    SoakOptions& soak = words->soak;
    words->verb.runs = 1;
    soak.mail.world.tenants = 10;
    CLI::App* command =
        app.add_subcommand("soak", "Run under constant load with churn, and see whether anything grows");
    command->add_option("--minutes", soak.minutes, "How long")->capture_default_str()->check(CLI::Range(0.1, 1'200.0));
    command->add_option("--rate", soak.rate, "Messages a second; 0: half of what drain reaches")
        ->capture_default_str()
        ->check(CLI::Range(0, 1'000'000));
    command->add_option("--batch", soak.batch, "Recipients of one submission")
        ->capture_default_str()
        ->check(CLI::Range(1, 10'000));
    command->add_option("--probe-messages", soak.probe_messages, "Of the drain that finds the rate")
        ->capture_default_str()
        ->check(CLI::Range(100, 1'000'000));
    add_mail_options(*command, soak.mail);
    add_common_options(*command, words->verb);
    const CLI::Option* limit = command->get_option("--timeout-s");
    command->callback([words, limit, &status] {
        if (limit->count() == 0)
            words->verb.timeout_s = static_cast<unsigned>(words->soak.minutes * kMinute + kBesideS);
        status = run(*words);
    });
}

} // namespace penguin::bench
