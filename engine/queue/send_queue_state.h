// engine/queue/send_queue_state.h
// What a SendQueue keeps between calls. Private to its source files.
#pragma once

#include <atomic>
#include <unordered_map>

#include "engine/queue/script_caller.h"
#include "engine/queue/send_queue.h"

namespace penguin::queue {

inline constexpr int kContractVersion = 1;                                  // engine/queue/README.md
inline constexpr std::size_t kClaimMax = 1000;                              // entries a call
inline constexpr std::size_t kEnqueueMax = 1000;                            // messages a script call
inline constexpr std::size_t kEnqueueOctets = std::size_t{4} * 1024 * 1024; // and octets of entries
inline constexpr std::size_t kTokensMax = 500;                              // tokens a script call
inline constexpr std::size_t kDoubtfulMax = 100'000;                        // tokens whose settle had no reply

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
    std::uint64_t settle_calls = 0;
    std::unordered_map<Token, std::string> doubtful; // token -> names of the calls that told it, and had no reply

    std::string lease_ms() const;
    std::string owner() const { return options.node.value() + "/" + options.incarnation; }
    void renew_lease(std::chrono::nanoseconds asked);
    // From a flat reply of token, packed value ...
    Sorted sort_out(const RedisReply& reply) const;
    // Buries what does not parse, lets wait what is early. What was not early by Redis' clock joins `good`.
    awaitable<void> put_away(Sorted& sorted);
    awaitable<Result<SettleReport>> settle(std::span<const Settlement> part);
    awaitable<Result<>> take_over(std::string node);
};

// "<prio><tenant>\n<entry>", as hands and `wait` hold it (scripts/common.lua).
std::string packed(const Entry& entry);

// A call that fails so may have happened all the same.
constexpr bool is_doubtful(Errc code)
{
    return code == Errc::unavailable || code == Errc::timeout || code == Errc::cancelled;
}

} // namespace penguin::queue
