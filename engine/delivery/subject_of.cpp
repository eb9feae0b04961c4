#include "engine/delivery/subject_of.h"

#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

namespace penguin::delivery {

std::string netblock_of(const boost::asio::ip::address& address)
{
    namespace ip = boost::asio::ip;
    if (address.is_v4()) return ip::make_network_v4(address.to_v4(), 24).canonical().to_string();
    return ip::make_network_v6(address.to_v6(), 64).canonical().to_string();
}

std::string_view provider_of(const dns::Route& route, const policy::RuleBook& rules)
{
    return route.hosts.empty() ? std::string_view{} : rules.provider_of(route.hosts.front().name.text());
}

policy::Subject subject_of(const Job& job, const policy::RuleBook& rules)
{
    const dns::Route& route = **job.route;
    const std::string_view provider = provider_of(route, rules);
    policy::Subject subject{.provider = provider.empty() ? std::string_view{route.site.value()} : provider,
                            .site = route.site.value(),
                            .source = job.source->address.to_string(),
                            .netblock = netblock_of(job.source->address),
                            .recipient_domain = job.entry.to.domain().text()};
    if (job.entry.from) subject.sender_domain = job.entry.from->domain().text();
    if (job.entry.campaign) subject.campaign = job.entry.campaign->value().text();
    return subject;
}

} // namespace penguin::delivery
