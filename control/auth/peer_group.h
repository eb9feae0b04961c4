// control/auth/peer_group.h
// Who counts as one peer when we count by address: an IPv4 address, or the /64 of an IPv6 address (who has one address there
// has all 2^64). Loopback and the unspecified address, which stands for unix sockets, stay what they are.
#pragma once

#include <string>

#include <boost/asio/ip/address.hpp>

namespace penguin::control {

inline boost::asio::ip::address peer_group(const boost::asio::ip::address& peer)
{
    if (peer.is_v4() || peer.is_loopback()) return peer;
    boost::asio::ip::address_v6::bytes_type bytes = peer.to_v6().to_bytes();
    for (std::size_t i = 8; i < bytes.size(); ++i) bytes[i] = 0;
    return boost::asio::ip::address_v6{bytes};
}

// For logs: "unix", "192.0.2.7", "2001:db8::1"; the group: "2001:db8::/64".
inline std::string peer_text(const boost::asio::ip::address& peer)
{
    return peer.is_unspecified() ? "unix" : peer.to_string();
}
inline std::string peer_group_text(const boost::asio::ip::address& peer)
{
    const boost::asio::ip::address group = peer_group(peer);
    return group.is_v4() || group.is_loopback() || group.is_unspecified() ? peer_text(group)
                                                                          : group.to_string() + "/64";
}

} // namespace penguin::control
