#include "engine/policy/lane_pace.h"

#include <algorithm>
#include <numeric>

namespace penguin::policy {

using std::chrono::microseconds;

microseconds LanePace::interval() const { return microseconds{static_cast<std::int64_t>(1e6 / *rate_)}; }

void LanePace::turn(WallTime now)
{
    const std::int64_t span = now.time_since_epoch() / kSpan;
    const std::int64_t first = std::max(span_ + 1, span + 1 - static_cast<std::int64_t>(kSpans));
    for (std::int64_t each = first; each <= span; ++each) counts_[static_cast<std::size_t>(each) % kSpans] = 0;
    span_ = std::max(span_, span);
}

std::size_t LanePace::taken_lately() const { return std::accumulate(counts_.begin(), counts_.end(), std::size_t{0}); }

std::optional<LanePace::Step> LanePace::step_to(double rate, WallTime now)
{
    const Step step{rate_, std::max(rate, kLeast)};
    rate_ = step.to;
    stepped_at_ = now;
    return step;
}

std::optional<LanePace::Step> LanePace::taken(WallTime now, bool probe)
{
    turn(now);
    if (taken_lately() == 0) mail_from_ = now;
    ++counts_[static_cast<std::size_t>(span_) % kSpans];
    if (open_until_) {
        if (!probe) return std::nullopt; // was on its way when the site refused another
        open_until_.reset();
        probing_ = false;
        return slow_down(now);
    }
    if (!rate_) return std::nullopt;
    if (now - refused_at_ >= kForgotten) {
        rate_.reset();
        return std::nullopt;
    }
    const double most = *rate_ * std::chrono::duration<double>(kWindow).count();
    if (now - stepped_at_ < kStepEvery || static_cast<double>(taken_lately()) < kUsed * most) return std::nullopt;
    return step_to(*rate_ + (*rate_ < kNear * took_ ? kStep : kCreep) * took_, now);
}

std::optional<LanePace::Step> LanePace::slow_down(WallTime now)
{
    if (now - slowed_at_ < kStepEvery || took_before_ == 0) return std::nullopt;
    const std::chrono::duration<double> needed =
        std::clamp<WallTime::duration>(now - window_from_, std::chrono::seconds{1}, kWindow);
    took_ = static_cast<double>(took_before_) / needed.count();
    if (rate_) took_ = std::min(took_, *rate_);
    slowed_at_ = now;
    next_at_ = now;
    return step_to(kDecrease * took_, now);
}

bool LanePace::refused(WallTime now, bool probe, std::optional<Duration> wait)
{
    if (open_until_ && !probe) return false; // was on its way when the site refused another
    turn(now);
    if (!open_until_) {
        took_before_ = taken_lately();
        window_from_ = std::max(mail_from_, WallTime{(span_ + 1 - static_cast<std::int64_t>(kSpans)) * kSpan});
    }
    pause_ = probe ? std::min(2 * pause_, kMostPause) : kFirstPause;
    refused_at_ = now;
    probing_ = false;
    open_until_ = now + std::max<Duration>(pause_, wait.value_or(Duration{0}));
    return true;
}

std::optional<WallTime> LanePace::until(WallTime now) const
{
    if (open_until_ && now < *open_until_) return open_until_;
    if (rate_ && next_at_ - kBurst > now) return next_at_ - kBurst;
    return std::nullopt;
}

std::optional<std::size_t> LanePace::room(WallTime now) const
{
    if (until(now)) return 0;
    if (open_until_) return probing_ ? 0 : 1;
    if (!rate_) return std::nullopt;
    return static_cast<std::size_t>((now + kBurst - std::max(next_at_, now)) / interval()) + 1;
}

void LanePace::go(WallTime now)
{
    probing_ = open_until_.has_value();
    if (rate_) next_at_ = std::max(next_at_, now) + interval();
}

bool LanePace::quiet(WallTime now) const { return now - refused_at_ >= kForgotten; }

} // namespace penguin::policy
