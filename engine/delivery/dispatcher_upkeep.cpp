// What the dispatcher does beside the mail: the lease, the hand that Redis says we have, tenants' weights, what is left over.
#include <set>

#include "engine/base/log.h"
#include "engine/delivery/dispatcher.h"

namespace penguin::delivery {

namespace {

constexpr std::chrono::seconds kJanitorPeriod{60};

} // namespace

// After a start, a reconnect and each minute: what Redis says is ours against what we know. A claim whose reply was
// lost is taken up; an entry that is another node's by now is revoked.
awaitable<void> Dispatcher::compare_hand()
{
    const std::uint64_t generation = parts_.redis.generation();
    std::set<queue::Token> known;
    for (const auto& [token, job] : jobs_)
        if (!settler_.holds(token)) known.insert(token);
    Result<std::vector<queue::Claimed>> hand = co_await queue_.hand();
    if (!hand) {
        note_why_not(hand.error().detail);
        co_await pause(kTroublePause);
        co_return;
    }
    compared_generation_ = generation;
    compared_at_ = std::chrono::steady_clock::now();
    std::size_t found = 0;
    for (queue::Claimed& one : *hand) {
        known.erase(one.token);
        if (jobs_.contains(one.token)) continue;
        ++found;
        take(std::move(one));
    }
    for (const queue::Token& token : known) {
        const auto lost = jobs_.find(token);
        if (lost != jobs_.end() && !settler_.holds(token)) lost->second->revoked = true;
    }
    if (found > 0 || !known.empty())
        log::info("delivery", "hand_compared", {{"taken_up", found}, {"revoked", known.size()}});
}

awaitable<void> Dispatcher::push_weights()
{
    weights_changed_ = false;
    const std::shared_ptr<const Settings> settings = parts_.settings();
    for (const auto& [tenant, values] : settings->tenants) {
        if (values.pool != options_.queue.pool) continue;
        const auto known = weights_.find(tenant);
        if (known == weights_.end() ? values.weight == 1 : known->second == values.weight) continue;
        const Result<> set = co_await queue_.set_weight(tenant, values.weight);
        if (!set) {
            weights_changed_ = true; // at the next pass
            co_return;
        }
        weights_[tenant] = values.weight;
    }
}

// The lease, and once a minute what a producer that died between its two commands left behind.
awaitable<void> Dispatcher::beat_loop()
{
    SteadyTime tidied = std::chrono::steady_clock::now();
    bool more = true;
    while (more && !(stopping_ && jobs_.empty())) {
        const Result<> beat = co_await queue_.heartbeat(stopping_ ? "stopping" : held_ ? "held" : "running");
        if (!beat) {
            log::warning("delivery", "heartbeat_failed", {{"why", beat.error().detail}});
            if (beat.error().code == Errc::stale)
                for (const auto& [token, job] : jobs_) job->revoked = true;
        }
        if (std::chrono::steady_clock::now() - tidied >= kJanitorPeriod) {
            tidied = std::chrono::steady_clock::now();
            const Result<> tidy = co_await queue_.janitor();
            if (!tidy) log::warning("delivery", "janitor_failed", {{"why", tidy.error().detail}});
            forget_quiet_sites(wall_now());
        }
        more = co_await sleep_for(beat ? Duration{options_.queue.lease} / 3 : Duration{kTroublePause});
    }
}

void Dispatcher::forget_quiet_sites(WallTime now)
{
    std::erase_if(sites_, [now](const auto& entry) {
        const Site& site = entry.second;
        const bool backing_off = std::ranges::any_of(site.lanes, [](const auto& lane) { return lane.second.open(); });
        return site.in_hand == 0 && !backing_off && (!site.full_until || *site.full_until <= now);
    });
}

} // namespace penguin::delivery
