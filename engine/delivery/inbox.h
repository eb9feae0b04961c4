// engine/delivery/inbox.h
// Values for another thread's executor: one wake-up there takes all that came meanwhile, in their order. A busy sender pays
// a lock a value, where a post each pays an allocation and often a wake-up.
//
//   threads   `put` may be called from any; `take` is called on the executor, one value after another
//   limits    none of its own: what is put is bounded by who puts it
//   lifetime  the inbox outlives what its executor still runs
#pragma once

#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>

#include "engine/base/asio.h"

namespace penguin::delivery {

template <class Value>
class Inbox {
public:
    Inbox(asio::any_io_executor executor, std::function<void(Value)> take)
        : executor_{std::move(executor)},
          take_{std::move(take)}
    {
    }

    void put(Value value)
    {
        bool first = false;
        {
            const std::lock_guard lock{mutex_};
            first = waiting_.empty();
            waiting_.push_back(std::move(value));
        }
        if (first) asio::post(executor_, [this] { take_all(); });
    }

private:
    void take_all()
    {
        std::vector<Value> values;
        {
            const std::lock_guard lock{mutex_};
            values.swap(waiting_);
        }
        for (Value& value : values) take_(std::move(value));
    }

    asio::any_io_executor executor_;
    std::function<void(Value)> take_;
    std::mutex mutex_; // guards waiting_
    std::vector<Value> waiting_;
};

} // namespace penguin::delivery
