// engine/policy/lane_pace.h
// The rate that a lane has found its site to take: none until a reply says that it was too much; then additive increase,
// multiplicative decrease, and a breaker. Pure.
//
//   in        messages taken, refused for their rate, and sent on; the time
//   out       when the next may go; each step of the rate, with its numbers
//   refused   nothing goes for a moment, or as long as the server said; then one message finds out. The moment is kFirstPause, and
//             twice as long each time that this one is refused too, up to kMostPause
//   decrease  when that one is taken: kDecrease of what the site took in the kWindow before it refused, by the time that it needed to
//             take the next one (at most kWindow); at most one in kStepEvery
//   increase  in each kStepEvery in which most of the rate was used and nothing refused: kStep of what the site took; above
//             kNear of that only kCreep of it
//   end       kForgotten after the last refusal
//   spacing   GCRA in microseconds: 1/rate between two messages, at most kBurst early
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "engine/base/clock.h"

namespace penguin::policy {

class LanePace {
public:
    static constexpr std::chrono::seconds kWindow{60};
    static constexpr std::chrono::seconds kStepEvery{60};
    static constexpr double kDecrease = 0.85;
    static constexpr double kStep = 0.05;
    static constexpr double kNear = 0.9;
    static constexpr double kCreep = 0.001;
    static constexpr double kUsed = 0.8;       // of the rate: most of it
    static constexpr double kLeast = 1.0 / 60; // messages a second
    static constexpr std::chrono::milliseconds kBurst{500};
    static constexpr std::chrono::seconds kFirstPause{2};
    static constexpr std::chrono::seconds kMostPause{300};
    static constexpr std::chrono::hours kForgotten{24};

    // Messages a second; `from` nothing: as many as the lane's connections carry.
    struct Step {
        std::optional<double> from;
        double to = 0;
        friend bool operator==(const Step&, const Step&) = default;
    };

    // The site took a message. `probe`: the one that was to find out.
    std::optional<Step> taken(WallTime now, bool probe);
    // The site refused one for its rate; `wait`: the server's own time. True: so nothing goes for a while.
    bool refused(WallTime now, bool probe, std::optional<Duration> wait);
    // The one that was to find out ended without saying anything about the rate.
    void probe_abandoned() { probing_ = false; }

    // Until when nothing may go; nothing: one may go now, or is out to find out.
    std::optional<WallTime> until(WallTime now) const;
    // How many may go now, none while one is out to find out; nothing: any number.
    std::optional<std::size_t> room(WallTime now) const;
    // One goes, for which there was room.
    void go(WallTime now);
    // The next one finds out whether the site takes mail again.
    bool open() const { return open_until_.has_value(); }

    std::optional<double> rate() const { return rate_; } // messages a second; nothing: no limit is known
    // It knows nothing that is worth keeping: a rule may pause the lane for long before the one that finds out goes.
    bool quiet(WallTime now) const;

private:
    static constexpr std::chrono::seconds kSpan{10};
    static constexpr std::size_t kSpans = kWindow / kSpan;

    std::chrono::microseconds interval() const;
    void turn(WallTime now);
    std::size_t taken_lately() const;
    std::optional<Step> step_to(double rate, WallTime now);
    std::optional<Step> slow_down(WallTime now);

    std::array<std::size_t, kSpans> counts_{}; // taken in each of the last spans, by number of the span
    std::int64_t span_ = 0;                    // since the epoch: the one that is under way
    WallTime mail_from_{};                     // the first message after a window without any
    std::optional<double> rate_;
    double took_ = 0; // messages a second: what the site took by the last decrease
    WallTime stepped_at_{};
    WallTime slowed_at_{};
    WallTime next_at_{}; // of GCRA: when the next is due

    // The breaker.
    std::chrono::seconds pause_{0};
    std::optional<WallTime> open_until_;
    bool probing_ = false;
    WallTime refused_at_{};
    std::size_t took_before_ = 0; // messages in the window before it refused
    WallTime window_from_{};      // the begin of that window, or of the mail in it
};

} // namespace penguin::policy
