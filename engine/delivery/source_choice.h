// engine/delivery/source_choice.h
// Which of the node's sources carries a message. Pure.
//
//   rule    the sources of the pool whose address family some host of the route has; among them always the same one for
//           one mailbox (or tenant, where there is no mailbox) at one site, as long as the set of sources is the same
//           (highest random weight), so that a sender keeps its face at a provider
#pragma once

#include <optional>
#include <span>

#include "engine/delivery/settings.h"
#include "engine/dns/mx_routes.h"

namespace penguin::delivery {

std::optional<SourceSettings> choose_source(std::span<const SourceSettings> sources, const PoolName& pool,
                                            const dns::Route& route, const Uuid& sender);

// Whether this source can open a connection to that address.
bool can_reach(const boost::asio::ip::address& source, const boost::asio::ip::address& target);

} // namespace penguin::delivery
