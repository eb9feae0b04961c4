// What the rules of replies ask of the dispatcher: pauses and alerts.
#include "engine/base/log.h"
#include "engine/delivery/dispatcher.h"
#include "engine/delivery/subject_of.h"

namespace penguin::delivery {

// What the rule that knew the reply wants beside the message itself: pauses and alerts.
void Dispatcher::react(const Finished& finished, WallTime now)
{
    const policy::RulePtr& rule = finished.verdict.matched;
    if (!rule || rule->reactions.empty()) return;
    const std::shared_ptr<const Settings> settings = parts_.settings();
    const policy::Subject subject = subject_of(*finished.job, *settings->rules);
    const policy::Reacted reacted = pauses_.react(*rule, subject, *finished.outcome.reply, now);
    for (const policy::Pause& pause : reacted.to_share) parts_.share_pause(pause);
    for (const policy::Reaction& reaction : reacted.due) {
        log::warning("delivery", "reply_reaction",
                     {{"rule", rule->id},
                      {"reaction", reaction.text()},
                      {"site", subject.site},
                      {"source", subject.source},
                      {"domain", subject.sender_domain},
                      {"campaign", subject.campaign},
                      {"reply", finished.outcome.reply->text().substr(0, queue::Event::kReplyMax)}});
        parts_.metrics
            .counter("penguin_delivery_reactions_total", "Pauses and alerts that replies led to.",
                     {{"rule", rule->id}, {"reaction", std::string{policy::name_of(reaction.kind)}}})
            .add();
    }
    if (!reacted.due.empty()) hold_what_is_paused(now);
}

void Dispatcher::learn_pauses()
{
    const std::shared_ptr<const Settings> settings = parts_.settings();
    if (learned_ == settings->pauses) return;
    learned_ = settings->pauses;
    const WallTime now = queue_.now();
    if (pauses_.learn(*learned_, now)) hold_what_is_paused(now);
    pauses_held_.set(static_cast<std::int64_t>(pauses_.size()));
}

// What the outcome says of the rate that the lane's site takes.
void Dispatcher::note_pace(const Finished& finished, LaneState& lane, WallTime now)
{
    const Job& job = *finished.job;
    const policy::Verdict& verdict = finished.verdict;
    if (verdict.kind == policy::Verdict::Kind::delivered) {
        if (const auto step = lane.pace.taken(now, job.probe)) tell_step(job, *step);
        return;
    }
    const bool of_mail = finished.outcome.phase >= smtp::Phase::mail && finished.outcome.reply;
    if (!of_mail || !policy::blames_the_lane(verdict)) {
        if (job.probe) lane.pace.probe_abandoned();
        return;
    }
    const std::string reply = finished.outcome.reply->text();
    if (!lane.pace.refused(now, job.probe, policy::hinted_wait(reply))) return;
    rate_refusals_.add();
    log::info("delivery", "lane_refused",
              {{"site", (*job.route)->site.value()},
               {"source", job.source->address.to_string()},
               {"until", to_rfc3339(*lane.pace.until(now))},
               {"rule", verdict.rule},
               {"reply", reply.substr(0, queue::Event::kReplyMax)}});
    for (const auto& [token, other] : jobs_)
        if (other->route && *other->route && other->source && other->source->id == job.source->id &&
            (*other->route)->site == (*job.route)->site)
            other->paused = true;
}

void Dispatcher::tell_step(const Job& job, const policy::LanePace::Step& step)
{
    const bool down = !step.from || step.to < *step.from;
    (down ? rate_down_ : rate_up_).add();
    log::info("delivery", "lane_rate",
              {{"site", (*job.route)->site.value()},
               {"source", job.source->address.to_string()},
               {"from_a_minute", step.from.value_or(0) * 60},
               {"to_a_minute", step.to * 60}});
}

// What a lane has and has not begun to send comes back unsent, and waits as what comes after it.
void Dispatcher::hold_what_is_paused(WallTime now)
{
    pauses_held_.set(static_cast<std::int64_t>(pauses_.size()));
    const std::shared_ptr<const Settings> settings = parts_.settings();
    for (const auto& [token, job] : jobs_)
        if (job->route && *job->route && job->source && pauses_.on(subject_of(*job, *settings->rules), now))
            job->paused = true;
}

} // namespace penguin::delivery
