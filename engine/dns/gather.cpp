#include "engine/dns/gather.h"

#include <exception>
#include <memory>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>

namespace penguin::dns {

namespace {

struct Group {
    Group(const asio::any_io_executor& executor, std::size_t jobs, SteadyTime deadline)
        : finished{executor, deadline},
          open{jobs},
          stops(jobs)
    {
    }
    asio::steady_timer finished; // fires at the deadline; cancelled when the last job ends
    std::size_t open;
    std::vector<asio::cancellation_signal> stops;
};

} // namespace

awaitable<> gather(std::vector<std::function<awaitable<>()>> jobs, SteadyTime deadline)
{
    const auto executor = co_await asio::this_coro::executor;
    const auto group = std::make_shared<Group>(executor, jobs.size(), deadline);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        auto ended = [group](const std::exception_ptr& /*its result is missing, that is all*/) {
            if (--group->open == 0) group->finished.cancel();
        };
        asio::co_spawn(executor, jobs[i](), asio::bind_cancellation_slot(group->stops[i].slot(), std::move(ended)));
    }
    if (group->open > 0) [[maybe_unused]]
        const auto [code] = co_await group->finished.async_wait(use_result);
    for (asio::cancellation_signal& stop : group->stops) stop.emit(asio::cancellation_type::terminal);
}

} // namespace penguin::dns
