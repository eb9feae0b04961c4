// bench/sink/reputation_book.h
// The reputations of all who send to one provider: source addresses, sending domains (of the envelope sender), or both.
//
//   in       each step of a client, before and behind the policy's verdict
//   out      standing() before it: what the policy shall make of it; note() behind it: who will complain
//   same     the seed, the sender and the number of its message decide who is put off and who complains
//   limits   kSubjectsMax of each kind; the one that came longest ago is forgotten first. to_json tells kListedMax of each,
//            the poorest first
//   threads  any
#pragma once

#include <list>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "bench/sink/provider_policy.h"
#include "bench/sink/reputation.h"

namespace penguin::bench {

// Of an address, in lower case; "" for the empty one.
std::string domain_of(std::string_view address);

class ReputationBook {
public:
    static constexpr std::size_t kSubjectsMax = 8192;
    static constexpr std::size_t kListedMax = 100;

    // `reputation` outlives it.
    ReputationBook(const ProviderReputation& reputation, std::uint64_t seed, std::size_t subjects_max = kSubjectsMax);

    // Its first day begins with the first step.
    ProviderStanding standing(const std::string& address, const ProviderStep& step, SteadyTime now);
    std::vector<std::size_t> note(const std::string& address, const ProviderStep& step, const ProviderVerdict& verdict,
                                  SteadyTime now);
    // {day, addresses: {known, poorest: [{name, score, grade, ...}]}, domains}
    std::string to_json(SteadyTime now);

private:
    struct Subject {
        std::string name;
        Reputation reputation;
        std::uint64_t messages = 0; // that were asked about
    };
    // Newest first.
    struct Roll {
        std::list<Subject> subjects;
        std::unordered_map<std::string, std::list<Subject>::iterator> by_name;
    };

    Subject& subject(Roll& roll, const std::string& name, Duration age);
    void apply(Subject& subject, const ProviderReputation::Replies& replies, bool of_domain, Duration age,
               ProviderStanding& standing) const;
    std::vector<std::size_t> complainers(Subject& subject, std::size_t recipients, Duration age) const;
    Duration age_at(SteadyTime now);

    const ProviderReputation* reputation_;
    std::uint64_t seed_;
    std::size_t subjects_max_;
    std::mutex mutex_;
    std::optional<SteadyTime> began_;
    Roll addresses_;
    Roll domains_;
};

} // namespace penguin::bench
