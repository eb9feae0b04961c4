// engine/delivery/lane.h
// One source at one site: the queue of jobs for it and the connections that work it off.
//
//   threads   all on the thread of its shard
//   provider  told by the best MX host; what it takes of one source narrows LaneLimits
//   order     policy/fair_queue.h: tenants by weight, high priority first; a job that comes back is next
//   growth    the first connection alone; once it stands, one more for each job that waits, up to the limits of lane and
//             site; a connection without work goes after LaneLimits::idle, or at once when another lane of the site has
//             none; a lane that others wait for gives a connection up after LaneLimits::messages_per_connection
//   trouble   replies of some rules narrow the lane's limits for a time (policy/lane_trouble.h): what is too many then ends after
//             its message
//   failure   no host takes a connection and none stands: the job that tried has its outcome, the others go back to the
//             dispatcher, which sends one probe when the lane's back-off is over
//   repeats   a connection sends no next body before Redis has the outcome of its last one: so a node that is killed repeats
//             at most one message for each connection
//   speed     a connection takes its next job while it sends one, so that the next envelope can travel behind the last
//             octet of a body: one round trip a message
//   limits    jobs that wait are bounded by the dispatcher's site window
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "engine/delivery/job.h"
#include "engine/delivery/message_maker.h"
#include "engine/delivery/session.h"
#include "engine/policy/fair_queue.h"
#include "engine/policy/lane_trouble.h"

namespace penguin::delivery {

class Lane;

// One site over all lanes of the node: shared by them, so that none waits for ever while another keeps connections idle.
struct SiteLoad {
    std::size_t connections = 0;
    std::vector<Lane*> lanes;                // that exist
    std::deque<std::weak_ptr<Lane>> waiting; // without a connection, because the site has all it may have
};

// What a lane needs of its shard. Outlives the lane.
struct LaneContext {
    asio::any_io_executor executor;
    MessageMaker& maker;
    const SessionOptions& session;
    std::uint16_t smtp_port = 25;
    std::function<bool()> lease_holds;
    std::function<void(Finished)> finish;                      // hands it to the dispatcher
    std::function<void(UntoldPtr)> tell;                       // any thread: `told` is set on the lane's
    std::function<std::shared_ptr<const Settings>()> settings; // the shard's current snapshot
    std::function<void(std::ptrdiff_t)> connections_changed;   // +1, -1
    std::mt19937& random;
};

class Lane : public std::enable_shared_from_this<Lane> {
public:
    // `mx`: the best host of the site, which tells the provider.
    Lane(LaneContext& context, SourceSettings source, DomainName mx, std::shared_ptr<SiteLoad> site);
    ~Lane();
    Lane(const Lane&) = delete;
    Lane& operator=(const Lane&) = delete;

    void offer(JobPtr job);
    // Gives what waits back; connections end after what they are doing. Offers after it come back at once.
    void stop();
    // Ends transactions in progress: each has its outcome, and where the server may have the message that says so.
    void cut();
    // Gives back what waits and may not go any more.
    void settings_changed();
    bool unused() const
    {
        return queue_.empty() && connections_ == 0 && trouble_.over(std::chrono::steady_clock::now());
    }

private:
    struct Taken;
    struct Connection;

    const policy::Provider* provider(const Settings& settings);
    LaneLimits limits();
    void enqueue(JobPtr job);
    void grow();
    bool may_grow();
    bool leaves();
    bool demands_tls();
    bool site_is_full() const;
    void wait_for_site();
    void pass_on();
    awaitable<void> run_connection();
    awaitable<JobPtr> next_job();
    awaitable<std::shared_ptr<Taken>> next(Connection& connection);
    awaitable<bool> serve(Connection& connection, Taken& taken);
    awaitable<bool> connect(Connection& connection, const JobPtr& job);
    awaitable<std::expected<std::unique_ptr<Session>, smtp::Outcome>> open(Connection& connection, const Job& job);
    awaitable<std::expected<std::unique_ptr<Session>, smtp::Outcome>> open_one(Connection& connection, Endpoint target);
    bool made_at_once(Taken& taken);
    awaitable<void> make(Taken& taken);
    void set_mail(Taken& taken, Result<std::string> message) const;
    void take_next(Connection& connection);
    MailPtr ready_next(const Connection& connection) const;
    awaitable<void> return_next(Connection& connection);
    awaitable<void> send(Connection& connection, Taken& taken);
    void report(Connection& connection, const JobPtr& job, smtp::Outcome outcome);
    void failed(const JobPtr& job, const smtp::Outcome& outcome);
    policy::Verdict decide(const smtp::Outcome& outcome);
    void react(const policy::Verdict& verdict);
    awaitable<bool> last_one_told(Connection& connection);
    void drop(Connection& connection);
    awaitable<void> close(Connection& connection);
    double weight_of(const Job& job) const;
    void put_back(const JobPtr& job);
    void wake_one();
    void give_back(const JobPtr& job, std::string_view rule);
    bool suppressed(const Job& job) const;
    bool campaign_stopped(const Job& job) const;

    LaneContext& context_;
    SourceSettings source_;
    DomainName mx_;
    std::shared_ptr<SiteLoad> site_;
    policy::FairQueue<TenantId, JobPtr> queue_;
    std::deque<asio::steady_timer*> idle_; // connections that wait for work
    std::size_t connections_ = 0;          // coroutines
    std::vector<Connection*> live_;        // of each of them
    std::size_t standing_ = 0;             // of them with an open session
    std::size_t leaving_ = 0;              // of them that end because they are too many
    policy::LaneTrouble trouble_;          // what replies made of its limits
    SteadyTime no_growth_before_{};        // after a connection that failed beside standing ones
    bool closed_ = false;                  // got no connection: everything comes back until the probe
    bool waiting_ = false;                 // in site_->waiting
    bool stopping_ = false;
    std::shared_ptr<const policy::RuleBook> rules_; // that provider_ is of
    const policy::Provider* provider_ = nullptr;
};

} // namespace penguin::delivery
