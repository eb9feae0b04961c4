// bench/sink/reputation.h
// What a mailbox provider thinks of one sender, a source address or a sending domain: a model of time and counts, for a
// sink that sees single messages and for a forecast that sees hours of them. No clock, no I/O, no chance.
//
//   in       what the sender did (Conduct), and the time since the provider's first day began. Time never goes back
//   out      a Standing: what the sender may do now
//   score    0 to 100. It moves towards a target, quickly down, slowly up. The target is ReputationRules::start for a
//            sender that did nothing of late and 100 for one that sends well, less what its shares of unknown users, of
//            complaints and of pushing cost. Pushing: coming with more than is allowed
//   volume   a day may have `growth` times the best recent day, which counts less the longer ago it is
//   throttle who pushes in earnest, keeps a floor of its limits; after a quiet time (Google: 10 minutes) they grow back
//            over a ramp, connections from one on and by one a message that is taken
//   block    below kLowFrom nothing is taken. Who stays away is let in again when the time is over, with a clean sheet and
//            a poor score; who does not, stays out for as long again
//   same     steps of any size give nearly the same: time is walked in steps of kStep
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/base/clock.h"

namespace penguin::bench {

enum class Grade : std::uint8_t { bad, low, medium, high };
inline constexpr double kLowFrom = 20;
inline constexpr double kMediumFrom = 50;
inline constexpr double kHighFrom = 80;
Grade grade_of(double score);
std::string_view name_of(Grade grade); // as the profile's key

struct ReputationRules {
    static constexpr int kForgetDaysMost = 90;

    // A share of what was sent: `tolerated` costs nothing, `critical` costs `weight` points, half as much beyond it costs
    // half as many points more, and that is the most. `sample` messages that were well are taken to be there already.
    struct Measure {
        double tolerated = 0;
        double critical = 1;
        double weight = 0;
        double sample = 0;
    };
    struct Treatment {
        double allowed = 1;    // of the provider's limits; of the day's volume too, but at most all of it
        double deferred = 0;   // of the messages, put off whatever their number
        double complained = 0; // of the delivered ones: people complain about them
    };
    struct Throttle {
        double patience = 0.2; // the share of pushing in the latest time of length `quiet` that begins it
        Duration quiet = std::chrono::minutes{10};
        Duration ramp = std::chrono::minutes{60};
        double floor = 0.05; // of the limits
    };
    struct Block {
        Duration time = std::chrono::hours{24};
        std::uint32_t probes = 24; // messages that may come meanwhile without doing harm
    };
    struct Hostile { // less is allowed than before, for no reason that a sender could know
        int from_day = 1;
        int days = 0;         // 0: for good
        double factor = 0.25; // of limits and the day's volume
    };

    double start = 60;      // the score of a sender that nobody knows
    double first_day = 500; // messages that anybody may send in a day
    double growth = 2;
    int forget_days = 30;
    Duration memory = std::chrono::hours{72}; // time constant of what is counted
    Duration fall = std::chrono::hours{6};    // and of the score, downwards
    Duration rise = std::chrono::hours{168};  // and upwards
    Measure unknown;
    Measure complaints;
    Measure pushing;
    std::array<Treatment, 4> treatment; // by Grade; bad: nothing is taken
    Throttle throttle;
    Block block;
    std::optional<Hostile> hostile;
};

// Messages, or parts of them where they are expected values.
struct Conduct {
    double delivered = 0;
    double unknown = 0; // recipients that do not exist
    double pushed = 0;  // came although they were too many, or while nothing was taken
    double complaints = 0;
};

struct Standing {
    Grade grade = Grade::medium;
    bool blocked = false;
    double allowed = 1;                       // of the provider's limits
    std::optional<std::uint32_t> connections; // at once, while a throttle lets go
    double room = 0;                          // messages that today still has
    double deferred = 0;
    double complained = 0;
};

class Reputation {
public:
    static constexpr Duration kStep = std::chrono::hours{1};
    static constexpr double kPatienceSample = 20; // messages, for Throttle::patience
    static constexpr double kSecondChance = 25;   // the score after a block

    // `rules` outlives it.
    Reputation(const ReputationRules& rules, Duration now);

    void saw(const Conduct& conduct, Duration now);
    Standing standing(Duration now);

    // As of the latest call.
    double score() const noexcept { return score_; }
    bool blocked() const noexcept { return blocked_until_.has_value(); }
    double allowed_today() const;
    double sent_today() const { return days_[slot_of(day_)]; }
    const Conduct& total() const noexcept { return total_; } // ever
    std::uint32_t throttles() const noexcept { return throttles_; }
    std::uint32_t blocks() const noexcept { return blocks_; }

private:
    struct Throttled {
        Duration since{0};
        double taken = 0; // messages since the quiet time was over
    };

    void advance(Duration now);
    void step(Duration time);
    void begin_block();
    void end_block();
    void feel_pressure(const Conduct& conduct);
    double target() const;
    double throttle_share() const;
    double hostility() const;
    std::size_t slot_of(int day) const { return static_cast<std::size_t>(day) % days_.size(); }

    const ReputationRules* rules_;
    Duration now_;
    double score_;
    Conduct recent_; // decays with ReputationRules::memory
    Conduct total_;
    std::vector<double> days_; // delivered, a ring of the days that are not forgotten and today
    int day_;
    double asked_ = 0; // both decay with Throttle::quiet
    double pushed_ = 0;
    std::optional<Throttled> throttled_;
    std::optional<Duration> blocked_until_;
    double pushed_while_blocked_ = 0;
    std::uint32_t throttles_ = 0;
    std::uint32_t blocks_ = 0;
};

} // namespace penguin::bench
