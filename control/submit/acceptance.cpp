#include "control/submit/acceptance.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "control/submit/submission_group.h"
#include "engine/base/log.h"

namespace penguin::control::submit {

using Kind = BatchRefused::Kind;

struct Acceptance::Waiting {
    Waiting(Submission given, const asio::any_io_executor& executor)
        : submission{std::move(given)},
          answered{executor, SteadyTime::max()}
    {
    }
    Submission submission;
    asio::steady_timer answered; // cancelled when it is over
    bool over = false;           // its group has ended, perhaps before its caller could wait
    bool left = false;           // its caller does not wait any more
};

namespace {

// Compressed, with some for each address.
bool is_small(const CheckedBatch& batch)
{
    std::size_t octets = batch.content_body.size();
    for (const Candidate& one : batch.candidates) octets += 64 + one.recipient.vars.size();
    return batch.candidates.size() <= kChunk && octets <= kSmallOctets;
}

} // namespace

Acceptance::Acceptance(db::Database& database, asio::any_io_executor workers, std::function<void()> on_accepted,
                       Registry& metrics, Backlog* backlog)
    : database_{database},
      checks_{std::move(workers)},
      on_accepted_{std::move(on_accepted)},
      backlog_{backlog},
      batches_{metrics.counter("penguin_submit_batches_total", "Batches accepted")},
      messages_{metrics.counter("penguin_submit_messages_total", "Messages accepted")},
      refused_batches_{metrics.counter("penguin_submit_refused_batches_total", "Batches refused whole")},
      refused_recipients_{
          metrics.counter("penguin_submit_refused_recipients_total", "Recipients refused at submission")},
      groups_run_{metrics.counter("penguin_submit_groups_total", "Groups of small batches that shared transactions")},
      seconds_{metrics.histogram("penguin_submit_seconds", "From the parsed request to the commit of its batch",
                                 latency_bounds_seconds())}
{
}

awaitable<Answer> Acceptance::accept(BatchRequest request, WallTime now)
{
    const SteadyTime start = std::chrono::steady_clock::now();
    Answer answer = refuse(Kind::fault, "");
    answer = co_await decide(std::move(request), now);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    if (!answer) {
        refused_batches_.add();
        if (answer.error().kind == Kind::fault) log::error("submit", "failed", {{"why", answer.error().detail}});
        co_return answer;
    }
    seconds_.observe(took.count());
    if (answer->repeated) co_return answer;
    batches_.add();
    messages_.add(answer->count);
    refused_recipients_.add(answer->refused.size());
    if (on_accepted_) on_accepted_();
    co_return answer;
}

awaitable<Answer> Acceptance::decide(BatchRequest request, WallTime now)
{
    auto batch = co_await checks_.check(std::move(request), now);
    if (!batch) co_return std::unexpected{std::move(batch.error())};
    const bool small = is_small(*batch);
    Submission submission{std::move(*batch), now};
    if (small) co_return co_await in_group(std::move(submission));
    Group alone{&submission};
    co_await accept_together(database_, backlog_, std::move(alone));
    co_return std::move(*submission.answer);
}

awaitable<Answer> Acceptance::in_group(Submission submission)
{
    const TenantId tenant = submission.batch.tenant;
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const auto mine = std::make_shared<Waiting>(std::move(submission), executor);
    struct Leave { // also when the coroutine is cancelled
        std::shared_ptr<Waiting> waiting;
        ~Leave() { waiting->left = true; }
    } const leave{mine};
    using Place = TenantGroups<std::shared_ptr<Waiting>>::Place;
    switch (groups_.join(tenant, mine)) {
    case Place::full: co_return refuse(Kind::unavailable, "too many submissions wait");
    case Place::first: asio::co_spawn(executor, run_groups(tenant), asio::detached); break;
    case Place::waiting: break;
    }
    // A group that fails at once (the pool backs off) has ended before co_spawn came back.
    if (!mine->over) co_await mine->answered.async_wait(use_result);
    if (!mine->submission.answer) co_return refuse(Kind::unavailable, "the caller's time is over");
    co_return std::move(*mine->submission.answer);
}

// One at a time of a tenant. Touches the members only by what they share: their callers may be gone.
awaitable<void> Acceptance::run_groups(TenantId tenant)
{
    while (true) {
        std::vector<std::shared_ptr<Waiting>> members = groups_.take(tenant);
        if (members.empty()) co_return;
        std::erase_if(members, [](const auto& one) { return one->left; });
        if (members.empty()) continue;
        groups_run_.add();
        co_await accept_group(members);
        for (const auto& one : members) {
            one->over = true;
            one->answered.cancel();
        }
    }
}

awaitable<void> Acceptance::accept_group(const std::vector<std::shared_ptr<Waiting>>& members)
{
    Group group;
    for (const auto& one : members) group.push_back(&one->submission);
    try {
        co_await accept_together(database_, backlog_, std::move(group));
    } catch (const std::exception& error) {
        for (const auto& one : members)
            if (!one->submission.answer) one->submission.answer = refuse(Kind::fault, error.what());
    }
}

} // namespace penguin::control::submit
