// engine/policy/lane_backoff.h
// When a lane that gets no connection is tried again: one probe at a time, with growing pauses.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include "engine/base/clock.h"

namespace penguin::policy {

struct BackoffSchedule {
    std::chrono::seconds first{30};
    std::chrono::seconds most{900};
};

// The half-open breaker of a lane: closed (mail flows), open (until a time), half-open (one probe is out).
class LaneBackoff {
public:
    // No host of the site took a connection, and none is open.
    void failed(const BackoffSchedule& schedule, WallTime now)
    {
        pause_ = pause_ == std::chrono::seconds{0} ? schedule.first : std::min(pause_ * 2, schedule.most);
        until_ = now + pause_;
        probing_ = false;
    }
    void connected()
    {
        pause_ = std::chrono::seconds{0};
        until_.reset();
        probing_ = false;
    }
    bool open() const { return until_.has_value(); }
    // Closed, or nobody has tried it since its pause was over, for as long as the longest pause.
    bool quiet(const BackoffSchedule& schedule, WallTime now) const
    {
        return !until_ || now >= *until_ + schedule.most;
    }
    std::optional<WallTime> until() const { return until_; }

    // Whether one more message may be given to it now; the first after a pause is the probe, the rest wait for it.
    bool admits(WallTime now)
    {
        if (!would_admit(now)) return false;
        probing_ = until_.has_value();
        return true;
    }
    bool would_admit(WallTime now) const { return !until_ || (now >= *until_ && !probing_); }
    // The probe ended without saying anything about the site (its message was cancelled, say).
    void probe_abandoned() { probing_ = false; }

private:
    std::chrono::seconds pause_{0};
    std::optional<WallTime> until_;
    bool probing_ = false;
};

} // namespace penguin::policy
