#include "control/warmup/warmup_keeper.h"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "control/db/settings_version.h"
#include "engine/base/day.h"
#include "engine/base/log.h"

namespace penguin::control {

namespace json = boost::json;

namespace {

constexpr std::string_view kLanes =
    "select {} from control.warmups w join control.sources s on s.id = w.source_id and s.node = $1"
    " join control.warmup_lanes l on l.source_id = w.source_id where w.start <= $2::date order by w.source_id, "
    "l.provider";

// $8 to $11: what was read.
constexpr std::string_view kMove =
    "update control.warmup_lanes set stage = $3, decided = $4::date, last_sent = $5::date, stopped = $6::date,"
    " stepped_back = $7::date where source_id = $1 and provider = $2 and stage = $8 and decided is not distinct from "
    "$9::date"
    " and stopped is not distinct from $10::date and cap is not distinct from $11::bigint";

constexpr std::string_view kNote =
    "insert into control.warmup_decisions (id, source_id, provider, day, move, from_stage, to_stage, reason, numbers,"
    " decided_at) values ($1, $2, $3, $4::date, $5, $6, $7, $8, $9::jsonb, $10)";

db::AuditEntry change_of(const WarmupLaneRow& lane, const policy::WarmupDecision& decision)
{
    json::object detail = shape_of(decision.numbers);
    detail["from"] = decision.from;
    detail["to"] = decision.to;
    detail["reason"] = decision.reason;
    return {.time = decision.at,
            .action = fmt::format("warmup.{}", policy::name_of(decision.move)),
            .actor = "",
            .resource = fmt::format("source/{}/warmup/{}", lane.source.value().text(), lane.provider),
            .detail = json::serialize(detail)};
}

policy::WarmupCounts counts_of(const WarmupDays& days, const WarmupLaneRow& lane, policy::Day day)
{
    const auto found = days.find({lane.address, lane.provider, day});
    return found == days.end() ? policy::WarmupCounts{} : found->second;
}

} // namespace

WarmupKeeper::WarmupKeeper(db::Database& database, NodeName node, Counted counted, std::function<void()> changed,
                           Registry& metrics)
    : database_{database},
      node_{std::move(node)},
      counted_{std::move(counted)},
      changed_{std::move(changed)},
      metrics_{metrics},
      failures_{metrics.counter("penguin_warmup_failures_total", "Looks at the warm-up that ended with an error")}
{
}

awaitable<void> WarmupKeeper::run()
{
    bool more = true;
    std::string problem;
    while (more && !stopped_) {
        const Result<std::size_t> looked = co_await look(wall_now());
        if (!looked) {
            failures_.add();
            if (looked.error().detail != problem)
                log::warning("warmup", "not_looked", {{"why", looked.error().detail}});
        }
        problem = looked ? "" : looked.error().detail;
        more = co_await sleep_for(kWarmupLook);
    }
}

awaitable<Result<std::size_t>> WarmupKeeper::look(WallTime now)
{
    const policy::Day today = std::chrono::floor<std::chrono::days>(now);
    const Result<std::vector<WarmupLaneRow>> lanes = co_await read_lanes(today);
    if (!lanes) co_return std::unexpected{lanes.error()};
    if (lanes->empty()) co_return std::size_t{0};
    std::vector<std::string> addresses;
    std::vector<std::string> ids;
    for (const WarmupLaneRow& lane : *lanes) {
        if (!addresses.empty() && addresses.back() == lane.address) continue;
        addresses.push_back(lane.address);
        ids.push_back(lane.source.value().text());
    }
    const Result<WarmupDays> days =
        co_await warmup_days(database_.analytics, addresses, today - std::chrono::days{1}, today);
    if (!days) co_return std::unexpected{days.error()};
    tell_counts(*lanes, *days, today);
    const Result<std::vector<SignalRow>> signals = co_await read_signals(ids, today);
    if (!signals) co_return std::unexpected{signals.error()};
    std::size_t made = 0;
    for (const WarmupLaneRow& lane : *lanes) {
        const std::optional<Judged> judged = judge(lane, *days, *signals, now);
        if (!judged) continue;
        const Result<bool> written = co_await write(lane, *judged);
        if (!written) co_return std::unexpected{written.error()};
        if (*written) ++made;
    }
    if (Result<> tidy = co_await forget_old(today); !tidy) co_return std::unexpected{tidy.error()};
    co_return made;
}

awaitable<Result<std::vector<WarmupLaneRow>>> WarmupKeeper::read_lanes(policy::Day today)
{
    const auto ask = [&](db::Transaction& tx) {
        return tx.query(fmt::format(kLanes, kWarmupLaneColumns), db::Params{node_, day_text(today)});
    };
    const Result<db::Rows> rows = co_await db::as_platform(database_.control, ask);
    if (!rows) co_return std::unexpected{rows.error()};
    std::vector<WarmupLaneRow> lanes;
    for (const db::Row row : *rows) lanes.push_back(warmup_lane_of(row));
    co_return lanes;
}

awaitable<Result<std::vector<SignalRow>>> WarmupKeeper::read_signals(std::vector<std::string> subjects,
                                                                     policy::Day today)
{
    const auto ask = [&](db::Transaction& tx) {
        return signals_of(tx, subjects, today - kSignalHolds - std::chrono::days{1}, today);
    };
    Result<std::vector<SignalRow>> rows = co_await db::as_platform(database_.control, ask);
    co_return rows;
}

// Yesterday first; only when that is done, what today says.
std::optional<WarmupKeeper::Judged> WarmupKeeper::judge(const WarmupLaneRow& lane, const WarmupDays& days,
                                                        const std::vector<SignalRow>& signals, WallTime now) const
{
    const policy::WarmupPlan* const shipped = policy::shipped_warmup_plan(lane.plan);
    if (shipped == nullptr) return std::nullopt; // the snapshot says so, and does not use the source
    policy::WarmupPlan plan = *shipped;
    plan.used_enough = lane.used_enough.value_or(plan.used_enough);
    const policy::Day today = std::chrono::floor<std::chrono::days>(now);
    const policy::Day yesterday = today - std::chrono::days{1};
    const bool open = lane.start <= yesterday && lane.decided.value_or(policy::Day::min()) < yesterday;
    if (open && now - today < kDaySettles) return std::nullopt;
    const policy::Day day = open ? yesterday : today;
    const policy::WarmupNumbers numbers{.cap =
                                            lane.state.cap ? lane.state.cap : plan.cap(lane.provider, lane.state.stage),
                                        .counts = counts_of(days, lane, day),
                                        .outside = outside_of(signals, lane.source.value().text(), lane.provider, day)};
    std::optional<policy::WarmupDecision> decision;
    if (open)
        decision = policy::decide_day(plan, lane.state, day, numbers);
    else
        decision = policy::decide_now(plan, lane.state, today, numbers);
    if (!decision) return std::nullopt;
    decision->at = now;
    decision->source = lane.address;
    decision->provider = lane.provider;
    return Judged{*decision, day, policy::after(lane.state, *decision, day, today)};
}

awaitable<Result<bool>> WarmupKeeper::write(WarmupLaneRow lane, Judged judged)
{
    const policy::WarmupDecision& decision = judged.decision;
    const policy::WarmupState& to = judged.after;
    const bool daily = judged.day < std::chrono::floor<std::chrono::days>(decision.at);
    const std::optional<policy::Day> decided = daily ? std::optional{judged.day} : lane.decided;
    const bool moves = to.stage != lane.state.stage || to.stopped != lane.state.stopped;
    const auto work = [&](db::Transaction& tx) -> awaitable<Result<bool>> {
        const Result<db::Rows> moved = co_await tx.query(
            std::string{kMove},
            db::Params{lane.source, lane.provider, to.stage, text_of_day(decided), text_of_day(to.last_sent),
                       text_of_day(to.stopped), text_of_day(to.stepped_back), lane.state.stage,
                       text_of_day(lane.decided), text_of_day(lane.state.stopped), lane.state.cap});
        if (!moved) co_return std::unexpected{moved.error()};
        if (moved->affected() == 0) co_return false;
        const Result<db::Rows> noted = co_await tx.query(
            std::string{kNote}, db::Params{Uuid::v7(decision.at), lane.source, lane.provider, day_text(judged.day),
                                           policy::name_of(decision.move), decision.from, decision.to, decision.reason,
                                           json::serialize(shape_of(decision.numbers)), decision.at});
        if (!noted) co_return std::unexpected{noted.error()};
        if (moves)
            if (Result<> told = co_await db::settings_changed(tx, change_of(lane, decision)); !told)
                co_return std::unexpected{told.error()};
        co_return true;
    };
    const Result<bool> written = co_await db::as_platform(database_.control, work);
    if (!written || !*written) co_return written;
    log::info("warmup", "decided",
              {{"source", decision.source},
               {"provider", decision.provider},
               {"move", policy::name_of(decision.move)},
               {"from", decision.from},
               {"to", decision.to},
               {"reason", decision.reason}});
    metrics_
        .counter("penguin_warmup_decisions_total", "What was decided about sources under a warm-up plan.",
                 {{"move", std::string{policy::name_of(decision.move)}}})
        .add();
    if (moves) changed_();
    co_return true;
}

void WarmupKeeper::tell_counts(const std::vector<WarmupLaneRow>& lanes, const WarmupDays& days, policy::Day today) const
{
    std::map<SourceId, queue::WarmupCounts> counts;
    for (const WarmupLaneRow& lane : lanes)
        if (const std::uint64_t sent = counts_of(days, lane, today).sent; sent > 0)
            counts[lane.source].emplace(lane.provider, sent);
    for (const auto& [source, by_share] : counts) counted_(source, today, by_share);
}

awaitable<Result<>> WarmupKeeper::forget_old(policy::Day today)
{
    if (tidied_ == today) co_return Result<>{};
    const auto work = [&](db::Transaction& tx) -> awaitable<Result<>> {
        std::vector<db::Statement> all;
        for (const char* table : {"control.warmup_decisions", "control.signals"})
            all.push_back(
                {fmt::format("delete from {} where day < $1::date", table), db::Params{day_text(today - kWarmupKept)}});
        const Result<std::vector<db::Rows>> rows = co_await tx.query_all(std::move(all));
        if (!rows) co_return std::unexpected{rows.error()};
        co_return Result<>{};
    };
    Result<> done = co_await db::as_platform(database_.control, work);
    if (done) tidied_ = today;
    co_return done;
}

} // namespace penguin::control
