#include "bench/plan/plan_command.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>

#include "bench/harness/machine.h"
#include "bench/harness/places.h"
#include "bench/harness/report.h"
#include "bench/plan/plan.h"

namespace penguin::bench::plan {

namespace {

struct Words {
    Demand demand;
    std::string dkim = "rsa2048";
    std::string machine = "medium";
    std::vector<std::string> shares;                 // NAME=PART
    std::vector<std::string> setbacks;               // NAME:DAY
    std::vector<std::string> figures;                // FILE
    std::string json;                                // FILE
    std::vector<std::function<void(Machine&)>> over; // options that stand over the machine class
};

// What a cast can hold; the rules come after it.
double in_range(double value)
{
    constexpr double kMost = 1e9;
    return value >= 0 ? std::min(value, kMost) : 0; // 0 for what is no number, too
}

Result<double> number_in(std::string_view text, std::string_view option)
{
    double value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code == std::errc{} && end == text.data() + text.size()) return value;
    return fail(Errc::bad_value, std::string{option} + ": '" + std::string{text} + "' is no number");
}

Result<std::pair<std::string, double>> named_number(const std::string& word, char mark, std::string_view option)
{
    const std::size_t at = word.find(mark);
    if (at == 0 || at == std::string::npos)
        return fail(Errc::bad_value, std::string{option} + ": '" + word + "' must be NAME" + mark + "NUMBER");
    const auto value = number_in(std::string_view{word}.substr(at + 1), option);
    if (!value) return std::unexpected{value.error()};
    return std::pair{word.substr(0, at), *value};
}

Result<Demand> demand_of(const Words& words)
{
    Demand demand = words.demand;
    const auto dkim = parse_dkim(words.dkim);
    if (!dkim) return fail(dkim.error(), "--dkim");
    demand.dkim = *dkim;
    const auto machine = machine_named(words.machine);
    if (!machine) return std::unexpected{machine.error()};
    demand.machine = *machine;
    for (const auto& change : words.over) change(demand.machine);
    for (const std::string& word : words.shares) {
        const auto share = named_number(word, '=', "--share");
        if (!share) return std::unexpected{share.error()};
        demand.shares.push_back({share->first, share->second});
    }
    return demand;
}

Result<std::vector<Setback>> setbacks_of(const Words& words)
{
    std::vector<Setback> setbacks;
    for (const std::string& word : words.setbacks) {
        const auto setback = named_number(word, ':', "--setback");
        if (!setback) return std::unexpected{setback.error()};
        setbacks.push_back({.provider = setback->first, .day = static_cast<int>(in_range(setback->second))});
    }
    return setbacks;
}

Result<Figures> figures_of(const Words& words)
{
    Figures figures;
    for (const std::string& file : words.figures) {
        std::ifstream in{file, std::ios::binary};
        const std::string text{std::istreambuf_iterator<char>{in}, {}};
        if (!in) return fail(Errc::not_found, "--figures: cannot read " + file);
        auto more = with_file(std::move(figures), text, file);
        if (!more) return std::unexpected{more.error()};
        figures = std::move(*more);
    }
    return figures;
}

Result<Plan> plan_of(const Words& words)
{
    const auto demand = demand_of(words);
    if (!demand) return std::unexpected{demand.error()};
    const auto setbacks = setbacks_of(words);
    if (!setbacks) return std::unexpected{setbacks.error()};
    const auto figures = figures_of(words);
    if (!figures) return std::unexpected{figures.error()};
    return plan_for(*demand, *figures, *setbacks);
}

void write_report(const Plan& plan, const Words& words)
{
    constexpr std::chrono::seconds kAskingGit{20};
    Patience patience{kAskingGit};
    Report report{
        .verb = "plan", .machine = describe_machine(), .options = options_of(plan), .results = results_of(plan)};
    {
        const WorldFolder scratch{"/var/tmp"};
        report.git = git_commit(patience, scratch.path());
    }
    report.options["setback"] = boost::json::array(words.setbacks.begin(), words.setbacks.end());
    write_json(report, words.json);
}

int run(const Words& words)
{
    const Result<Plan> plan = plan_of(words);
    if (!plan) {
        std::fprintf(stderr, "penguin-bench plan: %s\n", plan.error().detail.c_str());
        return 2;
    }
    try {
        std::fputs(text_of(*plan).c_str(), stdout);
        if (!words.json.empty()) write_report(*plan, words);
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "penguin-bench plan: %s\n", error.what());
        return 1;
    }
}

void add_machine_options(CLI::App& command, Words& words)
{
    command.add_option("--machine", words.machine, "small, medium, large, huge")->capture_default_str();
    const auto over = [&](const char* name, const char* help, std::function<void(Machine&, double)> set) {
        command.add_option_function<double>(
            name,
            [&words, set = std::move(set)](double value) {
                words.over.emplace_back([set, value](Machine& machine) { set(machine, value); });
            },
            help);
    };
    over("--cores", "Of a node, instead of the machine's",
         [](Machine& machine, double value) { machine.cores = static_cast<unsigned>(in_range(value)); });
    over("--memory-gb", "Of a node", [](Machine& machine, double value) { machine.memory_gb = value; });
    over("--network-mbit", "Of a node", [](Machine& machine, double value) { machine.network_mbit = value; });
    over("--addresses-per-node", "Source addresses that a node gets",
         [](Machine& machine, double value) { machine.addresses_max = static_cast<unsigned>(in_range(value)); });
    over("--core-speed", "Of a core, beside one of the machine that was measured",
         [](Machine& machine, double value) { machine.speed = value; });
}

void add_mail_options(CLI::App& command, Words& words)
{
    Demand& demand = words.demand;
    const auto number = [&command](const char* name, double& to, const char* help) {
        return command.add_option(name, to, help)->capture_default_str();
    };
    number("--messages-a-month", demand.messages_a_month, "How many")->required();
    number("--days-a-month", demand.days_a_month, "On which mail is sent");
    number("--hours-a-day", demand.hours_a_day, "In which mail is sent");
    number("--peak-factor", demand.peak_factor, "Busiest hour / average hour");
    number("--peak-day-factor", demand.peak_day_factor, "Busiest day / average day");
    number("--retry-share", demand.retry_share, "Attempts that receivers put off");
    number("--size", demand.size, "Octets of a message");
    number("--batch", demand.batch, "Recipients of a submission");
    number("--tenants", demand.tenants, "How many");
    number("--mailboxes", demand.mailboxes, "Sender addresses there are; 0: as many as it takes");
    command.add_option("--mailbox-day-max", demand.mailbox_day_max, "Messages a day of a mailbox; 0: no limit");
    number("--backlog-hours", demand.backlog_hours, "That Redis must hold while nothing goes out");
    command.add_option("--dkim", words.dkim, "none, rsa2048, ed25519, both")->capture_default_str();
    command.add_option("--share", words.shares,
                       "PROVIDER=PART of the mail, 0 to 1; may be repeated, the rest is other");
}

} // namespace

void add_plan_command(CLI::App& app, int& status)
{
    auto words = std::make_shared<Words>();
    Demand& demand = words->demand;
    CLI::App* command = app.add_subcommand("plan", "Compute what a volume of mail needs");
    add_mail_options(*command, *words);
    add_machine_options(*command, *words);
    command->add_option("--warmup", demand.warmup, "Plan of the addresses: cold, cautious, bulk")
        ->capture_default_str();
    command->add_option("--warm-addresses", demand.warm_addresses, "Source addresses at full rate already")
        ->capture_default_str();
    command->add_option("--cold-addresses", demand.cold_addresses, "New source addresses; 0: as many as it takes")
        ->capture_default_str();
    command->add_option("--spare-nodes", demand.spare_nodes, "Nodes that may be away in the busiest hour")
        ->capture_default_str();
    command->add_option("--setback", words->setbacks, "PROVIDER:DAY on which it is not content; may be repeated");
    command->add_option("--figures", words->figures, "FILE that drain, submit or micro wrote; may be repeated");
    command->add_option("--json", words->json, "FILE for the plan");
    command->callback([words, &status] { status = run(*words); });
}

} // namespace penguin::bench::plan
