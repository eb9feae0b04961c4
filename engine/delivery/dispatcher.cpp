#include "engine/delivery/dispatcher.h"

#include <algorithm>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "engine/base/crash_point.h"
#include "engine/base/log.h"
#include "engine/delivery/event_of.h"
#include "engine/delivery/subject_of.h"

namespace penguin::delivery {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kClaimMax = 100;      // entries of one call
constexpr std::size_t kClaimPerTenant = 10; // entries of a tenant of weight 1 in one call
constexpr Duration kIdlePause = 50ms;       // between claims that gave nothing
constexpr Duration kGatherPause = 10ms;     // so that one claim has room for many
// Parking, so that a node with full sites does not put its whole queue aside: so many a second, so many at once, and some
// more for each message that is done (dispatcher_sites.cpp).
constexpr double kParkPerSecond = 2'000;
constexpr double kParkBurst = 1'000;
constexpr Duration kProbeLook = 2s;     // for mail of a site whose probe is out, until the probe tells
constexpr Duration kAvoidPause = 5s;    // before this node takes back what it cannot send
constexpr Duration kCutLimit = 1s;      // for the outcomes of transactions that were cut
constexpr Duration kPausedLook = 10min; // before what is paused is looked at again, if not sooner
constexpr Duration kSettingsLag = 10s;  // how far our settings may be behind what is accepted
constexpr Duration kLookAgain = 1s;     // for entries of a campaign that goes on, after a change of the settings
constexpr Duration kLagPause = 300ms;   // before a look whether they have come
constexpr unsigned kMemoryMax = 95;     // percent of Redis' memory: outcomes need more of it than what they replace
constexpr std::chrono::seconds kComparePeriod{60}; // hand against memory

bool may_send_as(const Settings& settings, const TenantId& tenant, const EmailAddress& sender)
{
    const auto domain = settings.domains.find(sender.domain());
    return domain != settings.domains.end() && domain->second.verified && domain->second.tenant == tenant;
}

} // namespace

Dispatcher::Dispatcher(const asio::any_io_executor& executor, Options options, Parts parts)
    : executor_{executor},
      options_{std::move(options)},
      parts_{std::move(parts)},
      journal_{options_.journal},
      queue_{parts_.redis, options_.queue},
      settler_{executor, queue_, journal_, parts_.metrics, [this](const queue::Token& token) { gone(token); }},
      park_allowance_{kParkPerSecond, kParkBurst},
      wake_{executor},
      claimed_{parts_.metrics.counter("penguin_queue_claimed_total", "Messages claimed from Redis.")},
      parked_{parts_.metrics.counter("penguin_queue_parked_total", "Messages parked at their site.")},
      paused_{parts_.metrics.counter("penguin_queue_paused_total", "Messages put aside with their paused campaign.")},
      postponed_{parts_.metrics.counter("penguin_queue_postponed_total",
                                        "Messages that wait in Redis for their campaign's sending window.")},
      released_{parts_.metrics.counter("penguin_queue_released_total", "Messages given back unsent.")},
      without_content_{parts_.metrics.counter("penguin_queue_store_away_total",
                                              "Times that a message waited because its content's store was away.")},
      rate_refusals_{parts_.metrics.counter("penguin_delivery_rate_refusals_total",
                                            "Times that a lane stood still because its site refused it for its rate.")},
      rate_down_{
          parts_.metrics.counter("penguin_delivery_rate_steps_total", "Changes of lanes' rates.", {{"way", "down"}})},
      rate_up_{
          parts_.metrics.counter("penguin_delivery_rate_steps_total", "Changes of lanes' rates.", {{"way", "up"}})},
      journal_octets_{parts_.metrics.gauge("penguin_journal_octets", "Size of the journal of outcomes.",
                                           {{"pool", options_.queue.pool.value()}})},
      pauses_held_{parts_.metrics.gauge("penguin_delivery_pauses", "Pauses of reply rules that hold mail.",
                                        {{"pool", options_.queue.pool.value()}})},
      latency_{parts_.metrics.histogram("penguin_delivery_latency_seconds", "Acceptance to the receiver's 250.",
                                        latency_bounds_seconds())}
{
}

Dispatcher::~Dispatcher() = default;

bool Dispatcher::lease_holds() const { return queue_.lease_holds(); }

void Dispatcher::wake() { wake_.cancel(); }

void Dispatcher::hold(bool held)
{
    held_ = held;
    wake();
}

void Dispatcher::settings_changed()
{
    learn_pauses();
    weights_changed_ = true;
    limits_changed_ = true;
    windows_changed_ = true;
    look_for_paused_ = true;
    warmups_.apply(*parts_.settings(), options_.queue.pool);
    look_again_at_ = std::chrono::steady_clock::now() + kLookAgain;
    wake();
}

void Dispatcher::stop(SteadyTime deadline)
{
    stopping_ = true;
    deadline_ = deadline;
    wake();
}

void Dispatcher::note_why_not(std::string why)
{
    const std::lock_guard lock{status_mutex_};
    if (why != status_.why_not && !why.empty()) log::info("delivery", "not_claiming", {{"why", why}});
    status_.why_not = std::move(why);
    status_.in_hand = jobs_.size();
}

Dispatcher::Status Dispatcher::status() const
{
    const std::lock_guard lock{status_mutex_};
    return status_;
}

awaitable<void> Dispatcher::pause(Duration time)
{
    wake_.expires_after(time);
    co_await wake_.async_wait(use_result);
}

awaitable<void> Dispatcher::run()
{
    co_await open_journal();
    asio::co_spawn(executor_, beat_loop(), asio::detached);
    bool settled = false;
    asio::co_spawn(executor_, settler_.run(), [&settled](const std::exception_ptr&) { settled = true; });
    co_await claim_loop();
    co_await wind_down();
    settler_.stop(std::max(deadline_, std::chrono::steady_clock::now() + 5s));
    while (!settled) co_await sleep_for(5ms);
    ended_ = true;
    const Result<> stopped = co_await queue_.stop();
    if (!stopped) log::warning("delivery", "queue_stop_failed", {{"why", stopped.error().detail}});
}

awaitable<void> Dispatcher::claim_loop()
{
    while (!stopping_) {
        if (!queue_.joined()) {
            co_await join();
            continue;
        }
        if (std::chrono::steady_clock::now() - compared_at_ >= kComparePeriod) {
            Result<std::vector<queue::Claimed>> found = co_await compare_hand();
            if (found) take_up(std::move(*found));
        }
        if (weights_changed_) co_await push_weights();
        if (const Result<> loaded = co_await load_warmup_counts(); !loaded)
            log::warning("delivery", "warmup_counts_not_read", {{"why", loaded.error().detail}});
        co_await reopen_campaigns();
        co_await follow_windows();
        const Result<> limited = co_await push_limits();
        const std::size_t room = options_.window - std::min(options_.window, jobs_.size());
        if (const Result<> writable = journal_.writable(); !writable) {
            note_why_not(writable.error().detail);
            co_await pause(kTroublePause);
        } else if (!limited) {
            if (queue_.joined()) note_why_not("the limits of tenants are not in Redis: " + limited.error().detail);
            co_await pause(kTroublePause);
        } else if (queue_.memory_used() >= kMemoryMax) {
            note_why_not("Redis uses " + std::to_string(queue_.memory_used()) + " % of its memory");
            co_await pause(kTroublePause);
        } else if (held_) {
            note_why_not("held");
            co_await pause(kTroublePause);
        } else if (room == 0) {
            co_await pause(kIdlePause);
        } else {
            if (room < kClaimMax) co_await pause(kGatherPause);
            const std::size_t got = co_await claim_once();
            if (stopping_) break;
            if (got == 0 && queue_.joined())
                co_await pause(status_.why_not.empty() ? kIdlePause : kTroublePause);
            else if (got < kClaimMax / 2)
                co_await pause(kGatherPause);
        }
    }
    note_why_not("stopping");
}

awaitable<std::size_t> Dispatcher::claim_once()
{
    const std::size_t room = options_.window - std::min(options_.window, jobs_.size());
    const bool may_park = park_allowance_.level(std::chrono::steady_clock::now()) >= 1;
    // A place is looked at twice in a call, and a site that is not full has half its window free.
    const queue::ClaimRequest request{.max = std::min(kClaimMax, room),
                                      .ready_max = may_park ? kClaimMax : 0,
                                      .per_tenant = kClaimPerTenant,
                                      .per_place = std::max<std::size_t>(1, least_window() / 4),
                                      .room = rooms(queue_.now())};
    Result<std::vector<queue::Claimed>> claimed = co_await queue_.claim(request);
    if (!claimed) {
        if (!queue_.joined()) co_return 0;
        note_why_not(claimed.error().detail);
        co_return 0;
    }
    note_why_not("");
    claimed_.add(claimed->size());
    for (queue::Claimed& one : *claimed) take(std::move(one));
    co_return claimed->size();
}

void Dispatcher::take(queue::Claimed claimed)
{
    const auto job = std::make_shared<Job>(this, std::move(claimed));
    jobs_.emplace(job->token, job);
    const WallTime now = queue_.now();
    if (revoked_.contains(job->entry.id)) { // its outcome under an older token comes late, and ends it
        released_.add();
        return settler_.release(job->token, now + kAvoidPause);
    }
    if (!held_back(job, policy::hold_on(situation_of(*job, *parts_.settings(), now)), now)) route(job);
}

void Dispatcher::route(const JobPtr& job)
{
    const DomainName& domain = job->entry.to.domain();
    job->route = parts_.routes.cached(domain, std::chrono::steady_clock::now());
    if (job->route) return dispatch(job);
    auto look_up = [](Dispatcher& self, JobPtr job) -> awaitable<void> {
        job->route = co_await self.parts_.routes.find(job->entry.to.domain());
        self.dispatch(job);
    };
    asio::co_spawn(executor_, look_up(*this, job), asio::detached);
}

void Dispatcher::dispatch(const JobPtr& job)
{
    crash_point("delivery.dispatch.before");
    const WallTime now = queue_.now();
    if (!*job->route) {
        const Error& error = job->route->error();
        return finished({.job = job,
                         .verdict = policy::decide_route(error),
                         .outcome = smtp::Outcome::lost(smtp::Phase::resolve, error)});
    }
    const std::shared_ptr<const Settings> settings = parts_.settings();
    job->source = source_of(*job, *settings, now);
    if (held_back(job, policy::hold_on(situation_of(*job, *settings, now)), now)) return;
    if (job->entry.from) {
        const SendingDomain& domain = settings->domains.at(job->entry.from->domain()); // hold_on saw that it is there
        job->sender = parts_.return_path.make(job->entry.id, domain.bounce_host);
    }
    Site& site = sites_[(*job->route)->site];
    LaneState& lane = site.lanes[job->source->id];
    job->probe = lane.backoff.open() || lane.pace.open();
    if (lane.pace.room(now) == 0 || !lane.backoff.admits(now)) { // its probe is out
        if (all_lanes_hold(site, now)) site.full_until = now + kProbeLook;
        return park(*job);
    }
    lane.pace.go(now);
    Share& share = site.share_of(*job);
    if (share.offered.value_or(0) > 0) --*share.offered;
    if (++share.in_hand >= share.window.size(least_window(), std::chrono::steady_clock::now())) share.full = true;
    count_for_warmup(*job, *settings, now);
    parts_.offer(job);
    crash_point("delivery.dispatch.after");
}

WallTime Dispatcher::end_of_life(const Job& job) const
{
    return policy::end_of_life(options_.retry, job.entry.life_begins(), job.entry.expires);
}

// When a deferred message may go again: in its campaign's window; expired on time should that open too late.
WallTime Dispatcher::next_in_window(const Job& job, WallTime next) const
{
    const WallTime opens = parts_.settings()->opens(job.entry.tenant, job.entry.campaign, job.entry.vars, next);
    return std::max(next, std::min(opens, end_of_life(job)));
}

// Before the route is known only what concerns the message itself can hold it.
policy::Situation Dispatcher::situation_of(const Job& job, const Settings& settings, WallTime now)
{
    const auto tenant = settings.tenants.find(job.entry.tenant);
    const std::optional<CampaignState> stopped = settings.stopped(job.entry.tenant, job.entry.campaign);
    policy::Situation at{.now = now,
                         .end_of_life = end_of_life(job),
                         .suppressed = settings.suppressions->covers(job.entry.tenant, job.entry.to),
                         .campaign_cancelled = stopped == CampaignState::cancelled,
                         .campaign_paused = stopped == CampaignState::paused,
                         .tenant_suspended = tenant == settings.tenants.end() || tenant->second.suspended,
                         .sender_unverified =
                             job.entry.from && !may_send_as(settings, job.entry.tenant, *job.entry.from),
                         .not_before = job.entry.not_before,
                         .window_opens = settings.opens(job.entry.tenant, job.entry.campaign, job.entry.vars, now),
                         .site_window = least_window()};
    if (!job.route || !*job.route) return at;
    at.has_source = job.source.has_value();
    if (job.source && !pauses_.empty()) at.pause = pauses_.on(subject_of(job, *settings.rules), now);
    if (job.source) at.warmup = warmup_hold(job, settings, now);
    const auto site = sites_.find((*job.route)->site);
    if (site == sites_.end() || !job.source) return at;
    const Share& share = site->second.share_of(job);
    at.site_in_hand = share.in_hand;
    at.site_window = share.window.size(at.site_window, std::chrono::steady_clock::now());
    if (share.offered == 0) at.site_in_hand = std::max(at.site_in_hand, at.site_window);
    if (const auto lane = site->second.lanes.find(job.source->id); lane != site->second.lanes.end()) {
        at.lane_backoff_until = lane->second.backoff.until();
        at.lane_rate_until = lane->second.pace.until(now);
    }
    return at;
}

// True: it does not go now, and where it waits instead is arranged.
bool Dispatcher::held_back(const JobPtr& job, const std::optional<policy::Hold>& hold, WallTime now)
{
    if (!hold) return false;
    switch (hold->limit) {
    case policy::Limit::expired:
        settler_.settle(settlement_of_end(*job, queue::EventKind::expired, policy::BounceClass::expired, now));
        break;
    case policy::Limit::suppressed:
        settler_.settle(settlement_of_end(*job, queue::EventKind::suppressed, policy::BounceClass::suppressed, now));
        break;
    case policy::Limit::cancelled:
        settler_.settle(settlement_of_end(*job, queue::EventKind::cancelled, policy::BounceClass::none, now));
        break;
    case policy::Limit::campaign_paused:
        paused_.add();
        settler_.park(job->token, queue::place_of({job->entry.tenant, *job->entry.campaign}));
        break;
    case policy::Limit::unverified: {
        // Its domain was verified when it was accepted: what came just now is ahead of our settings.
        const bool ahead = now - job->entry.queued < kSettingsLag;
        released_.add();
        settler_.release(job->token, now + (ahead ? kLagPause : kAvoidPause));
        break;
    }
    case policy::Limit::sending_window:
        postponed_.add();
        settler_.postpone(job->token, std::min(*hold->until, end_of_life(*job)));
        break;
    case policy::Limit::not_before:
    case policy::Limit::suspended:
    case policy::Limit::no_source:
        released_.add();
        settler_.release(job->token, hold->until.value_or(now + kAvoidPause));
        break;
    case policy::Limit::paused:
        released_.add();
        settler_.release(job->token, std::min(*hold->until, now + kPausedLook));
        break;
    case policy::Limit::warmup_stopped:
    case policy::Limit::warmup_hours:
    case policy::Limit::warmup_day:
    case policy::Limit::warmup_hour:
    case policy::Limit::warmup_pace: wait_for_warmup(*job, hold->limit, now); break;
    case policy::Limit::tenant_rate:
    case policy::Limit::tenant_quota:
    case policy::Limit::tenant_uncounted: // Redis holds them: what is claimed may go
        return false;
    case policy::Limit::lane_backoff:
    case policy::Limit::lane_rate:
    case policy::Limit::site_window: {
        Site& site = sites_[(*job->route)->site];
        if (hold->until && all_lanes_hold(site, now)) site.full_until = hold->until;
        park(*job);
        break;
    }
    }
    return true;
}

void Dispatcher::finished(Finished finished)
{
    const WallTime now = queue_.now();
    const Job& job = *finished.job;
    finished.job->when_told = std::move(finished.when_told);
    note_sign(finished, now);
    if (job.source && !job.warmup.empty()) warmups_.done(job.source->id, job.warmup, heard(finished), now);
    react(finished, now);
    // Revoked: the entry is another node's by now. A final outcome is told all the same; the script marks it late.
    if (finished.verdict.kind == policy::Verdict::Kind::give_back) return give_back(finished, now);
    queue::Settlement settlement = settlement_of(finished, options_.retry, now, random());
    queue::Event& event = settlement.event;
    if (settlement.retry) settlement.retry_at = next_in_window(job, settlement.retry_at);
    // It is not tried again: due at once, it is claimed and ends as cancelled.
    if (settlement.retry && cancelled(job)) settlement.retry_at = now;
    if (settlement.retry) event.next = settlement.retry_at;
    outcomes_of(event.kind, finished.verdict.klass).add();
    if (event.kind == queue::EventKind::delivered) latency_.observe(static_cast<double>(event.latency_ms) / 1000);
    log::debug("delivery", name_of(event.kind),
               {{"message", job.entry.id.text()}, {"remote", event.remote}, {"reply", event.reply}});
    settler_.settle(settlement);
}

Counter& Dispatcher::outcomes_of(queue::EventKind kind, policy::BounceClass klass)
{
    Counter*& counter = outcomes_[{kind, klass}];
    if (counter == nullptr)
        counter = &parts_.metrics.counter(
            "penguin_delivery_outcomes_total", "What became of attempts.",
            {{"kind", std::string{name_of(kind)}}, {"class", std::string{policy::name_of(klass)}}});
    return *counter;
}

void Dispatcher::give_back(const Finished& finished, WallTime now)
{
    const Job& job = *finished.job;
    if (finished.verdict.rule == "lane-backoff") return park(job);
    if ((finished.verdict.rule == kCampaignStopped || finished.verdict.rule == kPaused) &&
        held_back(finished.job, policy::hold_on(situation_of(job, *parts_.settings(), now)), now))
        return;
    released_.add();
    if (finished.verdict.rule == policy::kStoreAway && !stopping_) return wait_for_store(finished, now);
    const bool ours = finished.verdict.klass == policy::BounceClass::local_fault && !stopping_;
    if (ours)
        log::error("delivery", "local_fault", {{"why", finished.outcome.error ? finished.outcome.error->detail : ""}});
    settler_.release(job.token, ours ? std::optional{now + kAvoidPause} : std::nullopt);
}

void Dispatcher::wait_for_store(const Finished& finished, WallTime now)
{
    without_content_.add();
    const SteadyTime steady = std::chrono::steady_clock::now();
    if (steady - store_away_told_ >= options_.store_pause) {
        store_away_told_ = steady;
        log::warning("delivery", "store_away", {{"why", finished.outcome.error->detail}});
    }
    settler_.release(finished.job->token, now + options_.store_pause);
}

bool Dispatcher::cancelled(const Job& job) const
{
    return parts_.settings()->stopped(job.entry.tenant, job.entry.campaign) == CampaignState::cancelled;
}

void Dispatcher::gone(const queue::Token& token)
{
    const auto found = jobs_.find(token);
    if (found == jobs_.end()) return;
    if (found->second->when_told) found->second->when_told();
    if (found->second->revoked) revoked_.erase(found->second->entry.id);
    jobs_.erase(found);
    if (jobs_.size() + kClaimMax == options_.window) wake();
    if (stopping_ && jobs_.empty()) wake();
}

// Transactions in progress finish until the deadline, and are cut then: where the server may have the message that is its
// outcome. Whatever has none goes back as it is.
awaitable<void> Dispatcher::wind_down()
{
    while (!jobs_.empty() && std::chrono::steady_clock::now() < deadline_) co_await pause(20ms);
    if (!jobs_.empty()) parts_.cut();
    const SteadyTime end = std::chrono::steady_clock::now() + kCutLimit;
    const auto has_outcome = [this](const auto& entry) { return settler_.holds(entry.first); };
    while (!std::ranges::all_of(jobs_, has_outcome) && std::chrono::steady_clock::now() < end) co_await pause(20ms);
    std::size_t cut = 0;
    for (const auto& [token, job] : jobs_) {
        if (settler_.holds(token)) continue;
        job->revoked = true;
        settler_.release(token, std::nullopt);
        ++cut;
    }
    if (cut > 0) log::warning("delivery", "stopped_in_transaction", {{"messages", cut}});
}

} // namespace penguin::delivery
