#include "bench/sustain/course.h"

#include <algorithm>

namespace penguin::bench {

namespace {

// The latest sample that is not behind that time; the first one before all.
const CourseSample& at(std::span<const CourseSample> samples, double time)
{
    const auto behind = std::ranges::upper_bound(samples, time, {}, &CourseSample::at_s);
    return behind == samples.begin() ? samples.front() : *std::prev(behind);
}

} // namespace

CourseFigures figures_of(std::span<const CourseSample> samples, double rate, double find_s)
{
    CourseFigures figures;
    if (samples.empty()) return figures;
    const CourseSample& found = at(samples, find_s);
    const CourseSample& last = samples.back();
    const auto taken = static_cast<double>(last.taken - found.taken);
    const auto refused = static_cast<double>(last.refused - found.refused);
    if (last.at_s > found.at_s) figures.share = taken / (last.at_s - found.at_s) / rate;
    if (taken + refused > 0) figures.deferred = refused / (taken + refused);
    for (const CourseSample& sample : samples) {
        if (sample.at_s < kCourseWindowS) continue;
        const CourseSample& before = at(samples, sample.at_s - kCourseWindowS);
        const double share = static_cast<double>(sample.taken - before.taken) / (sample.at_s - before.at_s) / rate;
        if (share < kFound)
            figures.found_after_s.reset();
        else if (!figures.found_after_s)
            figures.found_after_s = sample.at_s;
    }
    return figures;
}

Result<double> sustainable_rate(const SinkProfile& profile)
{
    if (!profile.message_rate)
        return fail(Errc::bad_value, "profile " + profile.name + ": limits.message-rate: must be there");
    const double rate = profile.message_rate->max / std::chrono::duration<double>(profile.message_rate->per).count();
    if (!profile.reputation) return rate;
    const ReputationRules& rules = profile.reputation->rules;
    return rate * rules.treatment[static_cast<std::size_t>(grade_of(rules.start))].allowed;
}

} // namespace penguin::bench
