// control/auth/peer_group.h
// Who counts as one peer when we count by address: an IPv4 address, or the /64 of an IPv6 address (who has one address there
// has all 2^64). Loopback and the unspecified address, which stands for unix sockets, stay what they are.
#pragma once

#include <boost/asio/ip/address.hpp>

namespace penguin::control {

inline boost::asio::ip::address peer_group(const boost::asio::ip::address& peer)
{
    if (peer.is_v4() || peer.is_loopback()) return peer;
    boost::asio::ip::address_v6::bytes_type bytes = peer.to_v6().to_bytes();
    for (std::size_t i = 8; i < bytes.size(); ++i) bytes[i] = 0;
    return boost::asio::ip::address_v6{bytes};
}

} // namespace penguin::control
