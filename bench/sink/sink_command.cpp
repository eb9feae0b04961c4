#include "bench/sink/sink_command.h"

#include <csignal>
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>

#include "bench/harness/listening.h"
#include "bench/sink/sink.h"

namespace penguin::bench {

namespace {

constexpr unsigned kDayS = 86'400;

struct Words {
    std::vector<std::string> listen{"127.0.0.1:2525"};
    std::vector<std::string> rules;
    std::string profile;
    std::string name = "sink.example";
    std::string log;
    std::string keep;
    std::string stats;
    std::string reports;
    std::string reports_to;
    std::string reports_via;
    unsigned day_s = kDayS;
    int hostile_from = 0;
    double first_day = 0;
    std::size_t threads = 1;
    std::size_t connections_max = 10'000;
    std::uint64_t size_max = 64ULL << 20;
    unsigned idle_s = 300;
    bool no_tls = false;
    bool no_pipelining = false;
    bool no_eight_bit = false;
    bool no_chunking = false;
    bool count_only = false;
    bool pin = false;
};

Result<SinkRule> rule_of(const std::string& text)
{
    Result<SinkRule> rule = SinkRule::parse(text);
    if (!rule || rule->match_file.empty()) return rule;
    std::ifstream file{rule->match_file};
    std::stringstream lines;
    lines << file.rdbuf();
    if (!file) return fail(Errc::bad_value, "rule: cannot read " + rule->match_file);
    rule->add_recipients(lines.str());
    // Else it would match everybody.
    if (rule->recipients.empty()) return fail(Errc::bad_value, "rule: nobody stands in " + rule->match_file);
    return rule;
}

Result<> add_reports(const Words& words, SinkOptions& options)
{
    if (!words.reports_to.empty() && words.reports_via.empty())
        return fail(Errc::bad_value, "--reports-to goes with --reports-via");
    if (words.reports.empty() && words.reports_via.empty()) return {};
    ComplaintDesk::Options desk{.folder = words.reports};
    if (!words.reports_to.empty()) {
        Result<EmailAddress> to = EmailAddress::parse(words.reports_to);
        if (!to || to->needs_smtputf8()) return fail(Errc::bad_value, "--reports-to: not an address, ASCII alone");
        desk.to = std::move(*to);
    }
    if (!words.reports_via.empty()) {
        const Result<asio::ip::tcp::endpoint> via = endpoint_of("--reports-via", words.reports_via);
        if (!via) return std::unexpected{via.error()};
        desk.via = *via;
    }
    options.reports = std::move(desk);
    return {};
}

Result<> add_profile(const Words& words, SinkOptions& options)
{
    if (words.profile.empty()) {
        if (words.day_s == kDayS && words.hostile_from == 0 && words.first_day == 0) return {};
        return fail(Errc::bad_value, "--day-seconds, --hostile-from-day and --first-day go with --profile");
    }
    Result<SinkProfile> profile = SinkProfile::read(words.profile);
    if (!profile) return std::unexpected{profile.error()};
    if (words.day_s != kDayS) {
        if (profile->pace) return fail(Errc::bad_value, "--day-seconds does not go with a profile that has a pace");
        options.now = clock_with_days_of(std::chrono::seconds{words.day_s});
    }
    if ((words.hostile_from > 0 || words.first_day > 0) && !profile->reputation)
        return fail(Errc::bad_value, "--hostile-from-day and --first-day go with a profile that has reputation");
    if (words.first_day > 0) profile->reputation->rules.first_day = words.first_day;
    if (words.hostile_from > 0) {
        ReputationRules& rules = profile->reputation->rules;
        rules.hostile = rules.hostile.value_or(ReputationRules::Hostile{});
        rules.hostile->from_day = words.hostile_from;
    }
    options.profile = std::move(*profile);
    return {};
}

Result<SinkOptions> options_of(const Words& words)
{
    SinkOptions options;
    for (const std::string& text : words.listen) {
        const Result<asio::ip::tcp::endpoint> endpoint = endpoint_of("--listen", text);
        if (!endpoint) return std::unexpected{endpoint.error()};
        options.listen.push_back(*endpoint);
    }
    for (const std::string& text : words.rules) {
        Result<SinkRule> rule = rule_of(text);
        if (!rule) return std::unexpected{rule.error()};
        options.rules.push_back(std::move(*rule));
    }
    if (const Result<> added = add_profile(words, options); !added) return std::unexpected{added.error()};
    if (const Result<> added = add_reports(words, options); !added) return std::unexpected{added.error()};
    if (words.count_only && !(words.keep.empty() && words.log.empty()))
        return fail(Errc::bad_value, "--count-only goes with neither --keep nor --log");
    options.threads = words.threads;
    options.pin = words.pin;
    options.tls = !words.no_tls;
    options.connections_max = words.connections_max;
    options.idle = std::chrono::seconds{words.idle_s};
    options.record = {.log = words.log, .keep = words.keep};
    options.dialogue.name = words.name;
    options.dialogue.size_max = words.size_max;
    options.dialogue.pipelining = !words.no_pipelining;
    options.dialogue.eight_bit_mime = !words.no_eight_bit;
    options.dialogue.smtputf8 = !words.no_eight_bit;
    options.dialogue.chunking = !words.no_chunking;
    return options;
}

void print_stats(const Sink& sink, SteadyTime started, const std::string& path)
{
    const auto running =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - started);
    const std::string json = sink.to_json(running) + "\n";
    if (path.empty()) {
        std::fputs(json.c_str(), stdout);
        std::fflush(stdout);
        return;
    }
    const std::string written = path + ".new"; // renamed, so that no reader sees half of it
    std::ofstream{written} << json;
    std::rename(written.c_str(), path.c_str());
}

int run(const Words& words)
{
    raise_descriptor_limit();
    // Blocked before the first thread starts: only sigwait below takes them.
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) sigaddset(&signals, signal);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::signal(SIGPIPE, SIG_IGN);

    Result<SinkOptions> options = options_of(words);
    Result<std::unique_ptr<Sink>> sink = options ? Sink::start(*options) : std::unexpected{options.error()};
    if (!sink) {
        std::fprintf(stderr, "penguin-bench sink: %s\n", sink.error().detail.c_str());
        return 1;
    }
    const SteadyTime started = std::chrono::steady_clock::now();
    for (const asio::ip::tcp::endpoint& endpoint : (*sink)->listening())
        std::printf("listening %s %u\n", endpoint.address().to_string().c_str(), unsigned{endpoint.port()});
    std::puts("ready");
    std::fflush(stdout);
    for (int signal = 0;;) {
        sigwait(&signals, &signal);
        if (signal != SIGUSR1) break;
        print_stats(**sink, started, words.stats);
    }
    (*sink)->stop();
    print_stats(**sink, started, words.stats);
    return 0;
}

} // namespace

void add_sink_command(CLI::App& app, int& status)
{
    auto words = std::make_shared<Words>();
    CLI::App* command = app.add_subcommand("sink", "Take mail by SMTP; keep it, log it or count it");
    command->add_option("--listen", words->listen, "ADDRESS:PORT, may be repeated; port 0: any")->capture_default_str();
    command
        ->add_option("--rule", words->rules,
                     "How to behave where not just with yes; may be repeated, see bench/README.md")
        ->take_all();
    command->add_option("--profile", words->profile, "FILE: behave as this mailbox provider, see bench/README.md");
    command->add_option("--day-seconds", words->day_s, "How long a day of the profile lasts")
        ->capture_default_str()
        ->check(CLI::Range(1U, kDayS));
    command
        ->add_option("--hostile-from-day", words->hostile_from, "The provider allows less from this day of its own on")
        ->check(CLI::Range(1, 10'000));
    command
        ->add_option("--first-day", words->first_day,
                     "Messages that any sender may send in a day, instead of the profile's")
        ->check(CLI::Range(1.0, 1e9));
    command->add_option("--reports", words->reports, "DIR: a report (ARF) of each complaint, as .eml");
    command->add_option("--reports-via", words->reports_via,
                        "ADDRESS:PORT of a server that takes such reports as mail");
    command->add_option("--reports-to", words->reports_to, "Who gets them, instead of whom the profile names");
    command->add_option("--name", words->name, "How the sink calls itself")->capture_default_str();
    command->add_option("--log", words->log, "FILE: one JSON line for each recipient of each message taken");
    command->add_option("--keep", words->keep, "DIR: each message as .eml with its envelope as .json");
    command->add_option("--stats", words->stats, "FILE for the counts, at SIGUSR1 and at the end (default: stdout)");
    command->add_option("--threads", words->threads)->capture_default_str()->check(CLI::Range(1, 256));
    command->add_option("--connections-max", words->connections_max)->capture_default_str();
    command->add_option("--size-max", words->size_max, "Octets of a message")->capture_default_str();
    command->add_option("--idle-s", words->idle_s, "Seconds to wait for a client")->capture_default_str();
    command->add_flag("--no-tls", words->no_tls, "Do not offer STARTTLS");
    command->add_flag("--no-pipelining", words->no_pipelining);
    command->add_flag("--no-8bit", words->no_eight_bit, "Offer neither 8BITMIME nor SMTPUTF8");
    command->add_flag("--no-chunking", words->no_chunking);
    command->add_flag("--count-only", words->count_only, "Write nothing down");
    command->add_flag("--pin", words->pin, "Each thread on a core of its own");
    command->callback([words, &status] { status = run(*words); });
}

} // namespace penguin::bench
