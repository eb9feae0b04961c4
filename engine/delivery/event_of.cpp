#include "engine/delivery/event_of.h"

#include <algorithm>

namespace penguin::delivery {

namespace {

using Kind = policy::Verdict::Kind;

queue::Event event_base(const Job& job, WallTime now)
{
    const queue::Entry& entry = job.entry;
    queue::Event event{.id = entry.id.text() + ":" + job.token + ":0",
                       .message = entry.id,
                       .tenant = entry.tenant,
                       .campaign = entry.campaign,
                       .mailbox = entry.mailbox,
                       .recipient = entry.to.text(),
                       .kind = queue::EventKind::deferred,
                       .at = now,
                       .attempt = entry.attempt};
    if (job.route && *job.route) event.site = (*job.route)->site.value();
    if (job.source) event.source = job.source->address.to_string();
    event.latency_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now - entry.queued).count();
    return event;
}

void describe(queue::Event& event, const smtp::Outcome& outcome)
{
    event.phase = smtp::name_of(outcome.phase);
    event.may_be_duplicate = outcome.may_be_duplicate;
    if (outcome.reply) {
        event.code = outcome.reply->code;
        if (outcome.reply->enhanced) event.enhanced = outcome.reply->enhanced->text();
        event.reply = outcome.reply->text().substr(0, queue::Event::kReplyMax);
    } else if (outcome.error) {
        event.reply = outcome.error->detail.substr(0, queue::Event::kReplyMax);
    }
}

} // namespace

bool heard(const Finished& finished)
{
    return finished.verdict.kind != Kind::give_back && finished.outcome.kind != smtp::Outcome::Kind::not_tried &&
           finished.outcome.phase >= smtp::Phase::mail;
}

queue::Settlement settlement_of(const Finished& finished, const policy::RetrySchedule& schedule, WallTime now,
                                double random)
{
    const Job& job = *finished.job;
    const policy::Verdict& verdict = finished.verdict;
    queue::Settlement settlement{.token = job.token, .event = event_base(job, now)};
    queue::Event& event = settlement.event;
    ++event.attempt;
    describe(event, finished.outcome);
    event.klass = policy::name_of(verdict.klass);
    event.rule = verdict.rule;
    event.remote = finished.remote;
    event.tls = finished.tls;
    event.suppress = verdict.suppress;
    if (heard(finished)) event.warmup = job.warmup;
    if (verdict.kind == Kind::delivered)
        event.kind = queue::EventKind::delivered;
    else if (verdict.klass == policy::BounceClass::suppressed)
        event.kind = queue::EventKind::suppressed;
    else if (verdict.kind == Kind::bounce)
        event.kind = queue::EventKind::bounced;
    if (event.kind != queue::EventKind::deferred) return settlement;

    std::optional<WallTime> expires = job.entry.expires;
    if (verdict.life) expires = std::min(expires.value_or(WallTime::max()), job.entry.life_begins() + *verdict.life);
    const auto next =
        policy::next_attempt(schedule, event.attempt, now, job.entry.life_begins(), expires, verdict.wait, random);
    if (!next) {
        event.kind = queue::EventKind::expired;
        return settlement;
    }
    event.next = next;
    settlement.retry_at = *next;
    settlement.retry = job.entry;
    settlement.retry->attempt = event.attempt;
    return settlement;
}

queue::Settlement settlement_of_end(const Job& job, queue::EventKind kind, policy::BounceClass klass, WallTime now)
{
    queue::Settlement settlement{.token = job.token, .event = event_base(job, now)};
    settlement.event.kind = kind;
    settlement.event.klass = policy::name_of(klass);
    settlement.event.rule = policy::name_of(klass);
    return settlement;
}

} // namespace penguin::delivery
