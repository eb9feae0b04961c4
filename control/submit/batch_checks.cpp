#include "control/submit/batch_checks.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace penguin::control::submit {

using Kind = BatchRefused::Kind;

struct BatchChecks::Check {
    Check(BatchRequest given, WallTime at, const asio::any_io_executor& executor)
        : request{std::move(given)},
          now{at},
          done{executor, SteadyTime::max()}
    {
    }
    BatchRequest request;
    WallTime now;
    std::stop_source given_up;
    std::optional<std::expected<CheckedBatch, BatchRefused>> result; // the worker's until it is over
    asio::steady_timer done;                                         // cancelled then
    bool over = false;
};

awaitable<void> BatchChecks::run(std::shared_ptr<Check> check)
{
    if (check->given_up.stop_requested()) co_return;
    try {
        check->result = check_batch(check->request, check->now, check->given_up.get_token());
    } catch (const std::exception& error) {
        check->result = refuse(Kind::fault, error.what());
    }
}

awaitable<std::expected<CheckedBatch, BatchRefused>> BatchChecks::check(BatchRequest request, WallTime now)
{
    const TenantId tenant = request.tenant;
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const auto mine = std::make_shared<Check>(std::move(request), now, executor);
    struct Leave { // also when the coroutine is cancelled
        std::shared_ptr<Check> check;
        ~Leave() { check->given_up.request_stop(); }
    } const leave{mine};
    using Place = TenantGroups<std::shared_ptr<Check>>::Place;
    switch (lines_.join(tenant, mine)) {
    case Place::full: co_return refuse(Kind::unavailable, "too many submissions wait");
    case Place::first: asio::co_spawn(executor, run_line(tenant), asio::detached); break;
    case Place::waiting: break;
    }
    if (!mine->over) co_await mine->done.async_wait(use_result);
    if (!mine->over) co_return refuse(Kind::unavailable, "the caller's time is over");
    co_return std::move(*mine->result);
}

awaitable<void> BatchChecks::run_line(TenantId tenant)
{
    while (true) {
        const std::vector<std::shared_ptr<Check>> line = lines_.take(tenant);
        if (line.empty()) co_return;
        for (const std::shared_ptr<Check>& one : line) {
            if (one->given_up.stop_requested()) continue;
            co_await asio::co_spawn(workers_, run(one), asio::use_awaitable);
            one->over = true;
            one->done.cancel();
        }
    }
}

} // namespace penguin::control::submit
