// engine/dns/mx_routes.h
// Recipient domain -> route: which hosts take its mail, at which addresses, in which order (RFC 5321 5.1).
//
//   out     a Route that may be kept until `expires`; its hosts are in order of preference, equal ones in the order
//           that DNS gave (the sender shuffles them at each attempt: policy/mx_order.h)
//   site    the hosts' names, sorted and joined: domains with equal MX sets share one site, so one lane
//           (form: site_of() in route_rules.h)
//   limits  kHostsMax hosts, kAddressesMax addresses a host; more are left out
//   errors  not_found (no such domain, no usable MX, no address at all), refused (null MX: takes no mail; or every
//           target is an address that we must not connect to); every other error says nothing final, try again
//           later (unavailable, timeout, malformed; full and cancelled are ours)
//   partly  a host whose addresses could not be looked up is left out, and the route kept for failure_ttl only
//   stale   a route past its time goes on while DNS says nothing final, so a resolver that is away stops no mail to
//           domains that we know (RFC 8767); not_found and refused end it at once
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include "engine/base/clock.h"
#include "engine/base/uuid.h"
#include "engine/dns/resolver.h"

namespace penguin::dns {

inline constexpr std::size_t kHostsMax = 16;
inline constexpr std::size_t kAddressesMax = 8;

struct RouteHost {
    DomainName name;
    std::uint16_t preference = 0;
    std::vector<asio::ip::address> addresses; // IPv4 before IPv6
};

struct Route {
    DomainName domain;
    SiteName site;
    std::vector<RouteHost> hosts;
    SteadyTime expires;
};

// Which addresses mail may go to. By default none that is loopback, private, link-local, reserved or our own. What
// allow() names may be used whatever it is, our own addresses too: a test sends and receives on one machine.
class TargetRule {
public:
    TargetRule() = default;
    // "127.0.0.0/8": tests only; configuration refuses it in production. Errors: bad_value.
    Result<> allow(std::string_view network);
    void forbid_own(const asio::ip::address& address);
    bool permits(const asio::ip::address& address) const;

private:
    std::vector<asio::ip::network_v4> allowed_v4_;
    std::vector<asio::ip::network_v6> allowed_v6_;
    std::vector<asio::ip::address> own_;
};

// One look-up a domain at a time: callers that come meanwhile wait for the same answer. Single-threaded: belongs to one
// io_context. Failures are kept for a short time too, so that a broken domain costs one look-up a minute. Put a
// CachingResolver below it: domains share their MX hosts. Callers still waiting when it dies get Errc::cancelled.
class MxRoutes {
public:
    struct Options {
        std::size_t entries_max = 131'072; // domains; `penguin-bench scale` sends to 100,000
        std::size_t flights_max = 16'384;  // domains that are being looked up
        std::chrono::seconds ttl_min{60};
        std::chrono::seconds ttl_max{3600};
        std::chrono::seconds failure_ttl{60};
        std::chrono::seconds stale_while_refresh{60}; // past its time a route is given at once, and looked up beside
        std::chrono::seconds stale_if_error{86'400};  // past its time a route stands in for a look-up that failed
        std::chrono::seconds stale_retry{30};         // then the next look-up waits so long (RFC 8767 5)
        std::chrono::seconds deadline{20};            // a whole look-up: MX and every address
        std::function<SteadyTime()> now{&std::chrono::steady_clock::now};
    };
    MxRoutes(Resolver& resolver, TargetRule rule, Options options);
    MxRoutes(const MxRoutes&) = delete;
    MxRoutes& operator=(const MxRoutes&) = delete;
    ~MxRoutes();

    // Only a fresh answer; null when there is none.
    std::shared_ptr<const Result<Route>> cached(const DomainName& domain, SteadyTime now) const;
    // At once while what is kept is fresh or within stale_while_refresh; else after at most `deadline`.
    awaitable<std::shared_ptr<const Result<Route>>> find(DomainName domain);

private:
    struct State;
    std::shared_ptr<State> state_; // also held by look-ups under way
};

} // namespace penguin::dns
