// What the dispatcher knows of sites: how much mail of each it may hold, what waits there, and what attempts told of their lanes.
#include <algorithm>

#include "engine/base/log.h"
#include "engine/delivery/dispatcher.h"

namespace penguin::delivery {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kParkedMax = 50;   // entries of a claim that were parked, before it takes what is fresh
constexpr double kParkPerMessage = 0.25; // parkings that a message allows that is done
constexpr std::size_t kAnyNumber = 1'000'000;
constexpr Duration kWaitingFor = 2s; // after something was parked at a place, more of it may wait there

} // namespace

std::size_t Dispatcher::least_window() const
{
    const std::shared_ptr<const Settings> settings = parts_.settings();
    const std::size_t lanes = std::max<std::size_t>(1, settings->sources.size());
    return kSiteWindow * std::min(settings->limits.site_connections, settings->limits.connections * lanes);
}

// Of places that are full, of quick ones, and of those where something waits: it is older than what a claim finds in ready
// lists, and has all the room, so that who goes next is decided in one queue.
std::map<std::string, std::size_t> Dispatcher::rooms(WallTime now)
{
    const SteadyTime steady = std::chrono::steady_clock::now();
    const std::size_t least = least_window();
    std::map<std::string, std::size_t> rooms;
    for (auto& [name, site] : sites_) {
        const bool away = site.full_until && now < *site.full_until;
        const std::size_t paced = room_of_lanes(site, now);
        for (std::size_t i = 0; i < site.shares.size(); ++i) {
            Share& share = site.shares[i];
            const auto prio = static_cast<queue::Priority>(i);
            const bool waiting = steady - share.parked_at < kWaitingFor;
            const std::size_t window = share.window.size(least, steady);
            share.full = share.in_hand > window / 2 && (share.full || waiting);
            share.offered.reset();
            if (waiting) share.offered = share.full ? 0 : std::min({window - share.in_hand, kParkedMax, paced});
            const bool was_parked = prio == queue::Priority::normal || share.parked_at != SteadyTime{};
            if (share.full || (away && was_parked))
                rooms.emplace(queue::waiting_place(name.value(), prio), 0);
            else if (waiting)
                rooms.emplace(queue::waiting_place(name.value(), prio), *share.offered);
            else if (window > least || paced < window)
                rooms.emplace(queue::waiting_place(name.value(), prio),
                              std::min(window - std::min(window, share.in_hand), paced));
        }
    }
    return rooms;
}

// By the rates that its lanes have found; a lane that has none takes any number.
std::size_t Dispatcher::room_of_lanes(const Site& site, WallTime now)
{
    if (site.lanes.empty()) return kAnyNumber;
    std::size_t room = 0;
    for (const auto& [source, lane] : site.lanes)
        room += std::min(lane.pace.room(now).value_or(kAnyNumber), kAnyNumber);
    return room;
}

bool Dispatcher::all_lanes_hold(const Site& site, WallTime now)
{
    return std::ranges::all_of(site.lanes, [now](const auto& entry) {
        const LaneState& lane = entry.second;
        return !lane.backoff.would_admit(now) || lane.pace.room(now) == 0;
    });
}

void Dispatcher::note_sign(const Finished& finished, WallTime now)
{
    const Job& job = *finished.job;
    if (!job.route || !*job.route || !job.source) return;
    const auto found = sites_.find((*job.route)->site);
    if (found == sites_.end()) return;
    Site& site = found->second;
    LaneState& lane = site.lanes[job.source->id];
    Share& share = site.share_of(job);
    if (share.in_hand > 0) --share.in_hand;
    const SteadyTime steady = std::chrono::steady_clock::now();
    if (finished.verdict.kind != policy::Verdict::Kind::give_back) {
        share.window.done(steady);
        park_allowance_.give(kParkPerMessage, steady);
    }
    if (share.full && share.in_hand <= share.window.size(least_window(), steady) / 2)
        wake(); // the next claim is for it too
    note_pace(finished, lane, now);
    switch (finished.sign) {
    case LaneSign::connected:
        lane.backoff.connected();
        site.full_until = lane.pace.until(now);
        break;
    case LaneSign::refused:
        lane.backoff.failed(options_.backoff, now);
        if (all_lanes_hold(site, now)) site.full_until = lane.backoff.until();
        log::info("delivery", "lane_backing_off",
                  {{"site", found->first.value()},
                   {"source", job.source->address.to_string()},
                   {"until", to_rfc3339(*lane.backoff.until())}});
        break;
    case LaneSign::none:
        if (job.probe) lane.backoff.probe_abandoned();
        break;
    }
}

void Dispatcher::park(const Job& job)
{
    const SteadyTime now = std::chrono::steady_clock::now();
    parked_.add();
    park_allowance_.take(1, now);
    sites_[(*job.route)->site].share_of(job).parked_at = now;
    settler_.park(job.token, (*job.route)->site.value());
}

void Dispatcher::forget_quiet_sites(WallTime now)
{
    const auto quiet = [&](const auto& lane) {
        return lane.second.backoff.quiet(options_.backoff, now) && lane.second.pace.quiet(now);
    };
    std::erase_if(sites_, [&](const auto& entry) {
        const Site& site = entry.second;
        const bool idle = std::ranges::all_of(site.shares, [](const Share& share) { return share.in_hand == 0; });
        return idle && std::ranges::all_of(site.lanes, quiet) && (!site.full_until || *site.full_until <= now);
    });
}

} // namespace penguin::delivery
