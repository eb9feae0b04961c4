// engine/queue/send_queue.h
// One pool's queue in Redis (contract: engine/queue/README.md). Every call is one script, so it happens whole or not.
//
//   threads   belongs to one io_context, as its RedisConnection does
//   deadline  each call has Options::call_deadline
//   errors    unavailable, timeout (Redis away: the call may have happened; the hand tells, see `hand`),
//             full (memory bound of Redis: enqueue only), stale (another incarnation has our name),
//             refused (Redis is configured so that it may lose mail)
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/base/asio.h"
#include "engine/queue/entry.h"
#include "engine/queue/event.h"
#include "engine/queue/redis_connection.h"

namespace penguin::queue {

using Token = std::string; // unique for each claim of an entry; made by the script

struct Claimed {
    Token token;
    Entry entry;
};

struct ClaimRequest {
    std::size_t max = 100;       // entries
    std::size_t ready_max = 100; // of them from ready lists, whose places are not known yet
    std::size_t per_tenant = 10; // entries of one tenant at weight 1
    std::size_t per_place = 50; // entries from one parking place (provider or site), in each of the two looks of a call
    std::map<std::string, std::size_t> room; // of places that have another one, in both looks together; 0: full
};

struct Parking {
    Token token;
    std::string place; // a provider or a site
};

struct Settlement {
    Token token;
    Event event;
    std::optional<Entry> retry; // deferred: the entry as it goes back (attempt counted)
    WallTime retry_at{};        // deferred
};

struct SettleReport {
    std::size_t settled = 0; // the token was in our hand
    std::size_t late = 0;    // it was not: final outcomes were told as late, retries dropped
};

struct EnqueueReport {
    std::size_t queued = 0;
    std::size_t skipped = 0; // their bit was set: they are queued already
};

struct Summary { // sizes, for metrics and the API
    std::size_t ready = 0, parked = 0, due = 0, in_hands = 0, events = 0, dead = 0;
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
        bool allow_unsafe_redis = false; // take a Redis without AOF or with eviction (loud)
    };
    SendQueue(RedisConnection& redis, Options options);
    ~SendQueue();

    // Checks Redis' settings, loads the scripts, takes our node's name. Errors: refused, stale, unavailable.
    // `crashed_before`: a lock on the state directory proves that the last incarnation is dead, so its name is free at
    // once.
    awaitable<Result<>> start(bool crashed_before);
    awaitable<Result<>> stop(); // gives up our name; the hand must be empty or released

    awaitable<Result<EnqueueReport>> enqueue(std::span<const Entry> entries); // of one tenant
    awaitable<Result<std::vector<Claimed>>> claim(const ClaimRequest& request);
    awaitable<Result<SettleReport>> settle(std::span<const Settlement> settlements);
    // Back to the tenant's ready list; with `avoid_until` this node does not get them again before.
    awaitable<Result<std::size_t>> release(std::span<const Token> tokens, std::optional<WallTime> avoid_until);
    // Each to its place's parked list of the tenant.
    awaitable<Result<std::size_t>> park(std::span<const Parking> parkings);

    // What Redis says is ours. After a start or a lost reply: the dispatcher compares it with its memory.
    awaitable<Result<std::vector<Claimed>>> hand();

    // Every 10 s. Takes over the hands of nodes whose lease ran out. Errors: stale: stop sending at once.
    awaitable<Result<>> heartbeat(std::string_view state);
    // Whether our own lease still holds (CLOCK_BOOTTIME). Cheap; any thread.
    bool lease_holds() const;

    // Messages of a batch that are not in a hand: taken out, events told. Gives how many.
    awaitable<Result<std::size_t>> cancel(TenantId tenant, BatchId batch, std::span<const MessageId> messages);
    // Which of the batch's messages first ... first + count - 1 are queued, in a hand, or not confirmed by the ledger yet.
    awaitable<Result<std::vector<bool>>> live(BatchId batch, std::uint32_t first, std::uint32_t count);
    awaitable<Result<>> set_weight(TenantId tenant, double weight);

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

    awaitable<Result<>> put_content(TenantId tenant, const ContentId& id, std::string_view bytes,
                                    std::chrono::seconds ttl);
    awaitable<Result<std::optional<std::string>>> get_content(TenantId tenant, const ContentId& id);

    awaitable<Result<Summary>> summary();
    // Once a minute, under a lock: tenants whose lists are not empty but that no zset names get back in.
    awaitable<Result<>> janitor();

private:
    awaitable<Result<>> check_redis();
    awaitable<Result<std::size_t>> cancel_in(std::vector<std::string> target, std::string key, int octets_before);
    awaitable<Result<std::size_t>> size_of(std::string zset, std::string before, std::string behind);
    awaitable<Result<std::size_t>> count(std::vector<std::string> command);

    struct State;
    std::unique_ptr<State> state_;
};

} // namespace penguin::queue
