#include "engine/policy/warmup/decision.h"

#include <algorithm>

namespace penguin::policy {

namespace {

bool is_hard_bounce(BounceClass klass)
{
    return klass == BounceClass::invalid_recipient || klass == BounceClass::mailbox_disabled ||
           klass == BounceClass::list_quality;
}

bool is_block(BounceClass klass)
{
    return klass == BounceClass::ip_reputation || klass == BounceClass::domain_reputation ||
           klass == BounceClass::blocklisted || klass == BounceClass::policy_refused ||
           klass == BounceClass::spam_content;
}

std::uint64_t count_of(WarmupSignal signal, const WarmupNumbers& numbers)
{
    switch (signal) {
    case WarmupSignal::hard_bounces: return numbers.counts.hard_bounces;
    case WarmupSignal::blocks: return numbers.counts.blocks;
    case WarmupSignal::deferrals: return numbers.counts.deferrals;
    case WarmupSignal::complaints: return numbers.outside.complaints;
    }
    return 0;
}

// The first signal over that limit.
std::optional<WarmupSignal> first_over(const WarmupPlan& plan, double WarmupLimit::* limit,
                                       const WarmupNumbers& numbers)
{
    for (const WarmupSignal signal : kWarmupSignals) {
        const std::optional<double> share = share_of(plan, signal, numbers);
        if (share && *share > plan.limit(signal).*limit) return signal;
    }
    return std::nullopt;
}

bool idle_too_long(const WarmupPlan& plan, const WarmupState& state, Day day, const WarmupNumbers& numbers)
{
    return numbers.counts.sent == 0 && state.last_sent && day - *state.last_sent > plan.idle_most;
}

bool used_enough(const WarmupPlan& plan, const WarmupNumbers& numbers)
{
    return numbers.cap &&
           static_cast<double>(numbers.counts.sent) >= plan.used_enough * static_cast<double>(*numbers.cap);
}

std::size_t one_back(std::size_t stage) { return stage > 0 ? stage - 1 : 0; }

} // namespace

std::string_view name_of(WarmupMove move)
{
    switch (move) {
    case WarmupMove::advance: return "advance";
    case WarmupMove::hold: return "hold";
    case WarmupMove::step_back: return "step_back";
    case WarmupMove::restart: return "restart";
    case WarmupMove::stop: return "stop";
    }
    return "unknown";
}

void WarmupCounts::add(BounceClass klass, bool taken, bool final)
{
    ++sent;
    if (taken) ++delivered;
    if (is_hard_bounce(klass) && final) ++hard_bounces;
    if (is_block(klass)) ++blocks;
    if (klass == BounceClass::rate_limited) ++deferrals;
}

std::optional<double> share_of(const WarmupPlan& plan, WarmupSignal signal, const WarmupNumbers& numbers)
{
    const bool complaints = signal == WarmupSignal::complaints;
    const std::optional<double> measured = complaints ? numbers.outside.complaint_share : std::nullopt;
    const std::uint64_t count = count_of(signal, numbers);
    if (numbers.counts.sent == 0 || count < plan.limit(signal).least) return measured;
    const double own = static_cast<double>(count) / static_cast<double>(numbers.counts.sent);
    return std::max(own, measured.value_or(0));
}

WarmupDecision decide_day(const WarmupPlan& plan, const WarmupState& state, Day day, const WarmupNumbers& numbers)
{
    const std::size_t from = std::min(state.stage, plan.last_stage());
    const auto decision = [&](WarmupMove move, std::size_t to, std::string_view reason) {
        return WarmupDecision{
            .move = move, .from = state.stage, .to = to, .reason = std::string{reason}, .numbers = numbers};
    };
    if (numbers.outside.listings > 0) return decision(WarmupMove::stop, from, "listed");
    if (state.cap) return decision(WarmupMove::hold, from, "set_by_hand");
    if (idle_too_long(plan, state, day, numbers)) return decision(WarmupMove::restart, 0, "idle");
    if (state.stepped_back == day) return decision(WarmupMove::hold, from, "stepped_back");
    if (const auto signal = first_over(plan, &WarmupLimit::back, numbers))
        return decision(WarmupMove::step_back, one_back(from), name_of(*signal));
    if (const auto signal = first_over(plan, &WarmupLimit::hold, numbers))
        return decision(WarmupMove::hold, from, name_of(*signal));
    if (from == plan.last_stage()) return decision(WarmupMove::hold, from, plan.ends ? "warm" : "full");
    if (!used_enough(plan, numbers)) return decision(WarmupMove::hold, from, "unused");
    return decision(WarmupMove::advance, from + 1, "used");
}

std::optional<WarmupDecision> decide_now(const WarmupPlan& plan, const WarmupState& state, Day today,
                                         const WarmupNumbers& numbers)
{
    if (state.stopped == today) return std::nullopt;
    const std::size_t from = std::min(state.stage, plan.last_stage());
    WarmupDecision decision{.from = state.stage, .to = one_back(from), .numbers = numbers};
    if (numbers.outside.listings > 0) {
        decision.move = WarmupMove::stop;
        if (state.cap || state.stepped_back == today) decision.to = from;
        decision.reason = "listed";
        return decision;
    }
    if (state.cap || state.stepped_back == today || numbers.counts.sent < kSampleNow) return std::nullopt;
    const auto signal = first_over(plan, &WarmupLimit::back, numbers);
    if (!signal) return std::nullopt;
    decision.move = WarmupMove::step_back;
    decision.reason = name_of(*signal);
    return decision;
}

WarmupState after(WarmupState state, const WarmupDecision& decision, Day day, Day today)
{
    state.stage = decision.to;
    if (decision.numbers.counts.sent > 0) state.last_sent = std::max(state.last_sent.value_or(day), day);
    if (decision.move == WarmupMove::stop) state.stopped = today;
    const bool at_once = day == today;
    if (at_once && decision.to < decision.from) state.stepped_back = today;
    if (decision.move == WarmupMove::restart) state.last_sent.reset();
    return state;
}

} // namespace penguin::policy
