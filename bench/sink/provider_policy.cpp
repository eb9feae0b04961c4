#include "bench/sink/provider_policy.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "bench/sink/lot.h"
#include "bench/sink/reputation_book.h"

namespace penguin::bench {

namespace {

using Action = ProviderVerdict::Action;

std::uint32_t part_of(std::uint32_t limit, double allowed)
{
    return static_cast<std::uint32_t>(std::max(1.0, std::floor(limit * std::min(allowed, 1e9 / limit))));
}

ProviderVerdict refused(const ProviderAnswer& answer, ProviderReason reason, const ProviderVisit& visit,
                        const ProviderStep& step = {})
{
    ProviderVerdict verdict{.reason = reason};
    if (answer.code == 0)
        verdict.action = Action::drop;
    else
        verdict.reply = answer.reply(visit.address, step.recipient, domain_of(step.sender));
    return verdict;
}

} // namespace

std::string_view name_of(ProviderReason reason)
{
    switch (reason) {
    case ProviderReason::none: return "none";
    case ProviderReason::concurrent_connections: return "concurrent-connections";
    case ProviderReason::connection_rate: return "connection-rate";
    case ProviderReason::message_rate: return "message-rate";
    case ProviderReason::messages_per_connection: return "messages-per-connection";
    case ProviderReason::messages_per_day: return "messages-per-day";
    case ProviderReason::recipients_per_transaction: return "recipients-per-transaction";
    case ProviderReason::tls_required: return "tls-required";
    case ProviderReason::greylisted: return "greylisting";
    case ProviderReason::unknown: return "unknown";
    case ProviderReason::full: return "full";
    case ProviderReason::fault: return "faults";
    case ProviderReason::throttled: return "reputation-throttled";
    case ProviderReason::deferred: return "reputation-deferred";
    case ProviderReason::blocked: return "reputation-blocked";
    }
    return "";
}

const ProviderLimit* ProviderPolicy::Window::in_the_way(const std::optional<ProviderLimit>& limit, double allowed,
                                                        SteadyTime now)
{
    if (!limit) return nullptr;
    if (used == 0 || now - began >= limit->per) {
        began = now;
        used = 0;
    }
    return used < part_of(limit->max, allowed) ? nullptr : &*limit;
}

ProviderVerdict ProviderPolicy::judge(ProviderVisit& visit, const ProviderStep& step, SteadyTime now)
{
    ProviderVerdict verdict;
    switch (step.phase) {
    case SinkPhase::greeting: verdict = arrive(visit, step.standing, now); break;
    case SinkPhase::mail: verdict = mail(visit, step, now); break;
    case SinkPhase::rcpt: verdict = rcpt(visit, step, now); break;
    case SinkPhase::ehlo:
    case SinkPhase::starttls:
    case SinkPhase::data: break;
    case SinkPhase::body: verdict = body(visit, now); break;
    }
    if (verdict.reason != ProviderReason::none)
        ++visit.refusals;
    else
        afflict(verdict, visit, step.phase);
    if (profile_->tarpit && visit.refusals >= profile_->tarpit->refusals) verdict.delay += profile_->tarpit->delay;
    return verdict;
}

ProviderVerdict ProviderPolicy::arrive(ProviderVisit& visit, const ProviderStanding& standing, SteadyTime now)
{
    Client& from = client(visit.address);
    visit.number = ++from.connections;
    const auto& at_once = profile_->concurrent_connections;
    if (at_once &&
        from.open >= std::min(part_of(at_once->max, standing.allowed), standing.connections.value_or(UINT32_MAX)))
        return refused(at_once->answer, ProviderReason::concurrent_connections, visit);
    if (const ProviderLimit* limit = from.connecting.in_the_way(profile_->connection_rate, standing.allowed, now))
        return refused(limit->answer, ProviderReason::connection_rate, visit);
    ++from.connecting.used;
    if (from.open++ == 0) idle_.erase(from.idle);
    visit.open = true;
    return {};
}

void ProviderPolicy::leave(ProviderVisit& visit)
{
    if (!visit.open) return;
    visit.open = false;
    Client& from = clients_.at(visit.address); // not forgotten while a connection is open
    if (--from.open > 0) return;
    from.idle = idle_.insert(idle_.begin(), visit.address);
    forget_oldest();
}

// Its limits from the narrowest to the widest; nothing is used up unless all have room.
ProviderVerdict ProviderPolicy::mail(ProviderVisit& visit, const ProviderStep& step, SteadyTime now)
{
    if (profile_->tls_required && !step.tls)
        return refused(*profile_->tls_required, ProviderReason::tls_required, visit);
    const auto& here = profile_->messages_per_connection;
    if (here && visit.messages >= here->max)
        return refused(here->answer, ProviderReason::messages_per_connection, visit);
    Client& from = client(visit.address);
    if (const ProviderLimit* limit = from.messages.in_the_way(profile_->message_rate, step.standing.allowed, now))
        return refused(limit->answer, ProviderReason::message_rate, visit);
    if (const ProviderLimit* limit = from.day.in_the_way(profile_->messages_per_day, step.standing.allowed, now))
        return refused(limit->answer, ProviderReason::messages_per_day, visit);
    if (step.standing.answer != nullptr) return refused(*step.standing.answer, step.standing.reason, visit, step);
    ++visit.messages;
    ++from.messages.used;
    ++from.day.used;
    return {};
}

ProviderVerdict ProviderPolicy::rcpt(const ProviderVisit& visit, const ProviderStep& step, SteadyTime now)
{
    const auto& most = profile_->recipients_per_transaction;
    if (most && step.recipients > most->max)
        return refused(most->answer, ProviderReason::recipients_per_transaction, visit, step);
    const double place = lot_of(profile_->seed, {"mailbox", step.recipient});
    const double unknown = profile_->unknown ? profile_->unknown->share : 0;
    if (profile_->unknown && place < unknown)
        return refused(profile_->unknown->answer, ProviderReason::unknown, visit, step);
    if (const ProviderAnswer* later = greylisted(visit, step, now))
        return refused(*later, ProviderReason::greylisted, visit, step);
    if (profile_->full && place < unknown + profile_->full->share)
        return refused(profile_->full->answer, ProviderReason::full, visit, step);
    return {};
}

// A message waits for its turn; turns come one after another, whatever connection they are of.
ProviderVerdict ProviderPolicy::body(const ProviderVisit& visit, SteadyTime now)
{
    if (!profile_->pace) return {};
    Client& from = client(visit.address);
    const SteadyTime turn = std::max(now, from.next);
    from.next = turn + std::chrono::nanoseconds{std::chrono::seconds{1}} / *profile_->pace;
    return {.delay = std::chrono::ceil<std::chrono::milliseconds>(turn - now)};
}

// What it says, or nothing when the recipient may come in.
const ProviderAnswer* ProviderPolicy::greylisted(const ProviderVisit& visit, const ProviderStep& step, SteadyTime now)
{
    const auto& rule = profile_->greylisting;
    if (!rule || lot_of(profile_->seed, {"grey", step.recipient}) >= rule->share) return nullptr;
    const std::uint64_t key = hash_of(profile_->seed, {visit.address, step.sender, step.recipient});
    const auto known = by_triplet_.find(key);
    if (known == by_triplet_.end()) {
        triplets_.push_front(Triplet{key, now, now, false});
        by_triplet_.emplace(key, triplets_.begin());
        forget_oldest();
        return &rule->answer;
    }
    triplets_.splice(triplets_.begin(), triplets_, known->second);
    Triplet& triplet = *known->second;
    const bool stale = triplet.passed ? now - triplet.last > rule->keep : now - triplet.first > rule->retry;
    if (stale) triplet = Triplet{key, now, now, false};
    triplet.last = now;
    triplet.passed = triplet.passed || now - triplet.first >= rule->delay;
    return triplet.passed ? nullptr : &rule->answer;
}

// The first fault that ends the connection counts, and all delays before it.
void ProviderPolicy::afflict(ProviderVerdict& verdict, const ProviderVisit& visit, SinkPhase phase) const
{
    for (const ProviderFault& fault : profile_->faults) {
        if (fault.phase != phase) continue;
        const auto place = static_cast<std::uint64_t>(&fault - profile_->faults.data());
        const std::string event = std::to_string(place) + " " + std::to_string(visit.number) + " " +
                                  std::to_string(phase < SinkPhase::mail ? 0 : visit.messages);
        if (lot_of(profile_->seed, {"fault", visit.address, event}) >= fault.share) continue;
        verdict.delay += fault.delay;
        if (fault.action == ProviderFault::Action::delay) continue;
        verdict.action = fault.action == ProviderFault::Action::drop ? Action::drop : Action::stall;
        verdict.reason = ProviderReason::fault;
        return;
    }
}

ProviderPolicy::Client& ProviderPolicy::client(const std::string& address)
{
    const auto [entry, made] = clients_.try_emplace(address);
    Client& client = entry->second;
    if (made)
        client.idle = idle_.insert(idle_.begin(), address);
    else if (client.open == 0)
        idle_.splice(idle_.begin(), idle_, client.idle);
    if (made) forget_oldest(); // never this one: it is the newest
    return client;
}

void ProviderPolicy::forget_oldest()
{
    while (idle_.size() > std::max<std::size_t>(1, bounds_.idle_addresses)) {
        clients_.erase(idle_.back());
        idle_.pop_back();
    }
    while (triplets_.size() > bounds_.triplets) {
        by_triplet_.erase(triplets_.back().key);
        triplets_.pop_back();
    }
}

ProviderGate::ProviderGate(SinkProfile profile) : profile_{std::move(profile)}
{
    for (std::size_t i = 0; i < kShards; ++i) shards_.emplace_back(profile_);
    if (profile_.reputation) book_ = std::make_unique<ReputationBook>(*profile_.reputation, profile_.seed);
}

ProviderGate::~ProviderGate() = default;

ProviderGate::Shard& ProviderGate::shard_of(const ProviderVisit& visit)
{
    return shards_[std::hash<std::string>{}(visit.address) % kShards];
}

ProviderVerdict ProviderGate::judge(ProviderVisit& visit, const ProviderStep& step, SteadyTime now)
{
    ProviderStep known = step;
    if (book_) known.standing = book_->standing(visit.address, step, now);
    ProviderVerdict verdict = [&] {
        Shard& shard = shard_of(visit);
        const std::scoped_lock lock{shard.mutex};
        return shard.policy.judge(visit, known, now);
    }();
    if (book_) verdict.complaints = book_->note(visit.address, known, verdict, now);
    return verdict;
}

void ProviderGate::leave(ProviderVisit& visit)
{
    Shard& shard = shard_of(visit);
    const std::scoped_lock lock{shard.mutex};
    shard.policy.leave(visit);
}

std::string ProviderGate::reputations(SteadyTime now) { return book_ ? book_->to_json(now) : "null"; }

} // namespace penguin::bench
