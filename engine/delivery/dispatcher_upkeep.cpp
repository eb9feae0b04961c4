// What the dispatcher does beside the mail: the lease, the hand that Redis says we have, tenants' weights, campaigns that go on,
// what is left over.
#include <set>
#include <utility>

#include "engine/base/log.h"
#include "engine/delivery/dispatcher.h"

namespace penguin::delivery {

namespace {

constexpr std::chrono::seconds kJanitorPeriod{60};
constexpr Duration kConnectLimit = std::chrono::seconds{1};
constexpr std::size_t kReopensAPass = 10; // calls, of up to 1,000 entries each, between two claims

} // namespace

awaitable<void> Dispatcher::open_journal()
{
    while (!stopping_) {
        const Result<> opened = journal_.open();
        if (opened) break;
        note_why_not(opened.error().detail);
        co_await pause(kTroublePause);
    }
    queue_.keeps_journal(journal_.identity());
}

// Until Redis has us under our name and knows what we know. It may be away, another incarnation's lease may have to run out,
// and after a loss of data other nodes may have to tell what they know first.
awaitable<void> Dispatcher::join()
{
    while (!stopping_) {
        const Result<> joined = co_await try_to_join();
        if (joined) co_return;
        note_why_not(joined.error().detail);
        co_await pause(kTroublePause);
    }
}

awaitable<Result<>> Dispatcher::try_to_join()
{
    settler_.pause();
    if (Result<> up = co_await parts_.redis.connected_within(kConnectLimit); !up) co_return up;
    const Result<queue::Joined> joined = co_await queue_.join(options_.crashed_before);
    if (!joined) co_return std::unexpected{joined.error()};
    options_.crashed_before = false;
    write_hand_ = write_hand_ || joined->data_lost;
    if (Result<> told = co_await settler_.catch_up(joined->told, joined->stream_end); !told) co_return told;
    if (Result<> written = co_await write_hand_again(); !written) co_return written;
    Result<std::vector<queue::Claimed>> found = co_await compare_hand();
    if (!found) co_return std::unexpected{found.error()};
    settler_.resume();
    warmups_.apply(*parts_.settings(), options_.queue.pool);
    if (Result<> counted = co_await load_warmup_counts(); !counted) co_return counted;
    if (Result<> others = co_await wait_for_others(); !others) co_return others;
    look_for_paused_ = true;
    limits_.reset(); // others may have set some meanwhile, or Redis lost them
    limits_changed_ = true;
    learned_.reset(); // by Redis' clock, which is known from now on
    learn_pauses();
    take_up(std::move(*found));
    co_return Result<>{};
}

awaitable<Result<>> Dispatcher::write_hand_again()
{
    if (!write_hand_) co_return Result<>{};
    std::vector<queue::Held> held;
    for (const auto& [token, job] : jobs_) {
        if (job->revoked) continue;
        const bool has_site = job->route && *job->route;
        held.push_back({token, job->entry, has_site ? (*job->route)->site.value() : ""});
    }
    const Result<std::vector<queue::Token>> lost = co_await queue_.rehand(held);
    if (!lost) co_return std::unexpected{lost.error()};
    for (const queue::Token& token : *lost)
        if (const auto job = jobs_.find(token); job != jobs_.end()) revoke(*job->second);
    write_hand_ = false;
    weights_.clear();
    weights_changed_ = true;
    log::info("delivery", "hand_written_again", {{"entries", held.size()}, {"revoked", lost->size()}});
    co_return Result<>{};
}

awaitable<Result<>> Dispatcher::wait_for_others()
{
    while (true) {
        const Result<std::vector<std::string>> awaited = co_await queue_.recovered();
        if (!awaited) co_return std::unexpected{awaited.error()};
        if (awaited->empty()) co_return Result<>{};
        if (stopping_) co_return fail(Errc::cancelled, "stopping");
        note_why_not("Redis may have lost data: node " + awaited->front() + " has not told its journal yet");
        co_await pause(kTroublePause);
    }
}

// After a join and each minute: what Redis says is ours against what we know. An entry that is another node's by now is
// revoked. Gives what a claim brought whose reply was lost.
awaitable<Result<std::vector<queue::Claimed>>> Dispatcher::compare_hand()
{
    std::set<queue::Token> known;
    for (const auto& [token, job] : jobs_)
        if (!settler_.holds(token)) known.insert(token);
    Result<std::vector<queue::Claimed>> hand = co_await queue_.hand();
    if (!hand) co_return std::unexpected{hand.error()};
    compared_at_ = std::chrono::steady_clock::now();
    std::vector<queue::Claimed> found;
    for (queue::Claimed& one : *hand) {
        known.erase(one.token);
        if (!jobs_.contains(one.token)) found.push_back(std::move(one));
    }
    for (const queue::Token& token : known) {
        const auto lost = jobs_.find(token);
        if (lost != jobs_.end() && !settler_.holds(token)) revoke(*lost->second);
    }
    if (!found.empty() || !known.empty())
        log::info("delivery", "hand_compared", {{"taken_up", found.size()}, {"revoked", known.size()}});
    co_return found;
}

void Dispatcher::revoke(Job& job)
{
    job.revoked = true;
    revoked_.insert(job.entry.id);
}

void Dispatcher::take_up(std::vector<queue::Claimed> found)
{
    for (queue::Claimed& one : found) take(std::move(one));
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

// Before the next claim: a Redis that lost its data has no limits either. Of all tenants, since one that was moved to another pool
// may have mail left here.
awaitable<Result<>> Dispatcher::push_limits()
{
    if (!limits_changed_) co_return Result<>{};
    if (!limits_) {
        Result<> read = co_await read_limits();
        if (!read) co_return read;
    }
    limits_changed_ = false; // what changes during the call is set by the next
    queue::SendQueue::LimitsByTenant changed = limits_to_set(*parts_.settings());
    if (changed.empty()) co_return Result<>{};
    Result<> set = co_await queue_.set_limits(changed);
    limits_changed_ = limits_changed_ || !set;
    if (!set || !limits_) co_return set;
    for (const auto& [tenant, limits] : changed) {
        if (limits.any())
            limits_->insert_or_assign(tenant, limits);
        else
            limits_->erase(tenant);
    }
    log::info("delivery", "limits_set", {{"tenants", changed.size()}});
    co_return Result<>{};
}

awaitable<Result<>> Dispatcher::read_limits()
{
    Result<queue::SendQueue::LimitsByTenant> found = co_await queue_.limits();
    if (!found) co_return std::unexpected{found.error()};
    limits_ = std::move(*found);
    co_return Result<>{};
}

// What Redis has otherwise. Old settings set only what it lacks: the rest may be newer.
queue::SendQueue::LimitsByTenant Dispatcher::limits_to_set(const Settings& settings) const
{
    queue::SendQueue::LimitsByTenant changed;
    for (const auto& [tenant, values] : settings.tenants) {
        const auto known = limits_->find(tenant);
        const bool differs = known != limits_->end() && known->second != values.limits && !settings.from_disk;
        if (differs || (known == limits_->end() && values.limits.any())) changed.emplace(tenant, values.limits);
    }
    for (const auto& [tenant, known] : *limits_)
        if (!settings.tenants.contains(tenant) && !settings.from_disk) changed.emplace(tenant, queue::TenantLimits{});
    return changed;
}

// What waits with a campaign that is not paused any more goes back to the ready lists; one that was cancelled meets its end
// there. A node may have put entries aside before it saw the change, so each looks after a change of its settings. Old
// settings are no reason to wake what others may have paused since.
awaitable<void> Dispatcher::reopen_campaigns()
{
    if (parts_.settings()->from_disk) co_return;
    if (look_for_paused_ || std::chrono::steady_clock::now() >= look_again_at_) {
        if (!look_for_paused_) look_again_at_ = SteadyTime::max();
        look_for_paused_ = false; // before the call: what changes meanwhile is looked at again
        Result<std::vector<CampaignKey>> waiting = co_await queue_.paused();
        look_for_paused_ = look_for_paused_ || !waiting;
        if (!waiting) co_return; // at the next pass
        to_reopen_ = std::move(*waiting);
    }
    for (std::size_t calls = 0; calls < kReopensAPass && !to_reopen_.empty();) {
        const CampaignKey campaign = to_reopen_.back();
        Result<bool> empty = true;
        if (parts_.settings()->stopped(campaign.tenant, campaign.id) != CampaignState::paused) {
            empty = co_await queue_.reopen(campaign);
            ++calls;
        }
        if (!empty) co_return;
        if (*empty) to_reopen_.pop_back();
    }
}

// Mail that was put off by a window that is another by now is looked at again; what was tried once keeps its time.
awaitable<void> Dispatcher::follow_windows()
{
    if (std::exchange(windows_changed_, false)) note_windows(*parts_.settings());
    for (std::size_t calls = 0; calls < kReopensAPass && !to_hasten_.empty(); ++calls) {
        const auto [campaign, cursor] = to_hasten_.back();
        const auto next = co_await queue_.hasten(campaign, cursor);
        if (!next) co_return; // at the next pass
        if (*next)
            to_hasten_.back().second = **next;
        else
            to_hasten_.pop_back();
    }
}

void Dispatcher::note_windows(const Settings& settings)
{
    if (settings.from_disk) return;
    if (windows_)
        for (const auto& [campaign, window] : *windows_) {
            const auto now = settings.windows.find(campaign);
            if (now == settings.windows.end() || now->second != window) to_hasten_.emplace_back(campaign, 0);
        }
    windows_ = settings.windows;
}

// The lease, and once a minute what a producer that died between its two commands left behind.
awaitable<void> Dispatcher::beat_loop()
{
    SteadyTime tidied = std::chrono::steady_clock::now();
    bool more = true;
    while (more && !(stopping_ && jobs_.empty()) && !ended_) {
        if (!queue_.joined()) { // the claim loop sees to that
            more = co_await sleep_for(kTroublePause);
            continue;
        }
        const Result<> beat = co_await queue_.heartbeat(stopping_ ? "stopping" : held_ ? "held" : "running");
        if (!beat) log::warning("delivery", "heartbeat_failed", {{"why", beat.error().detail}});
        co_await trim_journal();
        show_warmup_levels();
        if (std::chrono::steady_clock::now() - tidied >= kJanitorPeriod) {
            tidied = std::chrono::steady_clock::now();
            look_for_paused_ = true; // should a node have died before it reopened one
            const Result<> tidy = co_await queue_.janitor();
            if (!tidy) log::warning("delivery", "janitor_failed", {{"why", tidy.error().detail}});
            forget_quiet_sites(queue_.now());
            pauses_.tidy(queue_.now());
            pauses_held_.set(static_cast<std::int64_t>(pauses_.size()));
        }
        more = co_await sleep_for(beat ? Duration{options_.queue.lease} / 3 : Duration{kTroublePause});
    }
}

awaitable<void> Dispatcher::trim_journal()
{
    const Result<std::string> position = co_await queue_.ledger_position();
    const Result<queue::StreamPosition> parsed = queue::StreamPosition::parse(position ? *position : "");
    if (parsed) journal_.confirmed(*parsed, std::chrono::steady_clock::now());
    journal_octets_.set(static_cast<std::int64_t>(journal_.octets()));
}

} // namespace penguin::delivery
