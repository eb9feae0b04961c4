// engine/base/asio.h
// The few names of Asio that our coroutines use. Included by modules that do I/O, never by pure ones.
//
//   awaitable<T>   a coroutine of ours
//   use_result     completion token: co_await gives (error_code, values...) instead of throwing
//   within         awaits `work` for at most `limit`; then cancels it and gives Errc::timeout
//   error_of       the Error that an error_code stands for
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "engine/base/clock.h"
#include "engine/base/result.h"

namespace penguin {

namespace asio = boost::asio;
using boost::system::error_code;

template <class T = void>
using awaitable = asio::awaitable<T>;

inline constexpr auto use_result = asio::as_tuple(asio::use_awaitable);

Error error_of(const error_code& code, std::string_view doing);

// Sleeps. False when cancelled before the time was over.
awaitable<bool> sleep_for(Duration time);

// For cold paths (connecting, look-ups, store calls). `what` names the work in the error.
template <class T>
awaitable<Result<T>> within(Duration limit, std::string_view what, awaitable<Result<T>> work)
{
    using namespace asio::experimental::awaitable_operators;
    std::string name{what};
    asio::steady_timer timer{co_await asio::this_coro::executor, limit};
    auto first = co_await (std::move(work) || timer.async_wait(use_result));
    if (first.index() == 0) co_return std::get<0>(std::move(first));
    co_return fail(Errc::timeout, name + " took too long");
}

} // namespace penguin
