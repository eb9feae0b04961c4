// engine/delivery/dispatcher.h
// One pool on this node: claims what there is room for, finds its route, asks policy/holds whether it may go, hands it
// to a shard, and settles what comes back.
//
//   threads   everything on the engine's dispatch thread; `Shard::offer` and the shards' `finish` cross over
//   limits    `window` messages in hand; of one site and priority as policy/site_window.h says, at least kSiteWindow for each
//             connection that it may have; what cannot go soon is parked in Redis, not held here
//   failure   Redis away: nothing is claimed, what is in hand goes on while the lease holds, outcomes wait in the
//             Settler. After each new connection, and when the lease was lost, it joins again: the journal is told, the hand
//             compared (or written again, when Redis lost data); then claiming goes on
#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <unordered_map>

#include "engine/base/metrics.h"
#include "engine/delivery/job.h"
#include "engine/delivery/settings.h"
#include "engine/delivery/settler.h"
#include "engine/delivery/warmups.h"
#include "engine/dns/mx_routes.h"
#include "engine/mail/return_path.h"
#include "engine/policy/holds.h"
#include "engine/policy/lane_backoff.h"
#include "engine/policy/lane_pace.h"
#include "engine/policy/retry_schedule.h"
#include "engine/policy/site_window.h"
#include "engine/policy/token_bucket.h"
#include "engine/queue/send_queue.h"

namespace penguin::delivery {

class Dispatcher {
public:
    static constexpr std::size_t kSiteWindow = 4; // messages in hand for each connection that a site may have

    struct Options {
        queue::SendQueue::Options queue;
        queue::Journal::Options journal;
        bool crashed_before = false;
        std::size_t window = 2'000;
        policy::RetrySchedule retry;
        policy::BackoffSchedule backoff;
        Duration store_pause = std::chrono::seconds{20}; // in Redis, of what waits for the store of its content
    };
    struct Parts {
        queue::RedisConnection& redis;
        dns::MxRoutes& routes;
        const ReturnPath& return_path;
        Registry& metrics;
        std::function<void(JobPtr)> offer;                         // to the shard of its site
        std::function<void()> cut;                                 // ends all transactions in progress
        std::function<std::shared_ptr<const Settings>()> settings; // current snapshot
        std::function<void(policy::Pause)> share_pause;            // with all nodes; does not block
    };
    Dispatcher(const asio::any_io_executor& executor, Options options, Parts parts);
    ~Dispatcher();

    // Ends after `stop`, when everything in hand is finished and told, or at its deadline.
    awaitable<void> run();
    void finished(Finished finished);
    void settings_changed();
    // What the ledger counted of a source's day; see Warmups.
    void warmup_counted(const SourceId& source, policy::Day day, const queue::WarmupCounts& counts);
    void wake();
    void hold(bool held);
    // Claims no more. At `deadline` transactions in progress are cut; what has no outcome then is given back.
    void stop(SteadyTime deadline);

    bool lease_holds() const; // any thread
    struct Status {
        std::string why_not; // empty while claiming
        std::size_t in_hand = 0;
    };
    Status status() const; // any thread

private:
    static constexpr Duration kTroublePause = std::chrono::seconds{1}; // after a call that failed

    // What a site has of one priority. Each has a window of its own, so that what is less urgent fills nobody's room.
    struct Share {
        std::size_t in_hand = 0;
        policy::SiteWindow window;
        // Reached its window, or something is parked, and has not got through half of it since: so that claims are not for one.
        bool full = false;
        SteadyTime parked_at{}; // the last time that something was
        // Where something is parked: how many the last claim was asked for. No more may go of what it brings, or what it found
        // in ready lists would take room from what has waited longer.
        std::optional<std::size_t> offered;
    };
    struct LaneState {
        policy::LaneBackoff backoff; // it gets no connection
        policy::LanePace pace;       // what is sent over one is too much
    };
    struct Site {
        std::array<Share, 3> shares; // by Priority
        std::map<SourceId, LaneState> lanes;
        std::optional<WallTime> full_until; // none of its lanes may send
        Share& share_of(const Job& job) { return shares[static_cast<std::size_t>(job.entry.prio)]; }
        const Share& share_of(const Job& job) const { return shares[static_cast<std::size_t>(job.entry.prio)]; }
    };

    awaitable<void> open_journal();
    awaitable<void> join();
    awaitable<Result<>> try_to_join();
    awaitable<Result<>> write_hand_again();
    awaitable<Result<>> wait_for_others();
    awaitable<void> claim_loop();
    awaitable<std::size_t> claim_once();
    awaitable<void> pause(Duration time);
    awaitable<void> beat_loop();
    awaitable<Result<std::vector<queue::Claimed>>> compare_hand();
    void take_up(std::vector<queue::Claimed> found);
    void revoke(Job& job);
    awaitable<void> trim_journal();
    awaitable<void> push_weights();
    awaitable<Result<>> push_limits();
    awaitable<Result<>> read_limits();
    queue::SendQueue::LimitsByTenant limits_to_set(const Settings& settings) const;
    awaitable<void> reopen_campaigns();
    awaitable<void> follow_windows();
    void note_windows(const Settings& settings);
    awaitable<void> wind_down();

    void take(queue::Claimed claimed);
    void route(const JobPtr& job);
    void dispatch(const JobPtr& job);
    policy::Situation situation_of(const Job& job, const Settings& settings, WallTime now);
    std::optional<SourceSettings> source_of(const Job& job, const Settings& settings, WallTime now);
    std::optional<policy::WarmupHold> warmup_hold(const Job& job, const Settings& settings, WallTime now);
    void count_for_warmup(Job& job, const Settings& settings, WallTime now);
    void wait_for_warmup(const Job& job, policy::Limit limit, WallTime now);
    awaitable<Result<>> load_warmup_counts();
    void show_warmup_levels();
    bool held_back(const JobPtr& job, const std::optional<policy::Hold>& hold, WallTime now);
    std::size_t least_window() const;
    std::map<std::string, std::size_t> rooms(WallTime now);
    void forget_quiet_sites(WallTime now);
    void note_sign(const Finished& finished, WallTime now);
    void note_pace(const Finished& finished, LaneState& lane, WallTime now);
    void tell_step(const Job& job, const policy::LanePace::Step& step);
    static bool all_lanes_hold(const Site& site, WallTime now);
    static std::size_t room_of_lanes(const Site& site, WallTime now);
    void react(const Finished& finished, WallTime now);
    void learn_pauses();
    void hold_what_is_paused(WallTime now);
    Counter& outcomes_of(queue::EventKind kind, policy::BounceClass klass);
    void give_back(const Finished& finished, WallTime now);
    void wait_for_store(const Finished& finished, WallTime now);
    bool cancelled(const Job& job) const;
    WallTime end_of_life(const Job& job) const;
    WallTime next_in_window(const Job& job, WallTime next) const;
    void park(const Job& job);
    void gone(const queue::Token& token);
    void note_why_not(std::string why);
    double random() { return std::uniform_real_distribution<double>{0, 1}(random_); }

    asio::any_io_executor executor_;
    Options options_;
    Parts parts_;
    queue::Journal journal_;
    queue::SendQueue queue_;
    Settler settler_;
    std::unordered_map<queue::Token, JobPtr> jobs_;
    std::set<MessageId> revoked_; // messages of jobs whose entry is not ours any more, but that may be under way
    std::map<SiteName, Site> sites_;
    policy::Pauses pauses_;
    Warmups warmups_;
    std::shared_ptr<const std::vector<policy::SharedPause>> learned_; // of the settings
    policy::TokenBucket park_allowance_;
    std::map<TenantId, double> weights_;                     // as Redis has them
    std::optional<queue::SendQueue::LimitsByTenant> limits_; // as Redis has them; nothing: to be read
    std::vector<CampaignKey> to_reopen_; // have entries at their place, and may not be paused any more
    std::optional<std::map<CampaignKey, policy::SendingWindow>>
        windows_;                                                 // by which mail was put off; nothing: none yet
    std::vector<std::pair<CampaignKey, std::int64_t>> to_hasten_; // theirs have changed; how far we looked
    asio::steady_timer wake_;
    std::mt19937_64 random_{std::random_device{}()};
    SteadyTime compared_at_{};
    SteadyTime store_away_told_{}; // in the log
    bool write_hand_ = false;      // Redis may have lost data, and our hand with it
    bool ended_ = false;
    bool held_ = false;
    bool stopping_ = false;
    bool weights_changed_ = true;
    bool limits_changed_ = true;
    bool windows_changed_ = true;
    SteadyTime look_again_at_ = SteadyTime::max(); // for what was on its way there when the settings changed
    bool look_for_paused_ = true;                  // campaigns with entries at their place
    SteadyTime deadline_{};
    mutable std::mutex status_mutex_; // guards status_
    Status status_{.why_not = "starting"};
    std::map<std::pair<queue::EventKind, policy::BounceClass>, Counter*> outcomes_;
    Counter& claimed_;
    Counter& parked_;
    Counter& paused_;
    Counter& postponed_;
    Counter& released_;
    Counter& without_content_;
    Counter& rate_refusals_;
    Counter& rate_down_;
    Counter& rate_up_;
    Gauge& journal_octets_;
    Gauge& pauses_held_;
    Histogram& latency_;
};

} // namespace penguin::delivery
