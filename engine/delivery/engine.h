// engine/delivery/engine.h
// The sending engine of one node: claims from Redis, routes, signs, sends, settles. Knows nothing of HTTP or
// PostgreSQL.
//
//   threads   one for dispatch, `shards` that send, `workers` that render and sign; all its own
//   ports     ContentSource, Signer, share_pause: called on its threads, must outlive it
//   settings  a whole snapshot at a time, by `apply`; it goes on with the last one for as long as no other comes
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/metrics.h"
#include "engine/delivery/content_source.h"
#include "engine/delivery/session.h"
#include "engine/delivery/settings.h"
#include "engine/dns/cares_resolver.h"
#include "engine/dns/mx_routes.h"
#include "engine/mail/return_path.h"
#include "engine/mail/signer.h"
#include "engine/policy/lane_backoff.h"
#include "engine/policy/retry_schedule.h"
#include "engine/queue/journal.h"
#include "engine/queue/redis_connection.h"
#include "engine/queue/send_queue.h"

namespace penguin::delivery {

struct EngineOptions {
    queue::RedisConnection::Options redis;
    queue::SendQueue::Options queue; // pool is filled in from the settings
    queue::Journal::Options journal; // of all pools: each has a folder in this one
    bool crashed_before = false;     // see SendQueue::start
    std::size_t shards = 1;
    std::size_t workers = 2;
    std::size_t window = 2'000; // messages in hand on this node
    dns::CaresResolver::Options dns;
    dns::MxRoutes::Options routes;
    dns::TargetRule targets;
    std::uint16_t smtp_port = 25;
    SmtpTimeouts timeouts;
    bool starttls = true;
    policy::RetrySchedule retry;
    policy::BackoffSchedule lane_backoff;
    Duration store_pause = std::chrono::seconds{20};          // see Dispatcher::Options
    std::size_t contents_max = std::size_t{64} * 1024 * 1024; // octets of compiled contents kept in memory
};

struct EngineParts {
    ContentSource& contents;
    Signer& signer;
    const ReturnPath& return_path;
    Registry& metrics;
    // What a rule has paused, for the settings of all nodes. Called on the dispatch thread; must not block.
    std::function<void(policy::Pause)> share_pause = [](const policy::Pause&) {};
};

struct EngineStatus {
    bool claiming = false;
    std::string why_not;     // empty while claiming
    std::size_t in_hand = 0; // messages
    std::size_t connections = 0;
    std::chrono::milliseconds oldest_beat{0}; // how long ago the slowest of its loops answered
};

class Engine {
public:
    // Throws std::runtime_error when the options cannot be met (a name server that is no address), at start only.
    Engine(EngineOptions options, EngineParts parts, std::shared_ptr<const Settings> settings);
    ~Engine(); // stops with no grace when `stop` was not called
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    void start();
    // Any thread.
    void apply(const std::shared_ptr<const Settings>& settings);
    // What the ledger counted of a source's day under its warm-up plan, by share: for one that lost its own count. Any thread.
    void warmup_counted(SourceId source, policy::Day day, queue::WarmupCounts counts);
    // There is new mail: claim without waiting for the next poll. Any thread.
    void wake();
    // Claims nothing while held; what is in hand goes out. Any thread.
    void hold(bool held);
    // Finishes transactions for at most `grace`, gives the rest back, settles, gives up the node's name. Blocks.
    void stop(std::chrono::seconds grace);
    EngineStatus status() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace penguin::delivery
