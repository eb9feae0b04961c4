#include "bench/sink/reputation_book.h"

#include <algorithm>
#include <cmath>

#include <boost/json.hpp>

#include "bench/sink/lot.h"

namespace penguin::bench {

namespace {

double to_hundredths(double number) { return std::round(number * 100) / 100; }

boost::json::object object_of(const std::string& name, const Reputation& reputation, const Standing& standing)
{
    const Conduct& total = reputation.total();
    return {{"name", name},
            {"score", to_hundredths(reputation.score())},
            {"grade", std::string{name_of(standing.grade)}},
            {"blocked", standing.blocked},
            {"limits_share", to_hundredths(standing.allowed)},
            {"allowed_today", std::floor(reputation.allowed_today())},
            {"sent_today", reputation.sent_today()},
            {"delivered", total.delivered},
            {"unknown", total.unknown},
            {"pushed", total.pushed},
            {"complaints", total.complaints},
            {"throttles", reputation.throttles()},
            {"blocks", reputation.blocks()}};
}

// What its step adds to a sender's account; nothing that its verdict does not blame on it.
Conduct conduct_of(const ProviderStep& step, const ProviderVerdict& verdict, bool domain)
{
    switch (verdict.reason) {
    case ProviderReason::none:
        return {.delivered = step.phase == SinkPhase::body ? static_cast<double>(step.recipients) : 0};
    case ProviderReason::unknown: return {.unknown = 1};
    case ProviderReason::message_rate:
    case ProviderReason::messages_per_day: return {.pushed = domain ? 0.0 : 1.0};
    case ProviderReason::throttled:
    case ProviderReason::blocked: return {.pushed = domain == step.standing.of_domain ? 1.0 : 0.0};
    case ProviderReason::concurrent_connections:
    case ProviderReason::connection_rate:
    case ProviderReason::messages_per_connection:
    case ProviderReason::recipients_per_transaction:
    case ProviderReason::tls_required:
    case ProviderReason::greylisted:
    case ProviderReason::full:
    case ProviderReason::fault:
    case ProviderReason::deferred: break;
    }
    return {};
}

} // namespace

std::string domain_of(std::string_view address)
{
    const std::size_t at = address.rfind('@');
    std::string domain{at == std::string_view::npos ? std::string_view{} : address.substr(at + 1)};
    for (char& c : domain)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return domain;
}

ReputationBook::ReputationBook(const ProviderReputation& reputation, std::uint64_t seed, std::size_t subjects_max)
    : reputation_{&reputation},
      seed_{seed},
      subjects_max_{std::max<std::size_t>(1, subjects_max)}
{
}

// Threads read the clock before they come here: one that comes late takes the time to be where it was.
Duration ReputationBook::age_at(SteadyTime now)
{
    if (!began_) began_ = now;
    return std::max(Duration{0}, std::chrono::duration_cast<Duration>(now - *began_));
}

ReputationBook::Subject& ReputationBook::subject(Roll& roll, const std::string& name, Duration age)
{
    const auto known = roll.by_name.find(name);
    if (known != roll.by_name.end()) {
        roll.subjects.splice(roll.subjects.begin(), roll.subjects, known->second);
        return roll.subjects.front();
    }
    roll.subjects.push_front(Subject{name, Reputation{reputation_->rules, age}});
    roll.by_name.emplace(name, roll.subjects.begin());
    if (roll.subjects.size() > subjects_max_) {
        roll.by_name.erase(roll.subjects.back().name);
        roll.subjects.pop_back();
    }
    return roll.subjects.front();
}

ProviderStanding ReputationBook::standing(const std::string& address, const ProviderStep& step, SteadyTime now)
{
    ProviderStanding standing;
    if (step.phase != SinkPhase::greeting && step.phase != SinkPhase::mail) return standing;
    const std::scoped_lock lock{mutex_};
    const Duration age = age_at(now);
    if (reputation_->address) apply(subject(addresses_, address, age), *reputation_->address, false, age, standing);
    const std::string domain = domain_of(step.sender);
    if (reputation_->domain && !domain.empty() && standing.answer == nullptr)
        apply(subject(domains_, domain, age), *reputation_->domain, true, age, standing);
    if (step.phase == SinkPhase::greeting) standing.answer = nullptr; // it is messages that are refused
    return standing;
}

// Limits are of an address; a domain has its volume.
void ReputationBook::apply(Subject& subject, const ProviderReputation::Replies& replies, bool of_domain, Duration age,
                           ProviderStanding& standing) const
{
    const Standing now = subject.reputation.standing(age);
    if (!of_domain && !now.blocked) {
        standing.allowed = now.allowed;
        standing.connections = now.connections;
    }
    const std::string number = std::to_string(++subject.messages);
    if (now.blocked) {
        standing.reason = ProviderReason::blocked;
        standing.answer = &replies.blocked;
    } else if (now.room < 1) {
        standing.reason = ProviderReason::throttled;
        standing.answer = &replies.throttled;
    } else if (lot_of(seed_, {"deferred", subject.name, number}) < now.deferred) {
        standing.reason = ProviderReason::deferred;
        standing.answer = &replies.deferred;
    }
    if (standing.answer != nullptr) standing.of_domain = of_domain;
}

std::vector<std::size_t> ReputationBook::note(const std::string& address, const ProviderStep& step,
                                              const ProviderVerdict& verdict, SteadyTime now)
{
    std::vector<std::size_t> complaints;
    const bool happened = step.phase == SinkPhase::mail || step.phase == SinkPhase::rcpt ||
                          (step.phase == SinkPhase::body && verdict.action == ProviderVerdict::Action::answer);
    if (!happened || (step.phase != SinkPhase::body && verdict.reason == ProviderReason::none)) return complaints;
    const std::scoped_lock lock{mutex_};
    const Duration age = age_at(now);
    const auto account = [&](Roll& roll, const std::string& name, bool domain) {
        Subject& sender = subject(roll, name, age);
        Conduct conduct = conduct_of(step, verdict, domain);
        const bool asks = conduct.delivered > 0 && domain == !reputation_->address.has_value();
        if (asks) complaints = complainers(sender, step.recipients, age); // people are asked once
        conduct.complaints = static_cast<double>(complaints.size());
        sender.reputation.saw(conduct, age);
    };
    if (reputation_->address) account(addresses_, address, false);
    const std::string domain = domain_of(step.sender);
    if (reputation_->domain && !domain.empty()) account(domains_, domain, true);
    return complaints;
}

std::vector<std::size_t> ReputationBook::complainers(Subject& subject, std::size_t recipients, Duration age) const
{
    std::vector<std::size_t> out;
    const double share = subject.reputation.standing(age).complained;
    const auto delivered = static_cast<std::uint64_t>(subject.reputation.total().delivered);
    for (std::size_t i = 0; i < recipients; ++i)
        if (lot_of(seed_, {"complains", subject.name, std::to_string(delivered + i)}) < share) out.push_back(i);
    return out;
}

std::string ReputationBook::to_json(SteadyTime now)
{
    const std::scoped_lock lock{mutex_};
    const Duration age = began_ ? age_at(now) : Duration{0};
    const auto told = [age](Roll& roll) {
        std::vector<std::pair<Standing, Subject*>> all;
        for (Subject& one : roll.subjects) all.emplace_back(one.reputation.standing(age), &one);
        std::ranges::sort(all, [](const auto& a, const auto& b) {
            return std::pair{a.second->reputation.score(), a.second->name} <
                   std::pair{b.second->reputation.score(), b.second->name};
        });
        boost::json::array poorest;
        for (const auto& [standing, one] : all)
            if (poorest.size() < kListedMax) poorest.push_back(object_of(one->name, one->reputation, standing));
        return boost::json::object{{"known", all.size()}, {"poorest", std::move(poorest)}};
    };
    boost::json::object out{{"day", std::chrono::floor<std::chrono::days>(age).count() + 1}};
    if (reputation_->address) out["addresses"] = told(addresses_);
    if (reputation_->domain) out["domains"] = told(domains_);
    return boost::json::serialize(out);
}

} // namespace penguin::bench
