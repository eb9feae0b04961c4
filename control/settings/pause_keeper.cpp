#include "control/settings/pause_keeper.h"

#include <boost/asio/post.hpp>

#include "control/db/settings_version.h"
#include "control/db/tenancy.h"
#include "control/ledger/event_batch.h"
#include "engine/base/log.h"

namespace penguin::control {

namespace {

constexpr std::string_view kWrite = R"(
insert into control.pauses as p (id, scope, subject, place, rule, reply, node, since, until)
select g.id, g.scope, g.subject, g.place, g.rule, g.reply, $1, g.since, g.until
from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[], $9::timestamptz[])
    as g(id, scope, subject, place, rule, reply, since, until)
where (select count(*) from control.pauses) < $10::bigint
on conflict (scope, subject, place) do update set
    id = case when p.resumed is null and p.until > excluded.since then p.id else excluded.id end,
    since = case when p.resumed is null and p.until > excluded.since then p.since else excluded.since end,
    rule = excluded.rule, reply = excluded.reply, node = excluded.node, until = excluded.until,
    resumed = null, resumed_by = null
where case when p.resumed is null then p.until < excluded.until else p.resumed < excluded.since end)";

db::Params params_of(const std::vector<policy::Pause>& pauses, const NodeName& node, WallTime now)
{
    std::vector<Uuid> ids;
    std::vector<std::string> scopes, subjects, places, rules, replies;
    std::vector<WallTime> since, until;
    for (const policy::Pause& pause : pauses) {
        ids.push_back(Uuid::v7(now));
        scopes.emplace_back(policy::name_of(pause.scope));
        subjects.push_back(ledger::clean_text(pause.subject));
        places.push_back(ledger::clean_text(pause.place));
        rules.push_back(ledger::clean_text(pause.rule));
        replies.push_back(ledger::clean_text(pause.reply));
        since.push_back(pause.since);
        until.push_back(pause.until);
    }
    return db::Params{
        node,  ids,   db::Texts{scopes}, db::Texts{subjects}, db::Texts{places}, db::Texts{rules}, db::Texts{replies},
        since, until, kPauseRowsMax};
}

} // namespace

PauseKeeper::PauseKeeper(const asio::any_io_executor& executor, db::PgPool& control, NodeName node,
                         std::function<void()> stored, Registry& metrics)
    : executor_{executor},
      control_{control},
      node_{std::move(node)},
      stored_{std::move(stored)},
      written_{metrics.counter("penguin_pauses_written_total", "Pauses of reply rules that were told to all nodes")},
      dropped_{metrics.counter("penguin_pauses_dropped_total",
                               "Pauses of reply rules that found no room to wait for PostgreSQL: this node's alone")},
      failures_{metrics.counter("penguin_pauses_failures_total", "Attempts to write pauses that failed")}
{
}

void PauseKeeper::add(policy::Pause pause)
{
    asio::post(executor_, [this, pause = std::move(pause)]() mutable { take(std::move(pause)); });
}

void PauseKeeper::take(policy::Pause pause)
{
    Key key{pause.scope, pause.subject, pause.place};
    if (waiting_.size() >= policy::kPausesMax && !waiting_.contains(key)) return dropped_.add();
    waiting_.insert_or_assign(std::move(key), std::move(pause));
}

awaitable<void> PauseKeeper::run()
{
    SteadyTime tidied{};
    bool failing = false;
    bool more = true;
    while (more && !stopped_) {
        Result<std::size_t> left = co_await write(wall_now());
        if (left && std::chrono::steady_clock::now() - tidied >= kPausesTidied) {
            const Result<> tidy_now = co_await tidy();
            if (!tidy_now) left = std::unexpected{tidy_now.error()};
            tidied = std::chrono::steady_clock::now();
        }
        if (!left) {
            failures_.add();
            if (!failing) log::warning("settings", "pauses_not_written", {{"why", left.error().detail}});
        }
        failing = !left;
        more = co_await sleep_for(kPausesGap);
    }
}

awaitable<Result<std::size_t>> PauseKeeper::write(WallTime now)
{
    std::vector<policy::Pause> some;
    for (const auto& [key, pause] : waiting_)
        if (some.size() < kPausesACall) some.push_back(pause);
    if (some.empty()) co_return 0;
    const auto work = [&](db::Transaction& tx) -> awaitable<Result<std::size_t>> {
        const Result<db::Rows> rows = co_await tx.query(std::string{kWrite}, params_of(some, node_, now));
        if (!rows) co_return std::unexpected{rows.error()};
        const std::size_t moved = rows->affected();
        if (moved == 0) co_return moved;
        const Result<> told = co_await db::pauses_changed(tx, std::nullopt);
        if (!told) co_return std::unexpected{told.error()};
        co_return moved;
    };
    const Result<std::size_t> moved = co_await db::as_platform(control_, work);
    if (!moved) co_return std::unexpected{moved.error()};
    // One that grew meanwhile is written again.
    for (const policy::Pause& pause : some) {
        const auto waits = waiting_.find(Key{pause.scope, pause.subject, pause.place});
        if (waits != waiting_.end() && waits->second == pause) waiting_.erase(waits);
    }
    written_.add(*moved);
    if (*moved > 0 && stored_) stored_();
    co_return waiting_.size();
}

awaitable<Result<>> PauseKeeper::tidy()
{
    const std::chrono::duration<double> kept = kPauseKept;
    const auto work = [kept](db::Transaction& tx) -> awaitable<Result<db::Rows>> {
        co_return co_await tx.query("delete from control.pauses where until < now() - make_interval(secs => $1)",
                                    db::Params{kept.count()});
    };
    const Result<db::Rows> gone = co_await db::as_platform(control_, work);
    if (!gone) co_return std::unexpected{gone.error()};
    co_return Result<>{};
}

} // namespace penguin::control
