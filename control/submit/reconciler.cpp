#include "control/submit/reconciler.h"

#include <algorithm>
#include <map>

#include "control/db/tenancy.h"
#include "control/ledger/database_age.h"
#include "control/submit/batch_entries.h"
#include "control/submit/recipients.h"
#include "engine/base/crash_point.h"
#include "engine/base/log.h"

namespace penguin::control::submit {

struct Reconciler::Batch {
    TenantId tenant;
    BatchId id;
    std::uint32_t enqueued = 0; // messages that the pump has given to the queue
    std::uint32_t chunk = 0;    // messages of a chunk
    bool cancelled = false;
};

namespace {

constexpr std::string_view kPage = R"(
select tenant_id, id, enqueued, chunk_size, state in ('cancelling', 'cancelled') as cancelled from queue.batches
where pool = $1 and (tenant_id, id) > ($2, $3) and created > now() - make_interval(days => $4)
  and created >= coalesce($6::timestamptz, '-infinity')
order by tenant_id, id limit $5)";

constexpr std::string_view kEnded = R"(
select c.batch_id, c.delivered + c.bounced + c.expired + c.suppressed + c.cancelled as ended
from unnest($1::uuid[], $2::uuid[]) as b(tenant_id, id)
join analytics.batch_counts c on c.tenant_id = b.tenant_id and c.batch_id = b.id)";

constexpr std::string_view kStories = R"(
select e.batch_id, e.idx, bool_or(e.kind <> 'deferred') as ended, max(e.attempt) as attempt, max(e.next) as next
from unnest($1::uuid[], $2::uuid[], $3::integer[], $4::integer[]) as p(tenant_id, batch_id, first, count)
join analytics.events e
  on e.tenant_id = p.tenant_id and e.batch_id = p.batch_id and e.idx >= p.first and e.idx < p.first + p.count
group by e.batch_id, e.idx)";

constexpr std::string_view kChunks = R"(
select q.tenant_id, q.id, q.content_id, q.campaign_id, q.mailbox_id, q.sender, q.prio, q.not_before, q.expires, q.created,
       p.first, q.recipients[p.first / q.chunk_size + 1] as chunk
from unnest($1::uuid[], $2::uuid[], $3::integer[]) as p(tenant_id, batch_id, first)
join queue.batches q on q.tenant_id = p.tenant_id and q.id = p.batch_id)";

// What the ledger knows of a message.
struct Story {
    bool ended = false;
    unsigned attempt = 0;
    std::optional<WallTime> next;
};
using Stories = std::map<MessageId, Story>;

awaitable<Result<Stories>> stories_of(db::PgPool& analytics, db::Params pieces)
{
    const auto ask = [&](db::Transaction& tx) { return tx.query(std::string{kStories}, std::move(pieces)); };
    const Result<db::Rows> rows = co_await db::as_platform(analytics, ask);
    if (!rows) co_return std::unexpected{rows.error()};
    Stories stories;
    for (const db::Row row : *rows)
        stories[{row.get<BatchId>("batch_id"), row.get<std::uint32_t>("idx")}] = {
            row.get<bool>("ended"), row.get<unsigned>("attempt"), row.get<std::optional<WallTime>>("next")};
    co_return stories;
}

} // namespace

// Messages of one chunk, some of which have their bit clear.
struct Reconciler::Piece {
    TenantId tenant;
    BatchId batch;
    std::uint32_t first = 0;
    std::uint32_t count = 0;
    bool cancelled = false;
    std::vector<bool> live;

    // Those of its entries in the row that are nowhere: not live, not ended; with attempts and next time from their story.
    void add_lost(const db::Row& row, const Stories& stories, std::vector<queue::Entry>& lost) const;
};

Reconciler::Reconciler(db::Database& database, queue::SendQueue& queue, std::function<void()> on_enqueued,
                       Options options, Registry& metrics)
    : database_{database},
      queue_{queue},
      on_enqueued_{std::move(on_enqueued)},
      options_{std::move(options)},
      queued_{metrics.counter("penguin_reconciler_queued_total",
                              "Messages that Redis had lost and that are queued again",
                              {{"pool", options_.pool.value()}})},
      runs_{metrics.counter("penguin_reconciler_runs_total", "Reconciliations of batches, events and Redis",
                            {{"pool", options_.pool.value()}})}
{
}

awaitable<void> Reconciler::run()
{
    bool more = true;
    std::string problem;
    while (more && !stopped_) {
        const Result<> looked = co_await look(std::chrono::steady_clock::now());
        if (!looked && looked.error().detail != problem)
            log::warning("submit", "not_reconciled", {{"pool", options_.pool.value()}, {"why", looked.error().detail}});
        problem = looked ? "" : looked.error().detail;
        more = co_await sleep_for(kLookEvery);
    }
}

// Whether all that nodes hold is in Redis again. Once the losses of an epoch are queued again it stays so.
awaitable<Result<Reconciler::Moment>> Reconciler::moment(SteadyTime now)
{
    Result<queue::Epoch> epoch = co_await queue_.epoch();
    if (!epoch) co_return std::unexpected{epoch.error()};
    if (epoch->id != epoch_) {
        epoch_ = epoch->id;
        epoch_seen_ = now;
    }
    const bool old_enough = epoch->reconciled || now - epoch_seen_ >= options_.wait;
    co_return Moment{.epoch = *epoch, .may_reconcile = epoch->whole() && old_enough};
}

awaitable<Result<>> Reconciler::look(SteadyTime now)
{
    const Result<Moment> at = co_await moment(now);
    if (!at) co_return std::unexpected{at.error()};
    if (!at->may_reconcile || at->epoch.reconciled) co_return Result<>{};
    const Result<bool> ours = co_await queue_.hold_reconciler_lock();
    if (!ours) co_return std::unexpected{ours.error()};
    if (!*ours) co_return Result<>{};
    const Result<Reconciled> done = co_await reconcile_in(at->epoch);
    if (!done) co_return std::unexpected{done.error()};
    co_return co_await queue_.set_reconciled(at->epoch.id);
}

awaitable<Result<Reconciled>> Reconciler::reconcile(SteadyTime now)
{
    const Result<Moment> at = co_await moment(now);
    if (!at) co_return std::unexpected{at.error()};
    if (!at->may_reconcile)
        co_return fail(Errc::unavailable, "Redis may have lost data, and what the nodes hold is not known yet");
    co_return co_await reconcile_in(at->epoch);
}

awaitable<Result<Reconciled>> Reconciler::reconcile_in(const queue::Epoch& epoch)
{
    runs_.add();
    const Result<std::optional<WallTime>> current =
        co_await ledger::database_is_current(database_.analytics, queue_, options_.pool);
    if (!current) co_return std::unexpected{current.error()};
    Reconciled report;
    Batch last;
    for (std::size_t page = kPageBatches; page == kPageBatches;) {
        const std::size_t before = report.batches;
        const Result<std::vector<Batch>> batches = co_await unfinished_of_page(*current, last, report.batches);
        if (!batches) co_return std::unexpected{batches.error()};
        page = report.batches - before;
        report.unfinished += batches->size();
        const Result<std::size_t> queued = co_await queue_lost(epoch, *batches);
        if (!queued) co_return std::unexpected{queued.error()};
        report.queued += *queued;
    }
    log::info("submit", "reconciled",
              {{"pool", options_.pool.value()},
               {"batches", report.batches},
               {"unfinished", report.unfinished},
               {"queued", report.queued}});
    co_return report;
}

awaitable<Result<std::vector<Reconciler::Batch>>> Reconciler::unfinished_of_page(std::optional<WallTime> since,
                                                                                 Batch& last, std::size_t& batches)
{
    const auto page = [&](db::Transaction& tx) {
        return tx.query(std::string{kPage},
                        db::Params{options_.pool, last.tenant, last.id, kLookBackDays, kPageBatches, since});
    };
    const Result<db::Rows> rows = co_await db::as_platform(database_.queue, page);
    if (!rows) co_return std::unexpected{rows.error()};
    std::vector<Batch> all;
    std::vector<TenantId> tenants;
    std::vector<BatchId> ids;
    for (const db::Row row : *rows) {
        all.push_back({row.get<TenantId>("tenant_id"), row.get<BatchId>("id"), row.get<std::uint32_t>("enqueued"),
                       row.get<std::uint32_t>("chunk_size"), row.get<bool>("cancelled")});
        tenants.push_back(all.back().tenant);
        ids.push_back(all.back().id);
    }
    batches += all.size();
    if (all.empty()) co_return all;
    last = all.back();
    const auto counts = [&](db::Transaction& tx) { return tx.query(std::string{kEnded}, db::Params{tenants, ids}); };
    const Result<db::Rows> counted = co_await db::as_platform(database_.analytics, counts);
    if (!counted) co_return std::unexpected{counted.error()};
    std::map<BatchId, std::uint32_t> ended;
    for (const db::Row row : *counted) ended[row.get<BatchId>("batch_id")] = row.get<std::uint32_t>("ended");
    std::erase_if(all, [&](const Batch& batch) { return ended[batch.id] >= batch.enqueued; });
    co_return all;
}

awaitable<Result<std::size_t>> Reconciler::queue_lost(const queue::Epoch& epoch, const std::vector<Batch>& batches)
{
    std::vector<Piece> pieces;
    std::size_t messages = 0;
    std::size_t queued = 0;
    for (const Batch& batch : batches) {
        for (std::uint32_t first = 0; first < batch.enqueued; first += batch.chunk) {
            const std::uint32_t count = std::min(batch.chunk, batch.enqueued - first);
            Result<std::vector<bool>> live = co_await queue_.live(batch.id, first, count);
            if (!live) co_return std::unexpected{live.error()};
            if (std::ranges::all_of(*live, std::identity{})) continue;
            messages += count;
            pieces.push_back({batch.tenant, batch.id, first, count, batch.cancelled, std::move(*live)});
            if (messages < kPieceMessages) continue;
            const Result<std::size_t> some = co_await queue_pieces(epoch, pieces);
            if (!some) co_return some;
            queued += *some;
            pieces.clear();
            messages = 0;
        }
    }
    if (pieces.empty()) co_return queued;
    const Result<std::size_t> some = co_await queue_pieces(epoch, pieces);
    if (!some) co_return some;
    co_return queued + *some;
}

void Reconciler::Piece::add_lost(const db::Row& row, const Stories& stories, std::vector<queue::Entry>& lost) const
{
    Result<std::vector<queue::Entry>> entries = entries_of(row, first, cancelled);
    if (!entries) { // it must not keep the others from being found
        log::error("submit", "batch_unreadable", {{"batch", batch.value().text()}, {"why", entries.error().detail}});
        return;
    }
    for (queue::Entry& entry : *entries) {
        const std::uint32_t place = entry.id.index - first;
        if (place >= count || live[place]) continue; // beyond: the pump has not come to it
        if (const auto story = stories.find(entry.id); story != stories.end()) {
            if (story->second.ended) continue;
            entry.attempt = story->second.attempt;
            entry.not_before = std::max(entry.not_before, story->second.next);
        }
        lost.push_back(std::move(entry));
    }
}

awaitable<Result<std::size_t>> Reconciler::queue_pieces(const queue::Epoch& epoch, const std::vector<Piece>& pieces)
{
    Result<std::vector<queue::Entry>> lost = co_await lost_of(pieces);
    if (!lost) co_return std::unexpected{lost.error()};
    const Result<std::size_t> queued = co_await enqueue(epoch, std::move(*lost));
    if (!queued) co_return queued;
    const Result<> cancelled = co_await cancel(pieces);
    if (!cancelled) co_return std::unexpected{cancelled.error()};
    co_return queued;
}

// The messages of the pieces that are neither in Redis nor ended in the ledger.
awaitable<Result<std::vector<queue::Entry>>> Reconciler::lost_of(const std::vector<Piece>& pieces)
{
    std::vector<TenantId> tenants;
    std::vector<BatchId> batches;
    std::vector<std::uint32_t> firsts;
    std::vector<std::uint32_t> counts;
    std::map<MessageId, const Piece*> by_first;
    for (const Piece& piece : pieces) {
        tenants.push_back(piece.tenant);
        batches.push_back(piece.batch);
        firsts.push_back(piece.first);
        counts.push_back(piece.count);
        by_first[{piece.batch, piece.first}] = &piece;
    }
    const Result<Stories> stories =
        co_await stories_of(database_.analytics, db::Params{tenants, batches, firsts, counts});
    if (!stories) co_return std::unexpected{stories.error()};
    const auto ask = [&](db::Transaction& tx) {
        return tx.query(std::string{kChunks}, db::Params{tenants, batches, firsts});
    };
    const Result<db::Rows> rows = co_await db::as_platform(database_.queue, ask);
    if (!rows) co_return std::unexpected{rows.error()};
    std::vector<queue::Entry> lost;
    for (const db::Row row : *rows)
        by_first.at({row.get<BatchId>("id"), row.get<std::uint32_t>("first")})->add_lost(row, *stories, lost);
    co_return lost;
}

awaitable<Result<std::size_t>> Reconciler::enqueue(const queue::Epoch& epoch, std::vector<queue::Entry> entries)
{
    std::ranges::sort(entries, {}, [](const queue::Entry& one) { return std::pair{one.tenant, one.id}; });
    std::size_t queued = 0;
    for (std::span<const queue::Entry> rest{entries}; !rest.empty();) {
        const auto others =
            std::ranges::find_if(rest, [&](const queue::Entry& one) { return one.tenant != rest.front().tenant; });
        const auto call = rest.first(std::min<std::size_t>(kChunk, static_cast<std::size_t>(others - rest.begin())));
        rest = rest.subspan(call.size());
        crash_point("reconcile.enqueue.before");
        const Result<queue::EnqueueReport> report = co_await queue_.enqueue(call, epoch.id);
        if (!report) co_return std::unexpected{report.error()};
        crash_point("reconcile.enqueue.after");
        queued += report->queued;
    }
    queued_.add(queued);
    if (queued > 0 && on_enqueued_) on_enqueued_();
    co_return queued;
}

// As the pump does: what was cancelled goes through the queue, so that it has its events.
awaitable<Result<>> Reconciler::cancel(const std::vector<Piece>& pieces)
{
    for (const Piece& piece : pieces) {
        if (!piece.cancelled) continue;
        std::vector<MessageId> messages;
        messages.reserve(piece.count);
        for (std::uint32_t i = 0; i < piece.count; ++i) messages.push_back({piece.batch, piece.first + i});
        const Result<std::size_t> cancelled = co_await queue_.cancel(piece.tenant, piece.batch, messages);
        if (!cancelled) co_return std::unexpected{cancelled.error()};
    }
    co_return Result<>{};
}

} // namespace penguin::control::submit
