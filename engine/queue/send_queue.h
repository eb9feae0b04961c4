// engine/queue/send_queue.h
// One pool's queue in Redis (contract: engine/queue/README.md). Every call is one script, so it happens whole or not.
//
//   threads   belongs to one io_context, as its RedisConnection does
//   deadline  each call has Options::call_deadline
//   errors    unavailable, timeout (Redis away: the call may have happened; the hand tells, see `hand`),
//             full (memory bound of Redis: enqueue only), stale (another incarnation has our name),
//             refused (Redis is configured so that it may lose mail; a live node speaks another version of the contract: join),
//             unavailable (such a node lives: enqueue, cancel and the locks of ledger and reconciler)
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/base/asio.h"
#include "engine/queue/redis_connection.h"
#include "engine/queue/settlement.h"
#include "engine/queue/stream_position.h"
#include "engine/queue/tenant_limits.h"
#include "engine/queue/warmup_count.h"

namespace penguin::queue {

inline constexpr int kContractVersion = 1; // engine/queue/README.md

struct Claimed {
    Token token;
    Entry entry;
};

struct ClaimRequest {
    std::size_t max = 100;       // entries
    std::size_t ready_max = 100; // of them from ready lists, whose places are not known yet
    std::size_t per_tenant = 10; // entries of one tenant at weight 1
    std::size_t per_place = 50; // entries from one parking place (provider or site), in each of the two looks of a call
    // Of places that have another one, in both looks together; 0: full. By the name that waiting_place gives.
    std::map<std::string, std::size_t> room;
};

// Where entries of a priority wait at a place (a provider or a site): each in one of its own.
std::string waiting_place(const std::string& place, Priority prio);

struct Postponing {
    Token token;
    WallTime until;
};

struct Parking {
    Token token;
    std::string place; // a provider or a site
};

// Where entries of a paused campaign wait. No claim takes from there; see `reopen`.
std::string place_of(const CampaignKey& campaign);

struct SettleReport {
    std::size_t settled = 0; // the token was in our hand
    std::size_t late = 0;    // it was not, or `again`, and the outcome was told as late; a retry is dropped then
    StreamPosition position; // of the stream: what was told lies there or before
};

// What a node finds when it takes its name.
struct Joined {
    bool data_lost = false;    // Redis may have lost data since this object joined before, or at all
    bool epoch_is_new = false; // we were the first to see it
    std::uint64_t told = 0;    // the last outcome of our journal that Redis has
    StreamPosition stream_end;
};

struct Held { // an entry that a node has in its memory
    Token token;
    Entry entry;
    std::string place; // where it may have been parked, "" for nowhere
};

// What the control plane needs to know of a Redis that may have lost data.
struct Epoch {
    std::string id;          // "": no node has joined yet
    bool recovering = false; // or Redis is another run, which no node has joined yet
    bool reconciled = false; // see `set_reconciled`
    bool whole() const { return !id.empty() && !recovering; }
};

struct EnqueueReport {
    std::size_t queued = 0;
    std::size_t skipped = 0; // their bit was set: they are queued already
};

struct Summary { // sizes, for metrics and the API
    std::size_t ready = 0, parked = 0, paused = 0, due = 0, in_hands = 0, events = 0, dead = 0;
    std::size_t tenants_held = 0;      // by their limits
    std::size_t tenants_uncounted = 0; // of them: the ledger has not counted their month yet
};

class SendQueue {
public:
    struct Options {
        std::string prefix = "pm:";
        PoolName pool{"default"};
        NodeName node;
        std::string incarnation; // unique for each start of the process
        std::chrono::seconds lease{30};
        std::chrono::milliseconds call_deadline{5'000};
        double enqueue_limit = 0.8;      // share of maxmemory at which enqueue answers full
        bool allow_unsafe_redis = false; // take a Redis without AOF or maxmemory, or with eviction (loud)
        int contract = kContractVersion; // what we speak; another one is for tests
    };
    SendQueue(RedisConnection& redis, Options options);
    ~SendQueue();

    // Whose sequences `settle` is given (Journal::identity). Before the first join.
    void keeps_journal(std::string identity);
    // Checks Redis' settings, loads the scripts, takes our node's name. Needed at first, after each new connection, and when a
    // call said `stale`; until then the calls of a node (claim to rehand, heartbeat) do nothing, and answer unavailable or stale.
    // `crashed_before`: a lock on the state directory proves that the last incarnation is dead, so its name is free at
    // once. Errors: refused, stale, unavailable.
    awaitable<Result<Joined>> join(bool crashed_before);
    bool joined() const;
    // After a join, when Redis has all that we know: our lease begins. Gives the live nodes that it still waits for; with
    // none, claiming goes on.
    awaitable<Result<std::vector<std::string>>> recovered();
    // Both, for one that keeps no journal.
    awaitable<Result<>> start(bool crashed_before);
    awaitable<Result<>> stop();       // gives up our name; the hand must be empty or released
    std::uint64_t generation() const; // RedisConnection::generation

    // Of one tenant. `epoch`, when it is not empty, must be the one that Redis is in, and whole: for what may have been queued
    // before, whose bit only tells in the epoch in which it was read. Else unavailable.
    awaitable<Result<EnqueueReport>> enqueue(std::span<const Entry> entries, std::string epoch = {});
    awaitable<Result<>> may_enqueue(); // the error that `enqueue` would give now
    awaitable<Result<std::vector<Claimed>>> claim(const ClaimRequest& request);
    awaitable<Result<SettleReport>> settle(std::span<const Settlement> settlements);
    // In the order of their sequences: what is not above the last that was told counts as told. `again`: the ledger may have
    // them already.
    awaitable<Result<SettleReport>> settle(std::span<const WrittenSettlement> settlements, bool again);
    // What `settle` counted of a source (address) on that day; days stay for two.
    awaitable<Result<WarmupCounts>> warmup_counts(std::string source, std::chrono::sys_days day);
    // Back to the tenant's ready list; with `avoid_until` this node does not get them again before.
    awaitable<Result<std::size_t>> release(std::span<const Token> tokens, std::optional<WallTime> avoid_until);
    // Each to `due`, until its time. Gives the tokens that went; of the others it is time by Redis' clock, or they were not ours.
    awaitable<Result<std::vector<Token>>> postpone(std::vector<Postponing> postponings);
    // Each to its place's parked list of the tenant.
    awaitable<Result<std::size_t>> park(std::span<const Parking> parkings);

    // Campaigns that have entries at their place.
    awaitable<Result<std::vector<CampaignKey>>> paused();
    // At most 1,000 of them back to the heads of their ready lists. True: none is left.
    awaitable<Result<bool>> reopen(CampaignKey campaign);
    // What of it waits in `due` for its first attempt is due now: at most 1,000 of all that wait there are looked at. `cursor` is 0
    // at first; gives the next one, or nothing at the end.
    awaitable<Result<std::optional<std::int64_t>>> hasten(CampaignKey campaign, std::int64_t cursor);

    // What Redis says is ours. After a start or a lost reply: the dispatcher compares it with its memory.
    awaitable<Result<std::vector<Claimed>>> hand();

    // After data was lost: what we hold goes into our hand again. Gives the tokens of those that are not ours any more.
    awaitable<Result<std::vector<Token>>> rehand(std::span<const Held> entries);

    // Every 10 s. Takes over the hands of nodes whose lease ran out. Errors: stale: stop sending at once.
    awaitable<Result<>> heartbeat(std::string_view state);
    // The fleet's clock: Redis' time, as of the last join or heartbeat. A node whose own clock is wrong expires and retries
    // nothing too early or too late.
    WallTime now() const;
    // Percent of Redis' maxmemory when we joined or at the last heartbeat; 0 without a bound.
    unsigned memory_used() const;
    awaitable<Result<unsigned>> ask_memory_used(); // now; also of who has not joined
    // Whether our own lease still holds (CLOCK_BOOTTIME). Cheap; any thread.
    bool lease_holds() const;

    // Messages of a batch that are not in a hand: taken out, events told. Gives how many.
    awaitable<Result<std::size_t>> cancel(TenantId tenant, BatchId batch, std::span<const MessageId> messages);
    // The same of messages that can only be in `due`; costs nothing for what else the tenant has queued.
    awaitable<Result<std::size_t>> cancel_due(TenantId tenant, BatchId batch, std::span<const MessageId> messages);
    // The same of all messages of a campaign; each list is read once, however many batches it has.
    awaitable<Result<std::size_t>> cancel(CampaignKey campaign);
    // Which of the batch's messages first ... first + count - 1 are queued, in a hand, or not confirmed by the ledger yet.
    awaitable<Result<std::vector<bool>>> live(BatchId batch, std::uint32_t first, std::uint32_t count);
    awaitable<Result<>> set_weight(TenantId tenant, double weight);

    // Limits of tenants, as Redis has them; in force with the next claim.
    using LimitsByTenant = std::map<TenantId, TenantLimits>;
    awaitable<Result<LimitsByTenant>> limits();
    awaitable<Result<>> set_limits(LimitsByTenant changed);
    awaitable<Result<TenantStanding>> standing(TenantId tenant);
    // Tenants with a quota whose month must be counted, at most so many of them.
    awaitable<Result<std::vector<TenantId>>> uncounted(std::size_t most);
    // What the ledger knows that they have sent in `month` (202611), up to `position`. Gives how many are counted now; none while
    // nodes are telling their journals, or when the ledger is not near the end of the stream.
    awaitable<Result<std::size_t>> count_month(std::string position, int month, std::map<TenantId, std::int64_t> sent);

    // The ledger's side.
    struct StreamEvents {
        std::string position; // id of the last stream entry read
        std::vector<Event> events;
    };
    awaitable<Result<StreamEvents>> read_events(std::string_view after, std::size_t entries_max);
    // After the ledger committed `position`: clears the bits of messages that are done, trims the stream.
    awaitable<Result<>> confirm_events(std::string_view position, std::span<const MessageId> final_messages);
    // One reader a pool. False: another node holds it.
    awaitable<Result<bool>> hold_ledger_lock();
    // What the ledger told with `confirm_events` last, "" when nothing.
    awaitable<Result<std::string>> ledger_position();
    awaitable<Result<>> set_ledger_position(const std::string& position); // a person's decision

    // The reconciler's side.
    awaitable<Result<Epoch>> epoch();
    awaitable<Result<bool>> hold_reconciler_lock();
    // All that was lost when this epoch began is queued again.
    awaitable<Result<>> set_reconciled(const std::string& epoch_id);

    awaitable<Result<>> put_content(TenantId tenant, const ContentId& id, std::string_view bytes,
                                    std::chrono::seconds ttl);
    awaitable<Result<std::optional<std::string>>> get_content(TenantId tenant, const ContentId& id);
    // How long it stays; 0 when it is not there.
    awaitable<Result<std::chrono::seconds>> content_stays(TenantId tenant, const ContentId& id);
    // Stays for `ttl` from now. False: it is not there.
    awaitable<Result<bool>> extend_content(TenantId tenant, const ContentId& id, std::chrono::seconds ttl);

    awaitable<Result<Summary>> summary();
    // Once a minute, under a lock: tenants whose lists are not empty but that no zset names get back in.
    awaitable<Result<>> janitor();

private:
    awaitable<Result<>> check_redis();
    awaitable<Result<bool>> hold_lock(std::string name);
    awaitable<Result<>> set(std::string name, std::string value);
    awaitable<Result<std::size_t>> cancel_in(std::vector<std::string> target, std::string key, int octets_before);
    awaitable<Result<std::size_t>> cancel_everywhere(TenantId tenant, std::vector<std::string> target);
    awaitable<Result<std::size_t>> cancel_paused(TenantId tenant, std::vector<std::string> target);
    awaitable<Result<>> add_held(Summary& out);
    awaitable<Result<std::size_t>> size_of(std::string zset, std::string before, std::string behind);
    awaitable<Result<std::size_t>> count(std::vector<std::string> command);

    struct State;
    std::unique_ptr<State> state_;
};

} // namespace penguin::queue
