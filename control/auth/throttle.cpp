#include "control/auth/throttle.h"

#include "control/auth/peer_group.h"

namespace penguin::control {

bool Throttle::refuses(const boost::asio::ip::address& peer, SteadyTime now)
{
    const Window* window = windows_.get(peer_group(peer).to_string());
    return window != nullptr && now - window->begun < kWindow && window->failures >= kFailuresMax;
}

void Throttle::count_failure(const boost::asio::ip::address& peer, SteadyTime now)
{
    const std::string name = peer_group(peer).to_string();
    Window* window = windows_.get(name);
    if (window == nullptr || now - window->begun >= kWindow) return windows_.put(name, Window{now, 1});
    ++window->failures;
}

} // namespace penguin::control
