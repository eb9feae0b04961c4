// control/auth/throttle.h
// Counts wrong credentials by peer address, so that guessing is slow and cheap for us. Time is a parameter.
//
//   limits  kFailuresMax in kWindow, then refused to the window's end; kPeersMax peers are remembered, the longest unused go
//   IPv6    a peer is its /64: who has one address there has all
#pragma once

#include <chrono>
#include <string>

#include <boost/asio/ip/address.hpp>

#include "engine/base/clock.h"
#include "engine/base/lru_cache.h"

namespace penguin::control {

class Throttle {
public:
    static constexpr unsigned kFailuresMax = 20;
    static constexpr std::chrono::seconds kWindow{60};
    static constexpr std::size_t kPeersMax = 10'000;

    bool refuses(const boost::asio::ip::address& peer, SteadyTime now);
    void count_failure(const boost::asio::ip::address& peer, SteadyTime now);

private:
    struct Window {
        SteadyTime begun;
        unsigned failures = 0;
    };
    LruCache<std::string, Window> windows_{kPeersMax};
};

} // namespace penguin::control
