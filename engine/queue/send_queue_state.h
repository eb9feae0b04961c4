// engine/queue/send_queue_state.h
// What a SendQueue keeps between calls. Private to its source files.
#pragma once

#include <atomic>

#include "engine/queue/script_caller.h"
#include "engine/queue/send_queue.h"

namespace penguin::queue {

inline constexpr std::size_t kClaimMax = 1000;                              // entries a call
inline constexpr std::size_t kEnqueueMax = 1000;                            // messages a script call
inline constexpr std::size_t kEnqueueOctets = std::size_t{4} * 1024 * 1024; // and octets of entries
inline constexpr std::size_t kTokensMax = 500;                              // tokens a script call
inline constexpr std::size_t kRehandMax = 100;                              // entries a script call
inline constexpr std::string_view kCampaignPlace =
    "campaign:"; // <tenant>:<campaign>: begins the places of paused campaigns

// What a claim or a hand holds.
struct Sorted {
    std::vector<Claimed> good;
    std::vector<Claimed> early;                     // a plain producer's, before their time
    std::vector<std::pair<Token, std::string>> bad; // and why
    bool clean() const { return early.empty() && bad.empty(); }
};

struct SendQueue::State {
    State(RedisConnection& redis, Options given);

    Options options;
    ScriptCaller scripts;
    std::atomic<std::int64_t> lease_until{0}; // CLOCK_BOOTTIME, ns; 0: no lease
    RedisConnection& redis;
    std::uint64_t joined_generation = 0;    // connection on which we have our name; 0: we have not
    std::string journal = "-";              // its identity
    std::string epoch;                      // of the last join
    std::chrono::nanoseconds join_asked{0}; // CLOCK_BOOTTIME
    Duration clock_offset{0};               // to be added to our own clock
    unsigned memory_used = 0;               // percent
    bool active = false;                    // recovered since the join: the lease counts

    std::string lease_ms() const;
    std::string contract() const { return std::to_string(options.contract); }
    std::string content_key(TenantId tenant, const ContentId& id) const;
    std::string owner() const { return options.node.value() + "/" + options.incarnation; }
    void renew_lease(std::chrono::nanoseconds asked);
    void lose_name();
    void hear_time(const RedisReply& ms);
    WallTime now() const { return wall_now() + clock_offset; }
    // A script that only the holder of the node's name may call.
    awaitable<Result<RedisReply>> run_as_node(const Script& script, std::vector<std::string> arguments);
    std::vector<std::string> enqueue_head(std::string tenant,
                                          std::string whole_epoch) const; // the script's arguments before the messages
    awaitable<Result<EnqueueReport>> enqueue(std::vector<std::string> arguments);
    // From a flat reply of token, packed value ...
    Sorted sort_out(const RedisReply& reply) const;
    // Buries what does not parse, lets wait what is early. What was not early by Redis' clock joins `good`.
    awaitable<void> put_away(Sorted& sorted);
    awaitable<Result<std::vector<Token>>> postpone(std::span<const Postponing> postponings);
    awaitable<Result<SettleReport>> settle(std::span<const WrittenSettlement> part, bool again);
    awaitable<Result<>> take_over(std::string node);
};

} // namespace penguin::queue
