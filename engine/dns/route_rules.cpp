#include "engine/dns/route_rules.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <map>
#include <set>

#include <openssl/evp.h>

namespace penguin::dns {

namespace {

constexpr std::size_t kSiteHashOctets = 8;
constexpr std::size_t kSiteSuffixMax = kSiteTextMax - 1 - 2 * kSiteHashOctets; // octets

// "192.0.2.1" is made of legal labels, but no top-level domain is a number (RFC 3696 2).
bool is_host_name(const DomainName& name)
{
    const std::string& text = name.text();
    const auto last = text.substr(text.rfind('.') + 1); // npos + 1 is 0
    return !std::ranges::all_of(last, [](char c) { return c >= '0' && c <= '9'; });
}

// Usable names with their best preference, in the order of the answer.
std::vector<PlannedHost> usable_hosts(std::span<const MxRecord> records)
{
    std::vector<PlannedHost> hosts;
    std::map<DomainName, std::size_t> place;
    for (const MxRecord& record : records) {
        Result<DomainName> name =
            DomainName::parse_record_name(record.exchange); // some publish underscores; DNS has them
        if (!name || !is_host_name(*name)) continue;
        const auto [known, added] = place.emplace(*name, hosts.size());
        if (added)
            hosts.push_back({std::move(*name), record.preference});
        else
            hosts[known->second].preference = std::min(hosts[known->second].preference, record.preference);
    }
    return hosts;
}

// Best preference first, equal ones as they came. Over the bound the worst go; which of equal ones go must not depend
// on the order of this one answer.
std::vector<PlannedHost> in_order(std::vector<PlannedHost> hosts)
{
    std::vector<PlannedHost> ranked = hosts;
    std::ranges::sort(ranked, {}, [](const PlannedHost& host) { return std::pair{host.preference, host.name}; });
    std::set<DomainName> kept;
    for (std::size_t i = 0; i < ranked.size() && i < kHostsMax; ++i) kept.insert(ranked[i].name);

    std::vector<PlannedHost> ordered;
    for (PlannedHost& host : hosts) {
        if (!kept.contains(host.name)) continue;
        const auto place = std::ranges::upper_bound(ordered, host.preference, {}, &PlannedHost::preference);
        ordered.insert(place, std::move(host));
    }
    return ordered;
}

// The whole labels that all names end in, or the last labels of the first when they share none; cut to fit.
std::string common_suffix(const std::vector<std::string>& names)
{
    std::string suffix = names.front();
    const auto drop_label = [&] {
        const auto dot = suffix.find('.');
        suffix = dot == std::string::npos ? std::string{} : suffix.substr(dot + 1);
    };
    const auto shared = [&](const std::string& name) {
        return name == suffix || (name.ends_with(suffix) && name[name.size() - suffix.size() - 1] == '.');
    };
    while (!suffix.empty() && (suffix.size() > kSiteSuffixMax || !std::ranges::all_of(names, shared))) drop_label();
    if (!suffix.empty()) return suffix;
    suffix = names.front();
    while (suffix.size() > kSiteSuffixMax) drop_label();
    return suffix;
}

std::string short_hash(std::string_view text)
{
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string hex;
    for (std::size_t i = 0; i < kSiteHashOctets; ++i) {
        hex += kHex[digest[i] >> 4];
        hex += kHex[digest[i] & 15];
    }
    return hex;
}

// Adds what may be used of one answer; counts what may not.
void add_addresses(RouteHost& host, const Answer<asio::ip::address>& answer, const TargetRule& rule,
                   std::size_t& forbidden)
{
    for (const auto& address : answer.records) {
        if (!rule.permits(address)) {
            ++forbidden;
            continue;
        }
        const bool known = std::ranges::find(host.addresses, address) != host.addresses.end();
        if (!known && host.addresses.size() < kAddressesMax) host.addresses.push_back(address);
    }
}

} // namespace

Result<RoutePlan> plan_route(const DomainName& domain, const Answer<MxRecord>& mx)
{
    RoutePlan plan;
    plan.ttl = mx.ttl;
    if (mx.kind == Answer<MxRecord>::Kind::no_name) return fail(Errc::not_found, domain.text() + ": no such domain");
    if (mx.kind == Answer<MxRecord>::Kind::no_data) {
        plan.hosts.push_back({domain, 0});
        plan.site = site_of(plan.hosts);
        return plan;
    }
    plan.hosts = usable_hosts(mx.records);
    if (plan.hosts.empty()) {
        const bool null_mx = std::ranges::all_of(mx.records, [](const MxRecord& mx) { return mx.exchange.empty(); });
        if (null_mx) return fail(Errc::refused, domain.text() + ": takes no mail (null MX)");
        return fail(Errc::not_found, domain.text() + ": no MX record names a host");
    }
    plan.hosts = in_order(std::move(plan.hosts));
    plan.site = site_of(plan.hosts);
    return plan;
}

SiteName site_of(std::span<const PlannedHost> hosts)
{
    assert(!hosts.empty());
    std::vector<std::string> names;
    for (const PlannedHost& host : hosts) names.push_back(host.name.text());
    std::ranges::sort(names);
    std::string joined;
    for (const std::string& name : names) joined += (joined.empty() ? "" : ",") + name;
    if (joined.size() <= kSiteTextMax) return SiteName{std::move(joined)};
    return SiteName{common_suffix(names) + "~" + short_hash(joined)};
}

Result<Route> build_route(const DomainName& domain, const RoutePlan& plan, std::span<const HostAddresses> addresses,
                          const TargetRule& rule, const RouteTimes& times)
{
    assert(addresses.size() == plan.hosts.size());
    Route route{.domain = domain, .site = plan.site, .hosts = {}, .expires = times.now};
    auto ttl = plan.ttl;
    std::size_t forbidden = 0;
    const Error* failure = nullptr;
    for (std::size_t i = 0; i < plan.hosts.size(); ++i) {
        RouteHost host{.name = plan.hosts[i].name, .preference = plan.hosts[i].preference, .addresses = {}};
        for (const auto* answer : {&addresses[i].v4, &addresses[i].v6}) {
            if (!*answer) {
                failure = &answer->error();
                continue;
            }
            add_addresses(host, **answer, rule, forbidden);
            if (!(*answer)->records.empty()) ttl = std::min(ttl, (*answer)->ttl);
        }
        if (!host.addresses.empty()) route.hosts.push_back(std::move(host));
    }
    if (route.hosts.empty()) {
        if (failure != nullptr) return fail(*failure, domain.text() + ": no address of an MX host could be looked up");
        if (forbidden > 0)
            return fail(Errc::refused, domain.text() + ": every MX address is private, reserved or our own");
        return fail(Errc::not_found, domain.text() + ": no MX host has an address");
    }
    const auto kept = failure != nullptr ? times.failure_ttl : std::clamp(ttl, times.ttl_min, times.ttl_max);
    route.expires = times.now + kept;
    return route;
}

} // namespace penguin::dns
