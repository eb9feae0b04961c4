#include "control/warmup/warmup_rows.h"

#include <algorithm>

#include "engine/base/day.h"

namespace penguin::control {

namespace json = boost::json;

const std::string_view kWarmupLaneColumns =
    "w.source_id, host(s.address) as address, w.plan, to_char(w.start, 'YYYY-MM-DD') as start, l.provider, l.stage, "
    "l.cap, w.used_enough,"
    " to_char(l.decided, 'YYYY-MM-DD') as decided, to_char(l.last_sent, 'YYYY-MM-DD') as last_sent,"
    " to_char(l.stopped, 'YYYY-MM-DD') as stopped, to_char(l.stepped_back, 'YYYY-MM-DD') as stepped_back";

namespace {

constexpr std::string_view kDays =
    "select host(source) as source, provider, to_char(day, 'YYYY-MM-DD') as day, sent, delivered, hard_bounces, blocks,"
    " deferrals from analytics.warmup_days where source = any($1::inet[]) and day between $2::date and $3::date";

constexpr std::string_view kSignals =
    "select subject, provider, kind, origin, to_char(day, 'YYYY-MM-DD') as day, value from control.signals"
    " where scope = 'source' and subject = any($1::text[]) and day between $2::date and $3::date order by day";

} // namespace

std::optional<policy::Day> day_in(const db::Row& row, std::string_view column)
{
    if (row.null(column)) return std::nullopt;
    const Result<policy::Day> day = parse_day(row.text(column));
    return day ? std::optional{*day} : std::nullopt;
}

std::optional<std::string> text_of_day(const std::optional<policy::Day>& day)
{
    return day ? std::optional{day_text(*day)} : std::nullopt;
}

WarmupLaneRow warmup_lane_of(const db::Row& row)
{
    return {.source = row.get<SourceId>("source_id"),
            .address = row.get<std::string>("address"),
            .plan = row.get<std::string>("plan"),
            .start = day_in(row, "start").value_or(policy::Day{}),
            .provider = row.get<std::string>("provider"),
            .state = {.stage = row.get<std::size_t>("stage"),
                      .last_sent = day_in(row, "last_sent"),
                      .stopped = day_in(row, "stopped"),
                      .stepped_back = day_in(row, "stepped_back"),
                      .cap = row.get<std::optional<std::uint64_t>>("cap")},
            .decided = day_in(row, "decided"),
            .used_enough = row.get<std::optional<double>>("used_enough")};
}

awaitable<Result<WarmupDays>> warmup_days(db::PgPool& analytics, std::vector<std::string> sources, policy::Day from,
                                          policy::Day to)
{
    const auto ask = [&](db::Transaction& tx) {
        return tx.query(std::string{kDays}, db::Params{sources, day_text(from), day_text(to)});
    };
    const Result<db::Rows> rows = co_await db::as_platform(analytics, ask);
    if (!rows) co_return std::unexpected{rows.error()};
    WarmupDays days;
    for (const db::Row row : *rows)
        days.insert_or_assign({row.get<std::string>("source"), row.get<std::string>("provider"),
                               day_in(row, "day").value_or(policy::Day{})},
                              policy::WarmupCounts{.sent = row.get<std::uint64_t>("sent"),
                                                   .delivered = row.get<std::uint64_t>("delivered"),
                                                   .hard_bounces = row.get<std::uint64_t>("hard_bounces"),
                                                   .blocks = row.get<std::uint64_t>("blocks"),
                                                   .deferrals = row.get<std::uint64_t>("deferrals")});
    co_return days;
}

awaitable<Result<std::vector<SignalRow>>> signals_of(db::Transaction& tx, std::vector<std::string> subjects,
                                                     policy::Day from, policy::Day to)
{
    const Result<db::Rows> rows =
        co_await tx.query(std::string{kSignals}, db::Params{subjects, day_text(from), day_text(to)});
    if (!rows) co_return std::unexpected{rows.error()};
    std::vector<SignalRow> out;
    for (const db::Row row : *rows)
        out.push_back({row.get<std::string>("subject"), row.get<std::string>("provider"), row.get<std::string>("kind"),
                       row.get<std::string>("origin"), day_in(row, "day").value_or(policy::Day{}),
                       row.get<double>("value")});
    co_return out;
}

policy::OutsideSignals outside_of(const std::vector<SignalRow>& rows, std::string_view subject,
                                  std::string_view provider, policy::Day day)
{
    policy::OutsideSignals outside;
    std::map<std::tuple<std::string, std::string, std::string>, const SignalRow*> last; // of kind, origin, provider
    for (const SignalRow& row : rows) {
        if (row.subject != subject || (!row.provider.empty() && row.provider != provider)) continue;
        if (row.day > day || row.day <= day - kSignalHolds) continue;
        if (row.kind == "complaints" && row.day == day) outside.complaints += static_cast<std::uint64_t>(row.value);
        const SignalRow*& known = last[{row.kind, row.origin, row.provider}];
        if (known == nullptr || known->day <= row.day) known = &row;
    }
    for (const auto& [of, row] : last) {
        if (row->kind == "complaint_share")
            outside.complaint_share = std::max(outside.complaint_share.value_or(0), row->value);
        if (row->kind == "listings") outside.listings += static_cast<std::uint64_t>(row->value);
    }
    return outside;
}

json::object shape_of(const policy::WarmupCounts& counts)
{
    return {{"sent", counts.sent},
            {"delivered", counts.delivered},
            {"hard_bounces", counts.hard_bounces},
            {"blocks", counts.blocks},
            {"deferrals", counts.deferrals}};
}

json::object shape_of(const policy::WarmupNumbers& numbers)
{
    json::object out = shape_of(numbers.counts);
    out["cap"] = numbers.cap ? json::value(*numbers.cap) : json::value(nullptr);
    out["complaints"] = numbers.outside.complaints;
    out["complaint_share"] =
        numbers.outside.complaint_share ? json::value(*numbers.outside.complaint_share) : json::value(nullptr);
    out["listings"] = numbers.outside.listings;
    return out;
}

} // namespace penguin::control
