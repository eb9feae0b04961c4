#include "bench/harness/verb.h"

#include <cstdio>

#include <fmt/format.h>

#include "bench/harness/machine.h"
#include "bench/harness/places.h"
#include "bench/harness/proc.h"
#include "bench/harness/report.h"

namespace penguin::bench {

namespace {

void say(const std::string& text)
{
    std::fputs((text + "\n").c_str(), stdout);
    std::fflush(stdout);
}

std::string place_of(const Report& report)
{
    const json::object& machine = report.machine;
    return fmt::format("{} cores, {}, {} MB, load {} before and {} after; commit {}",
                       machine.at("cores").to_number<int>(), std::string{machine.at("model").as_string()},
                       machine.at("memory_mb").to_number<int>(), machine.at("load").to_number<double>(),
                       machine.at("load_after").to_number<double>(), report.git);
}

Report measure(const Verb& verb, const VerbWords& words)
{
    Patience patience{std::chrono::seconds{words.timeout_s}};
    Report report{.verb = verb.name,
                  .machine = describe_machine(),
                  .git = {},
                  .options = verb.options,
                  .runs = {},
                  .results = {}};
    {
        const WorldFolder scratch{words.work};
        report.git = git_commit(patience, scratch.path());
    }
    for (std::size_t number = 1; number <= words.runs; ++number) {
        json::object run = verb.once(patience);
        say(fmt::format("{} run {} of {}: {}", verb.name, number, words.runs, verb.line(run)));
        report.runs.emplace_back(std::move(run));
    }
    report.results = verb.results(report.runs);
    report.machine["load_after"] = load_of(text_of_file("/proc/loadavg"));
    return report;
}

} // namespace

std::filesystem::path VerbWords::daemon_program() const
{
    return daemon.empty() ? own_folder() / "penguin-mta" : std::filesystem::absolute(daemon);
}

void add_common_options(CLI::App& command, VerbWords& words)
{
    command.add_option("--runs", words.runs, "Repetitions; the figures are medians")
        ->capture_default_str()
        ->check(CLI::Range(1, 100));
    command.add_option("--json", words.json, "FILE for all figures");
    command.add_option("--timeout-s", words.timeout_s, "Longest time for everything")
        ->capture_default_str()
        ->check(CLI::Range(10, 86'400));
    command.add_option("--work", words.work, "DIR where the worlds live while they run")->capture_default_str();
    command.add_option("--daemon", words.daemon, "The penguin-mta to measure (default: the one beside this program)");
}

int run_verb(const Verb& verb, const VerbWords& words)
{
    try {
        const Report report = measure(verb, words);
        say("\n" + verb.table(report.results));
        say("  " + place_of(report));
        write_json(report, words.json);
        return 0;
    } catch (const BenchError& error) {
        std::fprintf(stderr, "penguin-bench %s: %s\n", verb.name.c_str(), error.what());
        return 1;
    }
}

} // namespace penguin::bench
