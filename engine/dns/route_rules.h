// engine/dns/route_rules.h
// How DNS answers become a Route. Pure; mx_routes.cpp asks the questions.
//
//   steps   plan_route: MX answer -> hosts and site; build_route: their addresses -> Route
//   source  RFC 5321 5.1 (order, implicit MX), RFC 7505 (null MX), RFC 2181 10.3 (MX names an alias: followed all the
//   same) errors  as mx_routes.h
#pragma once

#include <span>

#include "engine/dns/mx_routes.h"

namespace penguin::dns {

inline constexpr std::size_t kSiteTextMax = 64; // octets: a site is part of Redis keys, metric labels and log lines

struct PlannedHost {
    DomainName name;
    std::uint16_t preference = 0;
    friend bool operator==(const PlannedHost&, const PlannedHost&) = default;
};

struct RoutePlan {
    std::vector<PlannedHost>
        hosts; // at least one, at most kHostsMax, best preference first, equal ones as DNS gave them
    SiteName site;
    std::chrono::seconds ttl{0}; // of the MX answer
};

// A name that is no host name (an IP address, bad octets) is left out, a name that comes twice counts once with its
// best preference, and over kHostsMax the worst leave (among equals by name, so that the site does not change with the
// order). Errors: not_found (no such domain; MX records but none usable), refused (null MX).
Result<RoutePlan> plan_route(const DomainName& domain, const Answer<MxRecord>& mx);

// One host: its name. Several: the sorted names with commas between. When that is over kSiteTextMax octets:
// what the names end in, "~" and 64 bits of their SHA-256 in hex: "gmail-smtp-in.l.google.com~0f3a...".
SiteName site_of(std::span<const PlannedHost> hosts);

struct HostAddresses {
    Result<Answer<asio::ip::address>> v4;
    Result<Answer<asio::ip::address>> v6;
};

struct RouteTimes {
    SteadyTime now;
    std::chrono::seconds ttl_min;
    std::chrono::seconds ttl_max;
    std::chrono::seconds failure_ttl; // when part of the answers is missing
};

// `addresses` belongs to `plan.hosts`, one each. Hosts without a usable address are left out.
// Errors: refused (there are addresses, all forbidden by `rule`), not_found (no address), else what the look-ups failed
// with.
Result<Route> build_route(const DomainName& domain, const RoutePlan& plan, std::span<const HostAddresses> addresses,
                          const TargetRule& rule, const RouteTimes& times);

} // namespace penguin::dns
