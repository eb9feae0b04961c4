#include "bench/report/headline.h"

#include <algorithm>

#include <fmt/format.h>

#include "bench/report/provenance.h"
#include "bench/report/wording.h"

namespace penguin::bench::report {

namespace {

std::string counted(double number, const std::string& one, const std::string& more)
{
    return grouped(number) + " " + (number == 1 ? one : more);
}

std::string machine_words(const Field& options)
{
    const auto machine = options.find("machine");
    if (!machine) return "";
    return fmt::format(" with {} cores and {} GB of memory each", grouped(machine->number("cores")),
                       figure(machine->number("memory_gb")));
}

// Where the figures of sending and accepting come from that the plan was computed with.
std::string plan_basis(const Field& results)
{
    const auto from = results.find("figures_from");
    const auto sending = from ? from->find("sending") : std::nullopt;
    const bool measured = sending && sending->text() != "default";
    return measured ? "It is computed from the cost of a message that was measured, on a machine described below."
                    : "It is computed from default figures: no measured ones were given to the planner.";
}

// How many machines the work alone would need, where something else decides.
std::string beside_processor(const Field& nodes)
{
    if (nodes.text("limit") == "cpu") return "";
    for (const Field& need : nodes.at("by_limit").items())
        if (need.text("limit") == "cpu")
            return fmt::format("; for the work alone {} would do",
                               counted(need.number("value"), "machine", "machines"));
    return "";
}

void add_plan(Headline& headline, const FiguresFile& file)
{
    const Field options = file.options();
    const Field results = file.results();
    const std::string mails = volume(options.number("messages_a_month"));
    const double nodes = results.at("nodes").number("value");
    const double spare = nodes - results.at("nodes").number("carrying");
    const double addresses = results.at("addresses").number("value");
    const auto full = results.find("days_until_full_rate");
    const auto stores = results.at("nodes").find("stores_on_node");
    std::string text = fmt::format("To send {} mails a month it takes {}{}", mails,
                                   counted(nodes, "machine", "machines"), machine_words(options));
    if (spare > 0) text += fmt::format(", {} of them spare in case another fails", grouped(spare));
    text += stores && !stores->flag() ? "; queue and records stand on machines of their own."
                                      : "; queue and records are on the same machines.";
    text += fmt::format(" They send from {}. The number of machines is decided by {}{}.",
                        counted(addresses, "IP address", "IP addresses"), need_words(results.at("nodes").text("limit")),
                        beside_processor(results.at("nodes")));
    const std::string warmup = options.text("warmup");
    text += full
                ? fmt::format(
                      " New addresses start with little mail and may send more each day: the full volume goes out from "
                      "day {} on (warm-up plan '{}').",
                      grouped(full->number()), warmup)
                : fmt::format(" With the warm-up plan '{}' the full volume is never reached.", warmup);
    headline.says.push_back(text + " " + plan_basis(results));
    headline.table.rows.push_back({fmt::format("Machines for {} mails a month", mails), grouped(nodes),
                                   "decided by " + need_words(results.at("nodes").text("limit"))});
    headline.table.rows.push_back({"IP addresses to send from", grouped(addresses),
                                   "decided by " + need_words(results.at("addresses").text("limit"))});
    headline.table.rows.push_back({"Days until the full volume goes out", full ? grouped(full->number()) : "never",
                                   fmt::format("new addresses are warmed up by plan '{}'", warmup)});
}

void add_rates(Headline& headline, const std::vector<const FiguresFile*>& drains)
{
    const std::vector<std::string> labels = mail_labels(drains);
    std::string text;
    for (std::size_t i = 0; i < drains.size(); ++i) {
        const double rate = drains[i]->results().number("messages_per_second");
        const Field machine = drains[i]->field("machine");
        const std::string cores = counted(machine.number("cores"), "core", "cores");
        text += fmt::format("{}{} messages a second {}",
                            i == 0                   ? ""
                            : i + 1 == drains.size() ? " and "
                                                     : ", ",
                            figure(rate), labels[i]);
        headline.table.rows.push_back({fmt::format("Messages sent a second, {}", labels[i]), figure(rate),
                                       fmt::format("on {} that do all, the receiving side too", cores)});
    }
    if (!text.empty())
        headline.says.push_back(
            fmt::format("Measured on a single machine, where the receiving side runs too, it sends {}.", text));
}

void add_ratios(Headline& headline, const FiguresFile& file)
{
    const std::string peer = mta_name(file.options().text("peer"));
    std::string text;
    for (const auto& [name, one] : file.results().members()) {
        if (!one.value().is_object()) continue;
        const std::string ratio = figure(one.number("ratio_median"));
        const std::string kind = name.starts_with("signed") ? "signed mail" : "unsigned mail";
        text += fmt::format("{}{} times as much {}", text.empty() ? "" : " and ", ratio, kind);
        headline.table.rows.push_back(
            {fmt::format("Times the rate of {}, {}", peer, kind), ratio,
             fmt::format("{} to {} in single runs", figure(one.number("ratio_min")), figure(one.number("ratio_max")))});
    }
    if (!text.empty()) headline.says.push_back(fmt::format("Beside {} on the same machine it sends {}.", peer, text));
}

void add_memory(Headline& headline, const std::vector<const FiguresFile*>& drains)
{
    if (drains.empty()) return;
    double own = 0;
    double stores = 0;
    for (const FiguresFile* file : drains) {
        const Field memory = file->results().at("rss_mb");
        own = std::max(own, memory.number("daemon"));
        stores = std::max(stores, memory.number("redis") + memory.number("postgres"));
    }
    headline.says.push_back(
        fmt::format("While it sends, the program takes {} MB of memory at most, its queue (Redis) and its "
                    "records (PostgreSQL) {} MB more.",
                    figure(own), figure(stores)));
    headline.table.rows.push_back({"Memory of the program, MB", figure(own), "the most while it sends"});
    headline.table.rows.push_back({"Memory of queue and records, MB", figure(stores), "Redis and PostgreSQL together"});
}

void add_delay(Headline& headline, const FiguresFile& file)
{
    const Field results = file.results();
    const Field times = results.at("accept_to_250_ms");
    const std::string rate = figure(results.number("rate"));
    headline.says.push_back(
        fmt::format("At a steady {} messages a second half of the mail is with its receiver within {} "
                    "milliseconds, 99 of 100 within {}.",
                    rate, figure(times.number("p50")), figure(times.number("p99"))));
    headline.table.rows.push_back({"Milliseconds to the receiver, 99 of 100", figure(times.number("p99")),
                                   fmt::format("at {} messages a second", rate)});
}

void add_accepting(Headline& headline, const FiguresFile& file)
{
    const auto rate = file.results().find("recipients_per_second");
    if (!rate) return;
    headline.table.rows.push_back(
        {"Messages accepted a second", figure(rate->number()), "in large batches, safely stored"});
}

} // namespace

Headline headline_of(const Files& files)
{
    Headline headline{.says = {}, .table = {.head = {"figure", "value", "meaning"}, .rows = {}}};
    const std::vector<const FiguresFile*> drains = of_verb(files, "drain");
    for (const FiguresFile* file : of_verb(files, "plan")) add_plan(headline, *file);
    add_rates(headline, drains);
    for (const FiguresFile* file : of_verb(files, "compare")) add_ratios(headline, *file);
    add_memory(headline, drains);
    for (const FiguresFile* file : of_verb(files, "flow")) add_delay(headline, *file);
    for (const FiguresFile* file : of_verb(files, "submit")) add_accepting(headline, *file);
    if (std::ranges::any_of(files, disturbed))
        headline.says.emplace_back(
            "Other programs ran while some of this was measured: rates are lower and times longer than on "
            "a machine of one's own. The sections say which.");
    return headline;
}

} // namespace penguin::bench::report
