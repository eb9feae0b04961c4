#include "control/submit/outbox_pump.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "control/db/tenancy.h"
#include "control/ledger/database_age.h"
#include "control/submit/batch_entries.h"
#include "engine/base/crash_point.h"
#include "engine/base/log.h"

namespace penguin::control::submit {

struct OutboxPump::Chunk {
    TenantId tenant;
    BatchId batch;
    std::uint32_t first = 0; // index of its first message
    std::uint32_t count = 0;
    bool maybe_enqueued = false; // claimed before and not recorded
    bool cancelling = false;
    std::vector<queue::Entry> entries;
    enum class State : std::uint8_t { waiting, tried, done, put_off, unreadable } state = State::waiting;

    // Seconds until it may be claimed again, as one that may have been enqueued; kSurelyNot: at once, and it was not.
    static constexpr int kSurelyNot = -1;
    int again_after() const;
};

namespace {

// Tenants by a loose index scan over the unfinished batches, so that a tenant with a million of them costs one look-up;
// then the oldest batches of each, up to a chunk in all. The UPDATE checks again what another node may have claimed
// meanwhile; one that it has moved on and given up by then goes on from there. $1 pool, $2 tenant to go on behind, $3 tenants, $4 messages a tenant, $5 batches a tenant, $6 lease in seconds
constexpr std::string_view kClaim = R"(
with recursive tenants(tenant_id) as (
    (select tenant_id from queue.batches
     where pool = $1 and state in ('accepted', 'cancelling') and tenant_id > $2
       and (claimed_until is null or claimed_until < now())
     order by tenant_id limit 1)
    union all
    select (select b.tenant_id from queue.batches b
            where b.pool = $1 and b.state in ('accepted', 'cancelling') and b.tenant_id > t.tenant_id
              and (b.claimed_until is null or b.claimed_until < now())
            order by b.tenant_id limit 1)
    from tenants t where t.tenant_id is not null
), picked as (
    select turn.* from (select tenant_id from tenants where tenant_id is not null limit $3) t
    cross join lateral (
        select oldest.*, sum(oldest.next) over (order by oldest.id) - oldest.next as before
        from (select b.tenant_id, b.id, b.claimed_until, least(b.total - b.enqueued, b.chunk_size) as next
              from queue.batches b
              where b.pool = $1 and b.state in ('accepted', 'cancelling') and b.tenant_id = t.tenant_id
                and (b.claimed_until is null or b.claimed_until < now())
              order by b.id limit $5) oldest
    ) turn
    where turn.before < $4
)
update queue.batches q set claimed_until = now() + make_interval(secs => $6)
from picked p
where q.tenant_id = p.tenant_id and q.id = p.id and q.state in ('accepted', 'cancelling')
  and q.claimed_until is not distinct from p.claimed_until
returning q.tenant_id, q.id, q.content_id, q.campaign_id, q.mailbox_id, q.sender, q.prio, q.not_before, q.expires,
          q.created, q.enqueued, least(q.total - q.enqueued, q.chunk_size) as next, q.state = 'cancelling' as cancelling,
          p.claimed_until is not null as maybe_enqueued, q.recipients[q.enqueued / q.chunk_size + 1] as chunk)";

// Done chunks move their batch on; the others are given up: null when they were surely not enqueued (`again` below 0). A
// batch that another node moved on meanwhile (our lease ran out) stays as it is.
constexpr std::string_view kRecord = R"(
update queue.batches q
set enqueued = q.enqueued + d.done, claimed_until = case when d.again >= 0 then now() + make_interval(secs => d.again) end,
    state = case when q.enqueued + d.done < q.total then q.state
                 when q.state = 'cancelling' then 'cancelled' else 'enqueued' end
from unnest($1::uuid[], $2::uuid[], $3::integer[], $4::integer[], $5::integer[]) as d(tenant_id, id, first, done, again)
where q.tenant_id = d.tenant_id and q.id = d.id and q.enqueued = d.first and q.state in ('accepted', 'cancelling')
returning q.id, q.state in ('cancelling', 'cancelled') as cancelling)";

constexpr std::string_view kFinals = "select distinct idx from analytics.events where tenant_id = $1 and batch_id = $2"
                                     " and idx >= $3 and idx < $4 and kind <> 'deferred'";

} // namespace

int OutboxPump::Chunk::again_after() const
{
    switch (state) {
    case State::waiting: return maybe_enqueued ? 0 : kSurelyNot;
    case State::tried: return 0; // a failed call may have enqueued all the same, or a part of it
    case State::put_off: return static_cast<int>(kPutOff.count());
    case State::done:
    case State::unreadable: break;
    }
    return kSurelyNot;
}

OutboxPump::OutboxPump(db::Database& database, queue::SendQueue& queue, KeepContent keep_content,
                       std::function<void()> on_enqueued, Options options, Registry& metrics)
    : database_{database},
      queue_{queue},
      keep_content_{std::move(keep_content)},
      on_enqueued_{std::move(on_enqueued)},
      options_{std::move(options)},
      enqueued_{metrics.counter("penguin_pump_enqueued_total", "Messages put into the queue",
                                {{"pool", options_.pool.value()}})},
      skipped_{metrics.counter("penguin_pump_skipped_total", "Messages of a repeated chunk that were queued already",
                               {{"pool", options_.pool.value()}})},
      repeated_{metrics.counter("penguin_pump_repeated_chunks_total", "Chunks that may have been enqueued before",
                                {{"pool", options_.pool.value()}})},
      failed_{metrics.counter("penguin_pump_failures_total", "Turns that ended with an error",
                              {{"pool", options_.pool.value()}})}
{
}

awaitable<Result<std::vector<OutboxPump::Chunk>>> OutboxPump::claim()
{
    const auto ask = [&](db::Transaction& tx) {
        const std::chrono::duration<double> lease = options_.lease;
        return tx.query(std::string{kClaim},
                        db::Params{options_.pool, behind_, kTenantsATurn, kChunk, kBatchesATenant, lease.count()});
    };
    const Result<db::Rows> rows = co_await db::as_platform(database_.queue, ask);
    if (!rows) co_return std::unexpected{rows.error()};
    std::vector<Chunk> chunks;
    for (const db::Row row : *rows) {
        Chunk chunk;
        chunk.tenant = row.get<TenantId>("tenant_id");
        chunk.batch = row.get<BatchId>("id");
        chunk.first = row.get<std::uint32_t>("enqueued");
        chunk.count = row.get<std::uint32_t>("next");
        chunk.maybe_enqueued = row.get<bool>("maybe_enqueued");
        chunk.cancelling = row.get<bool>("cancelling");
        Result<std::vector<queue::Entry>> entries = entries_of(row, chunk.first, chunk.cancelling);
        if (entries && entries->size() != chunk.count)
            entries = fail(Errc::malformed, "recipients of a batch: not as many as it says");
        if (entries)
            chunk.entries = std::move(*entries);
        else {
            // Stays claimed, so that it is not tried again before the lease ends.
            chunk.state = Chunk::State::unreadable;
            log::error("submit", "batch_unreadable",
                       {{"batch", chunk.batch.value().text()}, {"why", entries.error().detail}});
        }
        chunks.push_back(std::move(chunk));
    }
    std::ranges::sort(chunks, {}, [](const Chunk& one) { return std::pair{one.tenant, one.batch}; });
    co_return chunks;
}

// Until the reconciler has put this epoch of Redis right, a clear bit may be of a message that a node holds.
awaitable<Result<>> OutboxPump::put_off_repeats(std::vector<Chunk>& chunks)
{
    const auto repeated = [](const Chunk& one) { return one.maybe_enqueued; };
    if (std::ranges::none_of(chunks, repeated)) co_return Result<>{};
    const Result<queue::Epoch> epoch = co_await queue_.epoch();
    if (!epoch) co_return std::unexpected{epoch.error()};
    epoch_ = epoch->id;
    if (epoch->whole() && epoch->reconciled) co_return Result<>{};
    for (Chunk& chunk : chunks)
        if (repeated(chunk) && chunk.state == Chunk::State::waiting) chunk.state = Chunk::State::put_off;
    co_return Result<>{};
}

// The reconciler's rule. In this order: the ledger writes a final event before it clears the bit.
awaitable<Result<std::vector<queue::Entry>>> OutboxPump::still_to_enqueue(const Chunk& chunk,
                                                                          std::vector<queue::Entry> entries)
{
    const Result<std::vector<bool>> live = co_await queue_.live(chunk.batch, chunk.first, chunk.count);
    if (!live) co_return std::unexpected{live.error()};
    const auto ask = [&](db::Transaction& tx) {
        return tx.query(std::string{kFinals},
                        db::Params{chunk.tenant, chunk.batch, chunk.first, chunk.first + chunk.count});
    };
    const Result<db::Rows> rows = co_await db::as_platform(database_.analytics, ask);
    if (!rows) co_return std::unexpected{rows.error()};
    std::set<std::uint32_t> ended;
    for (const db::Row row : *rows) ended.insert(row.get<std::uint32_t>("idx"));
    std::erase_if(entries, [&](const queue::Entry& entry) {
        return (*live)[entry.id.index - chunk.first] || ended.contains(entry.id.index);
    });
    skipped_.add(chunk.count - entries.size());
    co_return entries;
}

// Of one tenant, as all entries of a call are.
awaitable<void> OutboxPump::keep_shared_contents(std::span<const queue::Entry> entries)
{
    if (!keep_content_ || entries.size() < kShared) co_return;
    std::map<std::string_view, std::size_t> users;
    for (const queue::Entry& entry : entries) ++users[entry.content];
    for (const auto& [content, count] : users)
        if (count >= kShared) co_await keep_content_(entries.front().tenant, ContentId{std::string{content}});
}

// One chunk, or several of a tenant that need nothing but the call.
awaitable<Result<>> OutboxPump::enqueue(std::span<Chunk* const> call)
{
    std::vector<queue::Entry> entries;
    for (Chunk* one : call) {
        one->state = Chunk::State::tried;
        std::ranges::move(one->entries, std::back_inserter(entries));
    }
    const Chunk& chunk = *call.front();
    if (chunk.maybe_enqueued) {
        repeated_.add();
        Result<std::vector<queue::Entry>> rest = co_await still_to_enqueue(chunk, std::move(entries));
        if (!rest) co_return std::unexpected{rest.error()};
        entries = std::move(*rest);
    }
    co_await keep_shared_contents(entries);
    // Behind its lease another node may enqueue the chunk, have it sent and confirmed, and no bit would tell.
    if (std::chrono::steady_clock::now() - claimed_at_ > options_.turn_max)
        co_return fail(Errc::timeout, "the turn took too long to enqueue under its claim");
    crash_point("pump.chunk.before");
    if (!entries.empty()) {
        const Result<queue::EnqueueReport> report =
            co_await queue_.enqueue(entries, chunk.maybe_enqueued ? epoch_ : "");
        if (!report) co_return std::unexpected{report.error()};
        enqueued_.add(report->queued);
        skipped_.add(report->skipped);
    }
    crash_point("pump.chunk.after");
    if (!chunk.cancelling) co_return Result<>{};
    // What was not enqueued before lies in `due` alone.
    Result<> cancelled = co_await cancel(chunk, !chunk.maybe_enqueued);
    co_return cancelled;
}

awaitable<Result<>> OutboxPump::cancel(const Chunk& chunk, bool only_due)
{
    std::vector<MessageId> messages;
    messages.reserve(chunk.count);
    for (std::uint32_t i = 0; i < chunk.count; ++i) messages.push_back({chunk.batch, chunk.first + i});
    const Result<std::size_t> cancelled = only_due ? co_await queue_.cancel_due(chunk.tenant, chunk.batch, messages)
                                                   : co_await queue_.cancel(chunk.tenant, chunk.batch, messages);
    if (!cancelled) co_return std::unexpected{cancelled.error()};
    co_return Result<>{};
}

awaitable<Result<>> OutboxPump::record(std::vector<Chunk>& chunks)
{
    std::vector<TenantId> tenants;
    std::vector<BatchId> batches;
    std::vector<std::uint32_t> first;
    std::vector<std::uint32_t> done;
    std::vector<int> again;
    for (const Chunk& chunk : chunks) {
        if (chunk.state == Chunk::State::unreadable) continue;
        tenants.push_back(chunk.tenant);
        batches.push_back(chunk.batch);
        first.push_back(chunk.first);
        done.push_back(chunk.state == Chunk::State::done ? chunk.count : 0);
        again.push_back(chunk.again_after());
    }
    const auto write = [&](db::Transaction& tx) {
        return tx.query(std::string{kRecord}, db::Params{tenants, batches, first, done, again});
    };
    crash_point("pump.record.before");
    const Result<db::Rows> rows = co_await db::as_platform(database_.queue, write);
    if (!rows) co_return std::unexpected{rows.error()};
    crash_point("pump.record.after");
    // Cancelled while the chunk was on its way.
    std::set<BatchId> cancelling;
    for (const db::Row row : *rows)
        if (row.get<bool>("cancelling")) cancelling.insert(row.get<BatchId>("id"));
    for (const Chunk& chunk : chunks) {
        if (chunk.cancelling || chunk.state != Chunk::State::done || !cancelling.contains(chunk.batch)) continue;
        const Result<> cancelled = co_await cancel(chunk, false);
        if (!cancelled) co_return cancelled;
    }
    co_return Result<>{};
}

// How many of these chunks go in one script call: at least one.
std::size_t OutboxPump::length_of_call(std::span<Chunk* const> chunks)
{
    const auto plain = [](const Chunk* one) { return !one->maybe_enqueued && !one->cancelling; };
    const Chunk* first = chunks.front();
    std::size_t messages = first->count;
    std::size_t length = 1;
    for (; plain(first) && length < chunks.size(); ++length) {
        const Chunk* next = chunks[length];
        messages += next->count;
        if (next->tenant != first->tenant || !plain(next) || messages > kChunk) break;
    }
    return length;
}

awaitable<Result<std::size_t>> OutboxPump::turn()
{
    if (!age_known_) {
        const auto fine = co_await ledger::database_is_current(database_.analytics, queue_, options_.pool);
        if (!fine) co_return std::unexpected{fine.error()};
        const Result<> open =
            co_await queue_.may_enqueue(); // else each turn would claim chunks that other nodes can bring on
        if (!open) co_return std::unexpected{open.error()};
        age_known_ = true;
    }
    claimed_at_ = std::chrono::steady_clock::now();
    Result<std::vector<Chunk>> chunks = co_await claim();
    if (!chunks) co_return std::unexpected{chunks.error()};
    if (chunks->empty()) {
        if (behind_ == TenantId{}) co_return std::size_t{0};
        behind_ = TenantId{}; // from the first tenant again
        chunks = co_await claim();
        if (!chunks) co_return std::unexpected{chunks.error()};
        if (chunks->empty()) co_return std::size_t{0};
    }
    crash_point("pump.claim.after");
    const Result<> sorted = co_await put_off_repeats(*chunks);
    std::size_t done = 0;
    std::optional<Error> failure;
    if (!sorted) failure = sorted.error();
    std::vector<Chunk*> ready;
    for (Chunk& chunk : *chunks)
        if (chunk.state == Chunk::State::waiting) ready.push_back(&chunk);
    for (std::span<Chunk* const> rest{ready}; !rest.empty() && !failure;) {
        const std::span<Chunk* const> call = rest.first(length_of_call(rest));
        const Result<> enqueued = co_await enqueue(call);
        if (!enqueued) {
            failure = enqueued.error(); // the rest would fail alike, each after its deadline
            break;
        }
        for (Chunk* chunk : call) {
            chunk->state = Chunk::State::done;
            done += chunk->count;
        }
        rest = rest.subspan(call.size());
    }
    behind_ = chunks->back().tenant;
    const Result<> recorded = co_await record(*chunks);
    if (done > 0 && on_enqueued_) on_enqueued_();
    if (!recorded) co_return std::unexpected{recorded.error()};
    if (failure) co_return std::unexpected{*failure};
    co_return done;
}

awaitable<void> OutboxPump::pause(Duration time)
{
    if (woken_ || stopped_) {
        woken_ = false;
        co_return;
    }
    asio::steady_timer timer{co_await asio::this_coro::executor, time};
    struct Here { // also when the coroutine is cancelled
        OutboxPump* pump;
        ~Here() { pump->sleeping_ = nullptr; }
    } const here{this};
    sleeping_ = &timer;
    co_await timer.async_wait(use_result);
    woken_ = false;
}

awaitable<void> OutboxPump::run()
{
    std::chrono::milliseconds backoff{0};
    while (!stopped_) {
        const Result<std::size_t> done = co_await turn();
        if (done) {
            backoff = {};
            if (*done == 0) co_await pause(kIdlePause);
            continue;
        }
        if (backoff == std::chrono::milliseconds{0})
            log::warning("submit", "pump_failed", {{"why", done.error().detail}});
        failed_.add();
        age_known_ = false; // what comes back may be an older database
        backoff = std::clamp(backoff * 2, kPauseMin, kPauseMax);
        woken_ = false; // new batches are no reason to ask a store that is away
        co_await pause(backoff);
    }
}

void OutboxPump::wake()
{
    woken_ = true;
    if (sleeping_ != nullptr) sleeping_->cancel();
}

void OutboxPump::stop()
{
    stopped_ = true;
    wake();
}

} // namespace penguin::control::submit
