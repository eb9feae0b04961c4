// tests/engine/queue/cutting_relay.h
// A relay before a Redis that loses a reply when told: the request goes through, the server acts and answers, and then the
// connection ends instead of the answer being passed on. Lives on the io_context of the test.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "engine/base/asio.h"
#include "engine/queue/redis_url.h"

namespace penguin::test {

class CuttingRelay {
public:
    CuttingRelay(asio::io_context& io, std::string folder, std::string target_socket);
    ~CuttingRelay();

    queue::RedisUrl url() const;
    // The next request that holds `text` gets no answer. Once.
    void lose_reply_of(std::string text);
    // That text, or nothing when the reply was lost already.
    bool armed() const;
    // From now on requests go through and no answer comes, on connections that stay open.
    void go_silent();

    struct State;

private:
    std::shared_ptr<State> state_;
};

} // namespace penguin::test
