#include "bench/micro/micro_command.h"

#include <algorithm>
#include <array>
#include <memory>
#include <regex>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "bench/harness/report.h"
#include "bench/harness/verb.h"
#include "bench/micro/compared.h"
#include "bench/micro/limits.h"
#include "engine/base/log.h"

namespace penguin::bench {

namespace {

using micro::Measured;

constexpr std::string_view kManualTime = "manual_time";

struct Words {
    VerbWords verb;
    std::string filter = ".*";
    unsigned min_time_ms = 100;
};

// Says nothing: keeps what was measured. Errors: BenchError, asked for afterwards, as the library cannot be thrown through.
class Collector : public benchmark::BenchmarkReporter {
public:
    bool ReportContext(const Context&) override { return true; }
    void ReportRuns(const std::vector<Run>& runs) override
    {
        for (const Run& run : runs) {
            if (run.error_occurred) failure_ = run.benchmark_name() + ": " + run.error_message;
            const auto octets = run.counters.find("bytes_per_second");
            // Where the work is done elsewhere, the benchmark says how long it took.
            const bool told = run.run_name.time_type == kManualTime;
            measured_.push_back(
                {.name = run.run_name.function_name + (run.run_name.args.empty() ? "" : "/" + run.run_name.args),
                 .cpu_ns = told ? run.GetAdjustedRealTime() : run.GetAdjustedCPUTime(),
                 .octets_a_second = octets == run.counters.end() ? 0 : octets->second.value,
                 .limits = run.report_label});
        }
    }
    const std::vector<Measured>& measured() const
    {
        if (!failure_.empty()) throw BenchError{failure_};
        return measured_;
    }

private:
    std::vector<Measured> measured_;
    std::string failure_;
};

std::vector<Measured> run_matching(const std::string& expression)
{
    Collector collector;
    benchmark::RunSpecifiedBenchmarks(&collector, expression);
    return collector.measured();
}

// Limits are registered by the first run and would match in the next.
std::vector<Measured> run_subjects(const std::string& filter)
{
    std::vector<Measured> all = run_matching(filter);
    std::erase_if(all, [](const Measured& one) { return one.name.starts_with(micro::kLimitPrefix); });
    if (all.empty()) throw BenchError{"--filter: no benchmark's name matches '" + filter + "'"};
    return all;
}

std::map<std::string, double> run_limits(const std::set<std::string>& names)
{
    std::string expression;
    for (const std::string& name : names) {
        if (!micro::register_limit(name)) throw BenchError{"no such limit: " + name};
        expression += (expression.empty() ? "^limit/(" : "|") + name;
    }
    std::map<std::string, double> nanos;
    if (names.empty()) return nanos;
    for (const Measured& one : run_matching(expression + ")$"))
        nanos[one.name.substr(sizeof micro::kLimitPrefix - 1)] = one.cpu_ns;
    return nanos;
}

json::object once(Patience& patience, const Words& words)
{
    patience.check();
    const std::vector<Measured> all = run_subjects(words.filter);
    patience.check();
    const std::map<std::string, double> limits = run_limits(micro::limits_of(all));
    return {{"benchmarks", micro::compared(all, limits)}, {"limits_ns", rounded(limits)}};
}

void start_library(const Words& words)
{
    std::string name = "penguin-bench";
    std::string time = fmt::format("--benchmark_min_time={:.3f}", words.min_time_ms / 1e3);
    std::array<char*, 3> arguments{name.data(), time.data(), nullptr};
    int count = 2;
    benchmark::Initialize(&count, arguments.data());
    log::start({.level = log::Level::error}); // that our Redis is not there yet is no news
}

int run(const Words& words)
{
    start_library(words);
    return run_verb({.name = "micro",
                     .options = {{"filter", words.filter}, {"min_time_ms", words.min_time_ms}},
                     .once = [&words](Patience& patience) { return once(patience, words); },
                     .results = micro::results_of_runs,
                     .table = [](const json::value& results) { return micro::table_of(results.as_object()); },
                     .line =
                         [](const json::object& result) {
                             return fmt::format("{} benchmarks, {} limits", result.at("benchmarks").as_object().size(),
                                                result.at("limits_ns").as_object().size());
                         }},
                    words.verb);
}

std::string check_expression(const std::string& text)
{
    try {
        static_cast<void>(std::regex{text, std::regex::extended});
        return {};
    } catch (const std::regex_error& error) {
        return std::string{"must be a regular expression: "} + error.what();
    }
}

} // namespace

void add_micro_command(CLI::App& app, int& status)
{
    constexpr unsigned kLongest = 10'000;
    auto words = std::make_shared<Words>();
    CLI::App* command = app.add_subcommand("micro", "Measure single operations beside the machine's limits");
    command->add_option("--filter", words->filter, "Only benchmarks whose name matches (a regular expression)")
        ->capture_default_str()
        ->check(check_expression);
    command->add_option("--min-time-ms", words->min_time_ms, "Each is repeated for so long")
        ->capture_default_str()
        ->check(CLI::Range(1U, kLongest));
    add_common_options(*command, words->verb);
    command->callback([words, &status] { status = run(*words); });
}

} // namespace penguin::bench
