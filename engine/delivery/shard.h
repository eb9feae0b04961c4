// engine/delivery/shard.h
// One sending thread: its lanes, its TLS contexts, its connections. A site belongs to one shard, so nothing here is
// locked.
//
//   threads   `offer`, `apply`, `stop_lanes`, `cut_lanes` may be called from any thread; everything else runs on its own
//   limits    a lane that is unused is forgotten at the next sweep (kSweep)
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "engine/delivery/inbox.h"
#include "engine/delivery/lane.h"
#include "engine/net/tls_context.h"

namespace penguin::delivery {

class Shard {
public:
    struct Options {
        SmtpTimeouts timeouts;
        bool starttls = true;
        std::uint16_t smtp_port = 25;
        std::function<bool()> lease_holds;
        std::function<void(Finished)> finish; // any thread
    };
    Shard(Options options, MessageMaker& maker, std::shared_ptr<const Settings> settings);
    ~Shard();

    void start();
    void offer(JobPtr job);
    void apply(std::shared_ptr<const Settings> settings);
    // Lanes give back what waits; connections end after what they are doing.
    void stop_lanes();
    // Ends transactions in progress; each has its outcome.
    void cut_lanes();
    // Ends the thread, whatever is in progress.
    void stop();

    std::size_t connections() const { return connections_.load(std::memory_order_relaxed); }
    std::chrono::nanoseconds last_beat() const { return std::chrono::nanoseconds{last_beat_.load()}; } // boot_now()

private:
    using LaneKey = std::pair<SiteName, SourceId>;

    Lane& lane_for(const Job& job);
    awaitable<void> sweep();

    Options options_;
    asio::io_context io_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
    net::TlsClient tls_;
    SessionOptions session_;
    std::shared_ptr<const Settings> settings_;
    std::mt19937 random_{std::random_device{}()};
    std::atomic<std::size_t> connections_{0};
    std::atomic<std::int64_t> last_beat_{0};
    Inbox<JobPtr> offered_;
    Inbox<UntoldPtr> told_;
    LaneContext context_;
    std::map<SiteName, std::weak_ptr<SiteLoad>> sites_;
    std::map<LaneKey, std::shared_ptr<Lane>> lanes_;
    bool stopping_ = false;
    std::thread thread_;
};

} // namespace penguin::delivery
