#include "control/auth/throttle.h"

#include <algorithm>

namespace penguin::control {

namespace {

std::string name_of(const boost::asio::ip::address& peer)
{
    if (peer.is_v4()) return peer.to_string();
    auto bytes = peer.to_v6().to_bytes();
    std::fill(bytes.begin() + 8, bytes.end(), 0);
    return boost::asio::ip::address_v6{bytes}.to_string();
}

} // namespace

bool Throttle::refuses(const boost::asio::ip::address& peer, SteadyTime now)
{
    const Window* window = windows_.get(name_of(peer));
    return window != nullptr && now - window->begun < kWindow && window->failures >= kFailuresMax;
}

void Throttle::count_failure(const boost::asio::ip::address& peer, SteadyTime now)
{
    const std::string name = name_of(peer);
    Window* window = windows_.get(name);
    if (window == nullptr || now - window->begun >= kWindow) return windows_.put(name, Window{now, 1});
    ++window->failures;
}

} // namespace penguin::control
