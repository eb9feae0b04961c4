#include "control/ctl/top_frame.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "control/ctl/table.h"

namespace penguin::control::ctl {

namespace {

struct Counted { // a counter, or the part of it with one label
    std::string_view title;
    std::string_view name;
    std::string_view label;
    std::string_view value;
};
constexpr std::string_view kOutcomes = "penguin_delivery_outcomes_total";
constexpr std::array<Counted, 9> kCounted{{
    {"accepted", "penguin_submit_messages_total", "", ""},
    {"claimed", "penguin_queue_claimed_total", "", ""},
    {"delivered", kOutcomes, "kind", "delivered"},
    {"deferred", kOutcomes, "kind", "deferred"},
    {"bounced", kOutcomes, "kind", "bounced"},
    {"expired", kOutcomes, "kind", "expired"},
    {"suppressed", kOutcomes, "kind", "suppressed"},
    {"parked", "penguin_queue_parked_total", "", ""},
    {"given back", "penguin_queue_released_total", "", ""},
}};

constexpr std::array<std::string_view, 5> kPlaces{"ready", "parked", "due", "in_hands", "dead"};

double seconds_between(const Look& before, const Look& now)
{
    return std::chrono::duration<double>(now.at - before.at).count();
}

std::string rate_shown(const Counted& what, const std::optional<Look>& before, const Look& now)
{
    if (!before || seconds_between(*before, now) <= 0) return "-";
    const double after = now.metrics.sum(what.name, what.label, what.value);
    const double earlier = before->metrics.sum(what.name, what.label, what.value);
    const double more = after < earlier ? after : after - earlier;
    return fmt::format("{:.1f}", more / seconds_between(*before, now));
}

std::string gauge_shown(const Metrics& metrics, std::string_view name)
{
    return metrics.has(name) ? grouped(metrics.sum(name)) : "-";
}

std::string head(const Metrics& metrics)
{
    const std::string claiming = !metrics.has("penguin_engine_claiming")      ? "-"
                                 : metrics.sum("penguin_engine_claiming") > 0 ? "yes"
                                                                              : "NO";
    const std::string journal =
        metrics.has("penguin_journal_octets") ? size_shown(metrics.sum("penguin_journal_octets")) : "-";
    return fmt::format("claiming {}   in hand {}   connections {}   journal {}   settings version {}\n", claiming,
                       gauge_shown(metrics, "penguin_engine_in_hand_messages"),
                       gauge_shown(metrics, "penguin_engine_connections"), journal,
                       gauge_shown(metrics, "penguin_settings_version"));
}

std::string rates(const std::optional<Look>& before, const Look& now)
{
    Table table{{"MESSAGES", "A SECOND", "IN ALL"}};
    std::vector<Row> rows;
    rows.reserve(kCounted.size());
    for (const Counted& what : kCounted)
        rows.push_back({{std::string{what.title}},
                        {rate_shown(what, before, now), true},
                        {grouped(now.metrics.sum(what.name, what.label, what.value)), true}});
    return table.lines(rows);
}

std::string queue(const Metrics& metrics)
{
    std::set<std::string_view> pools;
    for (const Sample* sample : metrics.of("penguin_queue_messages")) pools.insert(sample->label("pool"));
    if (pools.empty()) return "no pool has a source of this node\n";
    Table table{{"QUEUE", "READY", "PARKED", "DUE", "IN HANDS", "DEAD", "EVENTS WAITING"}};
    std::vector<Row> rows;
    for (const std::string_view pool : pools) {
        Row& row = rows.emplace_back(Row{{shown_text(pool)}});
        for (const std::string_view place : kPlaces) {
            double here = 0;
            for (const Sample* sample : metrics.of("penguin_queue_messages"))
                if (sample->label("pool") == pool && sample->label("place") == place) here += sample->value;
            row.push_back({grouped(here), true});
        }
        row.push_back({grouped(metrics.sum("penguin_queue_events_waiting", "pool", pool)), true});
    }
    return table.lines(rows);
}

} // namespace

std::string grouped(double number)
{
    std::string digits = fmt::format("{:.0f}", std::abs(number));
    for (std::size_t place = digits.size(); place > 3;) digits.insert(place -= 3, ",");
    return number < 0 ? "-" + digits : digits;
}

std::string size_shown(double octets)
{
    constexpr std::array<std::string_view, 4> kUnits{"B", "KiB", "MiB", "GiB"};
    std::size_t unit = 0;
    while (octets >= 1024 && unit + 1 < kUnits.size()) {
        octets /= 1024;
        ++unit;
    }
    return fmt::format("{:.{}f} {}", octets, unit == 0 ? 0 : 1, kUnits[unit]);
}

std::string top_frame(const std::optional<Look>& before, const Look& now)
{
    return head(now.metrics) + "\n" + rates(before, now) + "\n" + queue(now.metrics);
}

} // namespace penguin::control::ctl
