// bench/sink/provider_policy.h
// A mailbox provider's mind: what a client hears at each step, by a SinkProfile. Does no I/O and knows no clock.
//
//   in       what the client does, and the time
//   out      a ProviderVerdict: the usual words, a refusal, a delay, silence
//   same     seed, addresses and order of steps give the same verdicts. A recipient is unknown or full by the seed and its
//            address alone
//   counts   a connection or message that is refused uses nothing up; a message counts from MAIL, a window begins with
//            the first that it counts
//   limits   Bounds: addresses without a connection and triplets, the one used longest ago is forgotten first. Addresses
//            with a connection are bounded by the sink's connections_max
//   threads  none: see ProviderGate
#pragma once

#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "bench/sink/sink_profile.h"
#include "engine/base/clock.h"

namespace penguin::bench {

enum class ProviderReason : std::uint8_t {
    none,
    concurrent_connections,
    connection_rate,
    message_rate,
    messages_per_connection,
    messages_per_day,
    recipients_per_transaction,
    tls_required,
    greylisted,
    unknown,
    full,
    fault,
    throttled, // the last three by reputation
    deferred,
    blocked
};
inline constexpr std::size_t kProviderReasons = 15;
std::string_view name_of(ProviderReason reason); // as the profile's key

// One connection, kept by its owner between the steps.
struct ProviderVisit {
    std::string address;      // of the client
    std::uint64_t number = 0; // of its connections, from 1
    std::uint32_t messages = 0;
    std::uint32_t refusals = 0;
    bool open = false; // counts as a connection
};

// What the sender's reputation makes of the profile.
struct ProviderStanding {
    double allowed = 1;                       // of the limits that count connections and messages
    std::optional<std::uint32_t> connections; // at most
    ProviderReason reason =
        ProviderReason::none;               // throttled, deferred, blocked: at mail, where nothing narrower refuses
    const ProviderAnswer* answer = nullptr; // then
    bool of_domain = false;                 // whose fault it is
};

struct ProviderStep {
    SinkPhase phase{};
    std::string_view sender;    // from mail on
    std::string_view recipient; // at rcpt
    std::size_t recipients = 0; // of the transaction, with this one
    bool tls = false;
    ProviderStanding standing{}; // at greeting and mail
};

struct ProviderVerdict {
    enum class Action : std::uint8_t { answer, drop, stall };
    Action action = Action::answer;
    ProviderReason reason = ProviderReason::none;
    std::chrono::milliseconds delay{0};    // before anything else
    std::optional<smtp::Reply> reply;      // none: the usual words
    std::vector<std::size_t> complaints{}; // at body: the recipients who will complain, by their place
    bool closes() const noexcept { return reply && reply->code == 421; }
};

class ProviderPolicy {
public:
    struct Bounds {
        std::size_t idle_addresses = 4096;
        std::size_t triplets = 65'536;
    };

    // `profile` outlives the policy.
    explicit ProviderPolicy(const SinkProfile& profile) : ProviderPolicy{profile, Bounds{}} {}
    ProviderPolicy(const SinkProfile& profile, Bounds bounds) : profile_{&profile}, bounds_{bounds} {}

    // At phase greeting the visit begins; leave() ends it, refused or not.
    ProviderVerdict judge(ProviderVisit& visit, const ProviderStep& step, SteadyTime now);
    void leave(ProviderVisit& visit);

    std::size_t addresses() const noexcept { return clients_.size(); }
    std::size_t triplets() const noexcept { return by_triplet_.size(); }

private:
    struct Window {
        SteadyTime began;
        std::uint32_t used = 0;
        // The limit, when it leaves no room.
        const ProviderLimit* in_the_way(const std::optional<ProviderLimit>& limit, double allowed, SteadyTime now);
    };
    struct Client {
        std::uint64_t connections = 0; // ever
        std::uint32_t open = 0;
        Window connecting;
        Window messages;
        Window day;
        SteadyTime next;                       // with a pace: when its next message may be taken
        std::list<std::string>::iterator idle; // only while open is 0
    };
    struct Triplet {
        std::uint64_t key = 0;
        SteadyTime first;
        SteadyTime last;
        bool passed = false;
    };

    ProviderVerdict arrive(ProviderVisit& visit, const ProviderStanding& standing, SteadyTime now);
    ProviderVerdict mail(ProviderVisit& visit, const ProviderStep& step, SteadyTime now);
    ProviderVerdict rcpt(const ProviderVisit& visit, const ProviderStep& step, SteadyTime now);
    ProviderVerdict body(const ProviderVisit& visit, SteadyTime now);
    const ProviderAnswer* greylisted(const ProviderVisit& visit, const ProviderStep& step, SteadyTime now);
    void afflict(ProviderVerdict& verdict, const ProviderVisit& visit, SinkPhase phase) const;
    Client& client(const std::string& address);
    void forget_oldest();

    const SinkProfile* profile_;
    Bounds bounds_;
    std::unordered_map<std::string, Client> clients_;
    std::list<std::string> idle_; // addresses without a connection, newest first
    std::list<Triplet> triplets_; // newest first
    std::unordered_map<std::uint64_t, std::list<Triplet>::iterator> by_triplet_;
};

class ReputationBook; // reputation_book.h

// The policy for all threads. Every limit and triplet belongs to one client address, so each address has its policy with its
// own lock, and no step needs two of them: what one thread of the sink counted, the next sees. Reputations, which a domain
// has over all addresses, are in a book with a lock of its own.
class ProviderGate {
public:
    static constexpr std::size_t kShards =
        16; // each with ProviderPolicy's Bounds: 65,536 addresses, a million triplets

    explicit ProviderGate(SinkProfile profile);
    ~ProviderGate();
    ProviderGate(const ProviderGate&) = delete; // policies and book look into its profile
    ProviderGate& operator=(const ProviderGate&) = delete;

    const SinkProfile& profile() const noexcept { return profile_; }
    ProviderVerdict judge(ProviderVisit& visit, const ProviderStep& step, SteadyTime now);
    void leave(ProviderVisit& visit);
    std::string reputations(SteadyTime now); // JSON; null without any

private:
    struct Shard {
        explicit Shard(const SinkProfile& profile) : policy{profile} {}
        std::mutex mutex;
        ProviderPolicy policy;
    };
    Shard& shard_of(const ProviderVisit& visit);

    SinkProfile profile_;
    std::deque<Shard> shards_;
    std::unique_ptr<ReputationBook> book_; // null: nobody has a reputation here
};

} // namespace penguin::bench
