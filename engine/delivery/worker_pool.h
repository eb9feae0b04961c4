// engine/delivery/worker_pool.h
// Runs CPU work (rendering, signing) beside the threads that send. The caller waits as a coroutine and goes on where it
// was.
//
//   limits  what waits is bounded by the connections that ask: each has at most one piece of work out
#pragma once

#include <type_traits>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include "engine/base/asio.h"

namespace penguin::delivery {

class WorkerPool {
public:
    explicit WorkerPool(std::size_t threads) : threads_{threads} {}

    // `work` returns a Result; what it refers to stays alive until then, because the caller waits.
    template <class Work>
    awaitable<std::invoke_result_t<Work>> run(Work work)
    {
        using Value = std::invoke_result_t<Work>;
        auto start = [this, work = std::move(work)](auto handler) mutable {
            asio::post(threads_, [work = std::move(work), handler = std::move(handler)]() mutable {
                Value value = work();
                const auto home = asio::get_associated_executor(handler);
                asio::post(home, [handler = std::move(handler), value = std::move(value)]() mutable {
                    std::move(handler)(std::move(value));
                });
            });
        };
        Value value = co_await asio::async_initiate<decltype(asio::use_awaitable), void(Value)>(std::move(start),
                                                                                                asio::use_awaitable);
        co_return value;
    }

    void stop()
    {
        threads_.stop();
        threads_.join();
    }

private:
    asio::thread_pool threads_;
};

} // namespace penguin::delivery
