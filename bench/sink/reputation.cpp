#include "bench/sink/reputation.h"

#include <algorithm>
#include <cmath>

namespace penguin::bench {

namespace {

constexpr double kHarmMost = 1.5; // of a measure's weight

int day_of(Duration now) { return static_cast<int>(std::chrono::floor<std::chrono::days>(now).count()); }

// What is left of 1 after `time`, with that time constant.
double left_after(Duration time, Duration constant)
{
    return std::exp(-static_cast<double>(time.count()) / static_cast<double>(constant.count()));
}

double harm(const ReputationRules::Measure& measure, double events, double sent)
{
    if (events <= 0) return 0;
    const double share = events / (sent + measure.sample);
    const double place = (share - measure.tolerated) / (measure.critical - measure.tolerated);
    return measure.weight * std::clamp(place, 0.0, kHarmMost);
}

} // namespace

Grade grade_of(double score)
{
    if (score >= kHighFrom) return Grade::high;
    if (score >= kMediumFrom) return Grade::medium;
    return score >= kLowFrom ? Grade::low : Grade::bad;
}

std::string_view name_of(Grade grade)
{
    switch (grade) {
    case Grade::bad: return "bad";
    case Grade::low: return "low";
    case Grade::medium: return "medium";
    case Grade::high: return "high";
    }
    return "";
}

Reputation::Reputation(const ReputationRules& rules, Duration now)
    : rules_{&rules},
      now_{now},
      score_{rules.start},
      days_(static_cast<std::size_t>(rules.forget_days) + 1),
      day_{day_of(now)}
{
}

void Reputation::advance(Duration now)
{
    while (now_ < now) step(std::min(now - now_, kStep));
}

void Reputation::step(Duration time)
{
    now_ += time;
    for (const int today = day_of(now_); day_ < today;) days_[slot_of(++day_)] = 0;
    const double kept = left_after(time, rules_->memory);
    for (double* count : {&recent_.delivered, &recent_.unknown, &recent_.pushed, &recent_.complaints}) *count *= kept;
    const double felt = left_after(time, rules_->throttle.quiet);
    asked_ *= felt;
    pushed_ *= felt;
    if (throttled_ && now_ >= throttled_->since + rules_->throttle.quiet + rules_->throttle.ramp) throttled_.reset();
    if (blocked_until_) {
        if (now_ >= *blocked_until_) end_block();
        return;
    }
    const double towards = target();
    score_ += (towards - score_) * (1 - left_after(time, towards < score_ ? rules_->fall : rules_->rise));
    if (score_ < kLowFrom) begin_block();
}

double Reputation::target() const
{
    const double sent = recent_.delivered + recent_.unknown;
    const double known = sent / (sent + rules_->first_day);
    const double cost = harm(rules_->unknown, recent_.unknown, sent) +
                        harm(rules_->complaints, recent_.complaints, recent_.delivered) +
                        harm(rules_->pushing, recent_.pushed, sent + recent_.pushed);
    return std::max(0.0, rules_->start + (100 - rules_->start) * known - cost);
}

void Reputation::begin_block()
{
    blocked_until_ = now_ + rules_->block.time;
    pushed_while_blocked_ = 0;
    ++blocks_;
}

void Reputation::end_block()
{
    if (pushed_while_blocked_ > rules_->block.probes) {
        begin_block();
        return;
    }
    blocked_until_.reset();
    throttled_.reset();
    recent_ = {};
    asked_ = pushed_ = 0;
    score_ = kSecondChance;
}

void Reputation::saw(const Conduct& conduct, Duration now)
{
    advance(now);
    const auto add = [&conduct](Conduct& to) {
        to.delivered += conduct.delivered;
        to.unknown += conduct.unknown;
        to.pushed += conduct.pushed;
        to.complaints += conduct.complaints;
    };
    add(recent_);
    add(total_);
    days_[slot_of(day_)] += conduct.delivered;
    if (blocked_until_) pushed_while_blocked_ += conduct.pushed;
    feel_pressure(conduct);
}

void Reputation::feel_pressure(const Conduct& conduct)
{
    if (throttled_ && now_ >= throttled_->since + rules_->throttle.quiet) throttled_->taken += conduct.delivered;
    asked_ += conduct.delivered + conduct.unknown + conduct.pushed;
    pushed_ += conduct.pushed;
    if (conduct.pushed <= 0 || pushed_ <= rules_->throttle.patience * (asked_ + kPatienceSample)) return;
    throttled_ = Throttled{.since = now_};
    asked_ = pushed_ = 0; // who goes on gets the next one by what comes from here on
    ++throttles_;
}

double Reputation::throttle_share() const
{
    if (!throttled_) return 1;
    const double ramped = std::chrono::duration<double>(now_ - throttled_->since - rules_->throttle.quiet) /
                          std::chrono::duration<double>(rules_->throttle.ramp);
    return rules_->throttle.floor + (1 - rules_->throttle.floor) * std::clamp(ramped, 0.0, 1.0);
}

double Reputation::hostility() const
{
    const auto& hostile = rules_->hostile;
    const int today = day_ + 1;
    if (!hostile || today < hostile->from_day) return 1;
    return hostile->days > 0 && today >= hostile->from_day + hostile->days ? 1 : hostile->factor;
}

double Reputation::allowed_today() const
{
    double supported = 0;
    for (int age = 1; age <= rules_->forget_days && age <= day_; ++age) {
        const double weight = 1 - static_cast<double>(age - 1) / rules_->forget_days;
        supported = std::max(supported, days_[slot_of(day_ - age)] * weight);
    }
    const double share = rules_->treatment[static_cast<std::size_t>(grade_of(score_))].allowed;
    return std::max(rules_->first_day, rules_->growth * supported) * std::min(1.0, share) * hostility();
}

Standing Reputation::standing(Duration now)
{
    advance(now);
    const Grade grade = grade_of(score_);
    const ReputationRules::Treatment& treatment = rules_->treatment[static_cast<std::size_t>(grade)];
    if (blocked_until_) return {.grade = grade, .blocked = true, .allowed = 0};
    Standing standing{.grade = grade,
                      .allowed = treatment.allowed * throttle_share() * hostility(),
                      .room = std::max(0.0, allowed_today() - sent_today()),
                      .deferred = treatment.deferred,
                      .complained = treatment.complained};
    if (throttled_) standing.connections = 1 + static_cast<std::uint32_t>(std::min(throttled_->taken, 1e6));
    return standing;
}

} // namespace penguin::bench
