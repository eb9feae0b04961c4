// control/submit/outbox_pump.h
// Takes accepted batches from PostgreSQL to a pool's queue in Redis (DESIGN 4.3), chunk by chunk, fair over tenants: each
// turn goes on behind the tenant where the last one ended, and gives a tenant at most kChunk messages, oldest batch first.
//
//   claim      a chunk is claimed in its batch's row for Options::lease, so several nodes pump side by side
//   repeat     a chunk that was claimed and never recorded may have been enqueued. Then a message goes only when its bit is
//              clear and, read after that, the ledger has no final event of it: nothing is repeated, nothing skipped. When
//              Redis may have lost data, bits tell so only once the reconciler has put them right: until then it is put off
//   small      chunks of a tenant that are neither repeated nor cancelled go in one script call, up to kChunk messages
//   contents   what kShared messages of a call or more name goes to `keep_content` first, so that they do not need PostgreSQL
//              when they are sent; that never fails a turn
//   cancelled  what of a cancelled batch is not enqueued yet still goes through the queue, so that its events are told and
//              the counts close; see cancellation.h
//   restored   a database that is behind what its ledger has told Redis would have mail sent again: nothing is done (ledger/database_age.h)
//   faults     Redis full, away or spoken to in another version of its contract, PostgreSQL away: the turn ends, the next one
//              comes after a pause of kPauseMin doubling to kPauseMax, and claims nothing before Redis takes messages again
//   threads    belongs to the control executor, as do its database and its SendQueue
//   crash points  pump.claim.after, pump.chunk.before/after (the script call), pump.record.before/after
#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "control/db/database.h"
#include "control/submit/recipients.h"
#include "engine/base/metrics.h"
#include "engine/queue/send_queue.h"

namespace penguin::control::submit {

inline constexpr std::size_t kTenantsATurn = 8;
inline constexpr std::size_t kBatchesATenant = kChunk;      // small ones that share a turn, and its calls
inline constexpr std::size_t kShared = 20;                  // messages of a call that name one content
inline constexpr std::chrono::seconds kPutOff{5};           // a repeated chunk whose bits do not tell yet
inline constexpr std::chrono::milliseconds kIdlePause{200}; // without a wake
inline constexpr std::chrono::milliseconds kPauseMin{100};
inline constexpr std::chrono::milliseconds kPauseMax{5'000};

class OutboxPump {
public:
    struct Options {
        PoolName pool{"default"};
        std::chrono::seconds lease{30};    // longer than a turn takes
        std::chrono::seconds turn_max{15}; // after its claim a turn enqueues no longer than this
    };
    using KeepContent = std::function<awaitable<void>(TenantId, ContentId)>;
    // `database` as pm_worker. `keep_content` may be empty. `on_enqueued` is called after each turn that enqueued something: the engine claims at once.
    OutboxPump(db::Database& database, queue::SendQueue& queue, KeepContent keep_content,
               std::function<void()> on_enqueued, Options options, Registry& metrics);

    // Turns until stop() or the coroutine is cancelled.
    awaitable<void> run();
    // One turn; gives how many messages it took care of, 0 when there is no work. For run() and tests.
    awaitable<Result<std::size_t>> turn();
    void wake();
    void stop();

private:
    struct Chunk;
    awaitable<Result<std::vector<Chunk>>> claim();
    awaitable<Result<>> enqueue(std::span<Chunk* const> call);
    awaitable<Result<std::vector<queue::Entry>>> still_to_enqueue(const Chunk& chunk,
                                                                  std::vector<queue::Entry> entries);
    awaitable<void> keep_shared_contents(std::span<const queue::Entry> entries);
    awaitable<Result<>> put_off_repeats(std::vector<Chunk>& chunks);
    static std::size_t length_of_call(std::span<Chunk* const> chunks);
    awaitable<Result<>> record(std::vector<Chunk>& chunks);
    awaitable<Result<>> cancel(const Chunk& chunk, bool only_due);
    awaitable<void> pause(Duration time);

    db::Database& database_;
    queue::SendQueue& queue_;
    KeepContent keep_content_;
    std::function<void()> on_enqueued_;
    Options options_;
    TenantId behind_;         // where the last turn ended
    SteadyTime claimed_at_{}; // of this turn's chunks, or before
    bool age_known_ = false;  // that this database is not one restored from a backup, and that Redis takes messages
    std::string epoch_;       // in which bits tell what is queued, when a turn asked
    bool stopped_ = false;
    bool woken_ = false;
    asio::steady_timer* sleeping_ = nullptr;
    Counter& enqueued_;
    Counter& skipped_;
    Counter& repeated_;
    Counter& failed_;
};

} // namespace penguin::control::submit
