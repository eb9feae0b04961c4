#include "control/ledger/ledger.h"

#include <algorithm>
#include <set>

#include "control/db/settings_version.h"
#include "control/db/tenancy.h"
#include "control/ledger/database_age.h"
#include "control/ledger/month_counts.h"
#include "control/ledger/unknown_replies.h"
#include "engine/base/crash_point.h"
#include "engine/base/day.h"
#include "engine/base/log.h"

namespace penguin::control::ledger {

namespace {

using Messages = std::set<std::pair<TenantId, MessageId>>;

// The clock's row stays locked to the commit: positions become visible in their order, over all pools.
constexpr std::string_view kInsertEvents = R"(
with clock as (update analytics.event_clock set last = last + $1::bigint returning last - $1::bigint as base)
insert into analytics.events (tenant_id, batch_id, idx, position, kind, attempt, code, at, next, latency_ms, tls,
    may_be_duplicate, late, campaign_id, mailbox_id, event_key, recipient, class, rule, phase, enhanced, reply, site, source, remote)
select e.tenant_id, e.batch_id, e.idx, clock.base + e.place, e.kind, e.attempt, e.code, e.at, e.next, e.latency_ms, e.tls,
    e.duplicate, e.late, e.campaign, e.mailbox, e.key, e.recipient, e.class, e.rule, e.phase, e.enhanced, e.reply, e.site, e.source, e.remote
from clock, unnest($2::uuid[], $3::uuid[], $4::integer[], $5::text[], $6::integer[], $7::integer[], $8::timestamptz[],
    $9::timestamptz[], $10::bigint[], $11::boolean[], $12::boolean[], $13::boolean[], $14::uuid[], $15::uuid[], $16::text[],
    $17::text[], $18::text[], $19::text[], $20::text[], $21::text[], $22::text[], $23::text[], $24::text[], $25::text[])
    with ordinality as e(tenant_id, batch_id, idx, kind, attempt, code, at, next, latency_ms, tls, duplicate, late, campaign,
    mailbox, key, recipient, class, rule, phase, enhanced, reply, site, source, remote, place))";

constexpr std::string_view kMoveCounts = R"(
insert into analytics.batch_counts (tenant_id, batch_id, delivered, bounced, expired, suppressed, cancelled, deferred)
select * from unnest($1::uuid[], $2::uuid[], $3::integer[], $4::integer[], $5::integer[], $6::integer[], $7::integer[], $8::integer[])
on conflict (tenant_id, batch_id) do update set
    delivered = batch_counts.delivered + excluded.delivered, bounced = batch_counts.bounced + excluded.bounced,
    expired = batch_counts.expired + excluded.expired, suppressed = batch_counts.suppressed + excluded.suppressed,
    cancelled = batch_counts.cancelled + excluded.cancelled, deferred = batch_counts.deferred + excluded.deferred)";

constexpr std::string_view kMoveMonths = R"(
insert into analytics.tenant_months (tenant_id, month, sent)
select * from unnest($1::uuid[], $2::integer[], $3::bigint[])
on conflict (tenant_id, month) do update set sent = tenant_months.sent + excluded.sent)";

constexpr std::string_view kMoveWarmups = R"(
insert into analytics.warmup_days (source, provider, day, sent, delivered, hard_bounces, blocks, deferrals)
select * from unnest($1::inet[], $2::text[], $3::date[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[])
on conflict (source, day, provider) do update set
    sent = warmup_days.sent + excluded.sent, delivered = warmup_days.delivered + excluded.delivered,
    hard_bounces = warmup_days.hard_bounces + excluded.hard_bounces, blocks = warmup_days.blocks + excluded.blocks,
    deferrals = warmup_days.deferrals + excluded.deferrals)";

constexpr std::string_view kKnownEvents = R"(
select e.tenant_id, e.batch_id, e.idx, e.event_key, e.kind <> 'deferred' as final
from unnest($1::uuid[], $2::uuid[], $3::integer[]) as m(tenant_id, batch_id, idx)
join analytics.events e on e.tenant_id = m.tenant_id and e.batch_id = m.batch_id and e.idx = m.idx)";

constexpr std::string_view kLateFinals = R"(
select l.tenant_id, l.batch_id, l.idx
from unnest($1::uuid[], $2::uuid[], $3::integer[]) as m(tenant_id, batch_id, idx)
join analytics.late_finals l on l.tenant_id = m.tenant_id and l.batch_id = m.batch_id and l.idx = m.idx)";

db::Params message_params(const Messages& messages)
{
    std::vector<TenantId> tenants;
    std::vector<BatchId> batches;
    std::vector<std::uint32_t> indices;
    for (const auto& [tenant, message] : messages) {
        tenants.push_back(tenant);
        batches.push_back(message.batch);
        indices.push_back(message.index);
    }
    return db::Params{tenants, batches, indices};
}

std::pair<TenantId, MessageId> message_of(const db::Row& row)
{
    return {row.get<TenantId>("tenant_id"), {row.get<BatchId>("batch_id"), row.get<std::uint32_t>("idx")}};
}

db::Params count_params(const EventBatch& batch)
{
    std::vector<TenantId> tenants;
    std::vector<BatchId> batches;
    std::vector<int> delivered, bounced, expired, suppressed, cancelled, deferred;
    for (const auto& [of, counts] : batch.counts) {
        tenants.push_back(of.first);
        batches.push_back(of.second);
        delivered.push_back(counts.delivered);
        bounced.push_back(counts.bounced);
        expired.push_back(counts.expired);
        suppressed.push_back(counts.suppressed);
        cancelled.push_back(counts.cancelled);
        deferred.push_back(counts.deferred);
    }
    return db::Params{tenants, batches, delivered, bounced, expired, suppressed, cancelled, deferred};
}

db::Params month_params(const EventBatch& batch)
{
    std::vector<TenantId> tenants;
    std::vector<int> months;
    std::vector<std::int64_t> sent;
    for (const auto& [of, messages] : batch.sent) {
        tenants.push_back(of.first);
        months.push_back(of.second);
        sent.push_back(messages);
    }
    return db::Params{tenants, months, sent};
}

db::Params warmup_params(const EventBatch& batch)
{
    std::vector<std::string> sources, providers, days;
    std::vector<std::uint64_t> sent, delivered, hard_bounces, blocks, deferrals;
    for (const auto& [of, counts] : batch.warmups) {
        sources.push_back(of.source);
        providers.push_back(of.provider);
        days.push_back(day_text(of.day));
        sent.push_back(counts.sent);
        delivered.push_back(counts.delivered);
        hard_bounces.push_back(counts.hard_bounces);
        blocks.push_back(counts.blocks);
        deferrals.push_back(counts.deferrals);
    }
    return db::Params{sources, providers, days, sent, delivered, hard_bounces, blocks, deferrals};
}

// What is already known of messages that this step tells something late about, and of late finals at all.
awaitable<Result<Known>> known_of(db::Transaction& tx, const std::vector<queue::Event>& events)
{
    Messages with_late;
    Messages with_final;
    for (const queue::Event& event : events) {
        if (event.late)
            with_late.insert({event.tenant, event.message});
        else if (is_final(event.kind))
            with_final.insert({event.tenant, event.message});
    }
    Known known;
    const Result<db::Rows> any = co_await tx.query("select exists (select 1 from analytics.late_finals) as some");
    if (!any) co_return std::unexpected{any.error()};
    if (any->front().get<bool>("some") && !with_final.empty()) {
        const Result<db::Rows> rows = co_await tx.query(std::string{kLateFinals}, message_params(with_final));
        if (!rows) co_return std::unexpected{rows.error()};
        for (const db::Row row : *rows) known.late_finals.insert(message_of(row));
    }
    if (with_late.empty()) co_return known;
    const Result<db::Rows> rows = co_await tx.query(std::string{kKnownEvents}, message_params(with_late));
    if (!rows) co_return std::unexpected{rows.error()};
    for (const db::Row row : *rows) {
        const auto message = message_of(row);
        known.event_ids.insert(message.second.text() + ":" + row.get<std::string>("event_key"));
        if (row.get<bool>("final")) known.ended.insert(message);
    }
    co_return known;
}

// Events, counters and the position, or nothing of it. Gives how many events were told twice.
awaitable<Result<std::size_t>> write(db::Transaction& tx, const PoolName& pool, const std::string& before,
                                     const std::string& after, const std::vector<queue::Event>& events, WallTime now)
{
    const Result<db::Rows> row = co_await tx.query(
        "select position from analytics.ledger_positions where pool = $1 for update", db::Params{pool});
    if (!row) co_return std::unexpected{row.error()};
    if (row->empty() || row->front().text("position") != before)
        co_return fail(Errc::stale, "another ledger has moved the position of this pool");
    const Result<Known> known = co_await known_of(tx, events);
    if (!known) co_return std::unexpected{known.error()};
    const EventBatch batch = weigh(events, *known, now);
    std::vector<db::Statement> all;
    if (!batch.kept.empty()) all.push_back({std::string{kInsertEvents}, event_params(batch.kept, now)});
    if (!batch.counts.empty()) all.push_back({std::string{kMoveCounts}, count_params(batch)});
    if (!batch.sent.empty()) all.push_back({std::string{kMoveMonths}, month_params(batch)});
    if (!batch.warmups.empty()) all.push_back({std::string{kMoveWarmups}, warmup_params(batch)});
    if (!batch.new_late_finals.empty()) {
        db::Params params = message_params(batch.new_late_finals);
        params.add(now);
        all.push_back({"insert into analytics.late_finals (tenant_id, batch_id, idx, at)"
                       " select m.*, $4::timestamptz from unnest($1::uuid[], $2::uuid[], $3::integer[]) as m"
                       " on conflict do nothing",
                       std::move(params)});
    }
    // Behind the events, whose clock lets one ledger at a time come here.
    std::vector<UnknownReply> unknown = unknown_among(batch.kept, now);
    if (!unknown.empty()) all.push_back(count_unknown(std::move(unknown), now));
    all.push_back({"update analytics.ledger_positions set position = $2, updated = $3 where pool = $1",
                   db::Params{pool, after, now}});
    const Result<std::vector<db::Rows>> written = co_await tx.query_all(std::move(all));
    if (!written) co_return std::unexpected{written.error()};
    co_return batch.dropped;
}

// Ids that are none come first.
queue::StreamPosition stream_id(std::string_view text)
{
    return queue::StreamPosition::parse(text).value_or(queue::StreamPosition{});
}

} // namespace

Ledger::Ledger(db::Database& database, queue::SendQueue& queue, PoolName pool, Registry& metrics)
    : database_{database},
      queue_{queue},
      pool_{std::move(pool)},
      events_{
          metrics.counter("penguin_ledger_events_total", "Events written to the ledger", {{"pool", pool_.value()}})},
      dropped_{
          metrics.counter("penguin_ledger_repeated_total", "Events that were told twice", {{"pool", pool_.value()}})},
      suppressions_{metrics.counter("penguin_ledger_suppressions_total", "Addresses suppressed by an outcome",
                                    {{"pool", pool_.value()}})},
      failures_{metrics.counter("penguin_ledger_failures_total", "Steps that ended with an error",
                                {{"pool", pool_.value()}})},
      seconds_{metrics.histogram("penguin_ledger_step_seconds", "One step of the ledger with events",
                                 latency_bounds_seconds(), {{"pool", pool_.value()}})},
      accept_to_delivered_{metrics.histogram("penguin_accept_to_delivered_seconds",
                                             "From the acceptance of a batch to the server's 250",
                                             latency_bounds_seconds(), {{"pool", pool_.value()}})}
{
}

awaitable<void> Ledger::run()
{
    std::chrono::milliseconds backoff{0};
    while (!stopped_) {
        const Result<Step> done = co_await step(wall_now());
        if (!done) {
            if (backoff == std::chrono::milliseconds{0})
                log::warning("ledger", "step_failed", {{"pool", pool_.value()}, {"why", done.error().detail}});
            failures_.add();
            position_.reset();
            backoff = std::clamp(backoff * 2, kPauseMin, kPauseMax);
            co_await sleep_for(backoff);
            continue;
        }
        backoff = {};
        if (!done->ours)
            co_await sleep_for(kLockPause);
        else if (done->events == 0)
            co_await sleep_for(kIdlePause);
        else if (done->events < kGatherEvents)
            co_await sleep_for(kGatherPause);
    }
}

awaitable<Result<Ledger::Step>> Ledger::step(WallTime now)
{
    const Result<bool> ours = co_await queue_.hold_ledger_lock();
    if (!ours) co_return std::unexpected{ours.error()};
    if (!*ours) {
        position_.reset();
        co_return Step{false, 0};
    }
    // After a new connection it may be another Redis, which lacks our last confirmations.
    if (queue_.generation() != generation_) position_.reset();
    if (!position_) {
        const Result<> opened = co_await open(now);
        if (!opened) co_return std::unexpected{opened.error()};
    }
    if (!partitions_made_ || now - *partitions_made_ > kPartitionsEvery) {
        // Without one its events go to the default partition, so mail is not held up.
        const Result<> added = co_await add_partitions(now);
        if (!added) log::warning("ledger", "no_partition", {{"why", added.error().detail}});
        partitions_made_ = now;
    }
    if (now - counted_ >= kCountEvery || now < counted_) { // what the last step committed is confirmed by now
        counted_ = now;
        const Result<std::size_t> counted = co_await count_months(database_.analytics, queue_, pool_, *position_, now);
        if (!counted) co_return std::unexpected{counted.error()};
    }
    const Result<queue::SendQueue::StreamEvents> read = co_await queue_.read_events(*position_, kEntriesAStep);
    if (!read) co_return std::unexpected{read.error()};
    if (read->position == *position_) co_return Step{};
    const SteadyTime start = std::chrono::steady_clock::now();

    crash_point("ledger.suppress.before");
    const Result<> suppressed = co_await suppress(read->events, now);
    if (!suppressed) co_return std::unexpected{suppressed.error()};
    crash_point("ledger.suppress.after");
    crash_point("ledger.commit.before");
    const Result<> committed = co_await commit(read->events, read->position, now);
    if (!committed) co_return std::unexpected{committed.error()};
    crash_point("ledger.commit.after");
    crash_point("ledger.confirm.before");
    const Result<> confirmed = co_await confirm(read->events, read->position);
    if (!confirmed) co_return std::unexpected{confirmed.error()};
    crash_point("ledger.confirm.after");

    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    seconds_.observe(took.count());
    co_return Step{true, read->events.size()};
}

awaitable<Result<>> Ledger::open(WallTime now)
{
    generation_ = queue_.generation();
    const auto read = [&](db::Transaction& tx) -> awaitable<Result<std::string>> {
        const Result<db::Rows> made = co_await tx.query("insert into analytics.ledger_positions (pool, position, "
                                                        "updated) values ($1, '', $2) on conflict do nothing",
                                                        db::Params{pool_, now});
        if (!made) co_return std::unexpected{made.error()};
        const Result<db::Rows> row =
            co_await tx.query("select position from analytics.ledger_positions where pool = $1", db::Params{pool_});
        if (!row) co_return std::unexpected{row.error()};
        co_return row->front().get<std::string>("position");
    };
    Result<std::string> position = co_await db::as_platform(database_.analytics, read);
    if (!position) co_return std::unexpected{position.error()};
    const auto current = co_await database_is_current(database_.analytics, queue_, pool_);
    if (!current) co_return std::unexpected{current.error()};
    position_ = std::move(*position);
    Result<> confirmed = co_await confirm_again();
    if (!confirmed) position_.reset();
    co_return confirmed;
}

// A crash between commit and confirmation, or a Redis that fell back behind it, leaves entries in the stream that are committed,
// and the bits of their messages set. Of a crash at most those of one step; read one by one, since only the last of several
// tells its position.
awaitable<Result<>> Ledger::confirm_again()
{
    if (position_->empty()) co_return Result<>{};
    std::string at;
    std::vector<queue::Event> events;
    bool found = false;
    while (true) {
        Result<queue::SendQueue::StreamEvents> one = co_await queue_.read_events(at, 1);
        if (!one) co_return std::unexpected{one.error()};
        if (one->position == at || stream_id(one->position) > stream_id(*position_)) break;
        at = one->position;
        found = true;
        std::ranges::move(one->events, std::back_inserter(events));
    }
    if (!found) co_return Result<>{};
    Result<> confirmed = co_await confirm(events, *position_);
    co_return confirmed;
}

awaitable<Result<>> Ledger::add_partitions(WallTime now)
{
    const std::string day = day_text(now);
    for (int ahead = 0; ahead <= kDaysAhead; ++ahead) {
        const auto add = [&](db::Transaction& tx) {
            return tx.query("select analytics.add_event_partition($1::date + $2::integer)", db::Params{day, ahead});
        };
        const Result<db::Rows> added = co_await db::as_platform(database_.analytics, add);
        if (!added) co_return std::unexpected{added.error()};
    }
    const auto forget = [now](db::Transaction& tx) -> awaitable<Result<db::Rows>> {
        db::Statement old = forget_old_unknown(now);
        co_return co_await tx.query(std::move(old.sql), std::move(old.params));
    };
    const Result<db::Rows> forgotten = co_await db::as_platform(database_.analytics, forget);
    if (!forgotten) co_return std::unexpected{forgotten.error()};
    co_return Result<>{};
}

awaitable<Result<>> Ledger::suppress(const std::vector<queue::Event>& events, WallTime now)
{
    std::vector<db::NewSuppression> all;
    for (const queue::Event& event : events) {
        if (!event.suppress || event.kind != queue::EventKind::bounced) continue;
        const Result<EmailAddress> address = EmailAddress::parse(event.recipient);
        if (!address) continue; // it was never a mailbox that mail could go to
        all.push_back({event.tenant, address->folded(), clean_text(event.klass), clean_text(event.id)});
    }
    if (all.empty()) co_return Result<>{};
    const auto add = [&](db::Transaction& tx) { return db::add_suppressions(tx, all, now); };
    const Result<std::size_t> added = co_await db::as_platform(database_.control, add);
    if (!added) co_return std::unexpected{added.error()};
    suppressions_.add(*added);
    co_return Result<>{};
}

awaitable<Result<>> Ledger::commit(const std::vector<queue::Event>& events, std::string position, WallTime now)
{
    const auto work = [&](db::Transaction& tx) { return write(tx, pool_, *position_, position, events, now); };
    const Result<std::size_t> dropped = co_await db::as_platform(database_.analytics, work);
    if (!dropped) co_return std::unexpected{dropped.error()};
    position_ = position;
    events_.add(events.size() - *dropped);
    dropped_.add(*dropped);
    for (const queue::Event& event : events)
        if (event.kind == queue::EventKind::delivered)
            accept_to_delivered_.observe(static_cast<double>(event.latency_ms) / 1000);
    co_return Result<>{};
}

awaitable<Result<>> Ledger::confirm(const std::vector<queue::Event>& events, std::string position)
{
    std::vector<MessageId> finals;
    for (const queue::Event& event : events)
        if (is_final(event.kind)) finals.push_back(event.message);
    Result<> confirmed = co_await queue_.confirm_events(position, finals);
    co_return confirmed;
}

} // namespace penguin::control::ledger
