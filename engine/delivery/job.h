// engine/delivery/job.h
// One claimed message on its way through this node, and what came of it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/asio.h"
#include "engine/delivery/settings.h"
#include "engine/dns/mx_routes.h"
#include "engine/policy/verdict.h"
#include "engine/queue/send_queue.h"
#include "engine/smtp/outcome.h"

namespace penguin::delivery {

class Dispatcher;

using RoutePtr = std::shared_ptr<const Result<dns::Route>>;

// The last message of a connection that the server may have, until Redis knows of it. On the lane's thread.
struct Untold {
    explicit Untold(const asio::any_io_executor& executor) : changed{executor} {}
    bool told = false;
    asio::steady_timer changed; // cancelled when it is told
};
using UntoldPtr = std::shared_ptr<Untold>;

// Written by the dispatcher before a shard has it; but for what is its own, only read afterwards.
struct Job {
    Job(Dispatcher* claimer, queue::Claimed claimed)
        : owner{claimer},
          token{std::move(claimed.token)},
          entry{std::move(claimed.entry)},
          sender{entry.from}
    {
    }

    Dispatcher* owner; // who claimed it
    queue::Token token;
    queue::Entry entry;
    RoutePtr route;
    std::optional<SourceSettings> source;
    std::optional<EmailAddress> sender; // MAIL: our return path, or nothing for the null sender
    std::string warmup{};               // the share of its source's warm-up plan that it counts for, "" for none
    bool probe = false;                 // the one that finds out whether a lane that backed off gets connections again
    std::function<void()> when_told;    // the dispatcher's own, of Finished
    std::atomic<bool> paused{false};    // a pause, or its lane's rate, holds it by now: it comes back unsent
    std::atomic<bool> revoked{false};   // the entry is no longer ours: nothing more of it may be sent
};
using JobPtr = std::shared_ptr<Job>;

// Verdict::rule of a job that a lane gives back because its campaign is stopped. What becomes of it policy/holds says.
inline constexpr std::string_view kCampaignStopped = "campaign-stopped";
inline constexpr std::string_view kPaused = "paused"; // the same, of a job that a pause or its lane's rate holds by now

// What an attempt told of the lane: whether the site takes connections from this source.
enum class LaneSign : std::uint8_t { none, connected, refused };

struct Finished {
    JobPtr job;
    policy::Verdict verdict;
    smtp::Outcome outcome;
    std::string remote; // "mx1.example (192.0.2.1)", empty when nothing was reached
    bool tls = false;
    LaneSign sign = LaneSign::none;
    std::function<void()> when_told; // called on the dispatcher's thread, once Redis has the outcome
};

} // namespace penguin::delivery
