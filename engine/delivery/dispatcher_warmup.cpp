// What the dispatcher does about sources under a warm-up plan: which one carries a message, when what must wait comes again, and
// what was sent before this process began.
#include <algorithm>

#include "engine/base/log.h"
#include "engine/delivery/dispatcher.h"
#include "engine/delivery/source_choice.h"
#include "engine/delivery/subject_of.h"

namespace penguin::delivery {

// The source that this sender keeps at the site; where its warm-up has no room, another one of the pool that has. One that was
// stopped because of what the provider or a list says is no reason to send from another (nobody hops around a block).
std::optional<SourceSettings> Dispatcher::source_of(const Job& job, const Settings& settings, WallTime now)
{
    const dns::Route& route = **job.route;
    const Uuid sender = job.entry.mailbox ? job.entry.mailbox->value() : job.entry.tenant.value();
    auto kept = choose_source(settings.sources, options_.queue.pool, route, sender);
    if (!kept || warmups_.empty()) return kept;
    const std::string_view provider = provider_of(route, *settings.rules);
    const auto hold = warmups_.hold(kept->id, provider, now);
    if (!hold || hold->bound == policy::WarmupBound::stopped) return kept;
    std::vector<SourceSettings> with_room;
    for (const SourceSettings& source : settings.sources)
        if (!warmups_.hold(source.id, provider, now)) with_room.push_back(source);
    auto other = choose_source(with_room, options_.queue.pool, route, sender);
    return other ? other : kept;
}

std::optional<policy::WarmupHold> Dispatcher::warmup_hold(const Job& job, const Settings& settings, WallTime now)
{
    if (warmups_.empty()) return std::nullopt;
    return warmups_.hold(job.source->id, provider_of(**job.route, *settings.rules), now);
}

void Dispatcher::count_for_warmup(Job& job, const Settings& settings, WallTime now)
{
    if (!warmups_.empty()) job.warmup = warmups_.take(job.source->id, provider_of(**job.route, *settings.rules), now);
}

// Back to Redis until it probably may go; not beyond its life, whose end it must meet.
void Dispatcher::wait_for_warmup(const Job& job, policy::Limit limit, WallTime now)
{
    const std::shared_ptr<const Settings> settings = parts_.settings();
    const WallTime next = warmups_.next_in_line(job.source->id, provider_of(**job.route, *settings->rules), now);
    const WallTime end = policy::end_of_life(options_.retry, job.entry.queued, job.entry.expires);
    parts_.metrics
        .counter("penguin_warmup_held_total", "Times that a message went back because of its source's warm-up plan.",
                 {{"limit", std::string{policy::name_of(limit)}}})
        .add();
    released_.add();
    settler_.release(job.token, std::min(next, end));
}

// What this node sent before it began, or before a source had its plan. Errors: those of SendQueue.
awaitable<Result<>> Dispatcher::load_warmup_counts()
{
    for (const SourceId& source : warmups_.unasked()) {
        const policy::Day today = std::chrono::floor<std::chrono::days>(queue_.now());
        const std::string address = warmups_.address_of(source);
        const Result<queue::WarmupCounts> counts = co_await queue_.warmup_counts(address, today);
        if (!counts) co_return std::unexpected{counts.error()};
        warmups_.counted(source, today, *counts, queue_.now());
        warmups_.asked(source);
    }
    co_return Result<>{};
}

void Dispatcher::warmup_counted(const SourceId& source, policy::Day day, const queue::WarmupCounts& counts)
{
    warmups_.counted(source, day, counts, queue_.now());
}

void Dispatcher::show_warmup_levels()
{
    for (const Warmups::Level& level : warmups_.levels(queue_.now())) {
        const Labels labels{{"source", level.source}, {"provider", level.share}};
        parts_.metrics
            .gauge("penguin_warmup_sent_messages", "Attempts of today under a warm-up plan, with those under way.",
                   labels)
            .set(static_cast<std::int64_t>(level.used));
        parts_.metrics.gauge("penguin_warmup_cap_messages", "Most of them a day; 0: no cap.", labels)
            .set(static_cast<std::int64_t>(level.cap));
    }
}

} // namespace penguin::delivery
