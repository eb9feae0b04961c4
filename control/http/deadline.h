// control/http/deadline.h
// One running deadline of a connection: when it passes, what the socket waits for ends with operation_aborted.
//
//   use     deadline.start(limits.header); co_await read; deadline.end();  if (deadline.passed()) ...
//   belongs to the socket's io_context; the socket must outlive it
#pragma once

#include <memory>

#include <boost/asio/steady_timer.hpp>

#include "engine/base/asio.h"

namespace penguin::control::http {

template <class Socket>
class Deadline {
public:
    explicit Deadline(Socket& socket) : socket_{socket}, timer_{socket.get_executor()} {}

    void start(std::chrono::milliseconds limit)
    {
        *passed_ = false;
        const std::uint64_t mine = ++*running_;
        timer_.expires_after(limit);
        // A handler that was queued before the deadline ended finds another number and does nothing; one that outlives
        // this object finds nobody.
        timer_.async_wait([mine, running = std::weak_ptr{running_}, passed = passed_, this](const error_code& code) {
            const auto now = running.lock();
            if (code || !now || *now != mine) return;
            *passed = true;
            error_code ignored;
            socket_.cancel(ignored);
        });
    }
    void end()
    {
        ++*running_;
        timer_.cancel();
    }
    bool passed() const { return *passed_; }

private:
    Socket& socket_;
    asio::steady_timer timer_;
    std::shared_ptr<std::uint64_t> running_ = std::make_shared<std::uint64_t>(0);
    std::shared_ptr<bool> passed_ = std::make_shared<bool>(false);
};

} // namespace penguin::control::http
