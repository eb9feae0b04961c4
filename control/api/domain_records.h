// control/api/domain_records.h
// A tenant's domain as the stores have it, and the DNS set-up that follows from it.
//   errors  not_found, unavailable, timeout; bad_value of DomainName::parse when the bounce host would be too long
#pragma once

#include "control/api/answers.h"
#include "control/domains/dns_records.h"

namespace penguin::control::api {

struct StoredDomain {
    Uuid id;
    DomainName name;
    DomainName bounce_host;
    std::optional<WallTime> verified;
    WallTime created;
    std::vector<DkimRecord> keys; // active ones, oldest first
};

awaitable<Result<StoredDomain>> find_domain(ApiDeps& deps, TenantId tenant, DomainName name);
// Of the sources in the tenant's pool, on all nodes.
awaitable<Result<std::vector<asio::ip::address>>> sending_addresses(ApiDeps& deps, TenantId tenant);
DomainSetup setup_of(const ApiDeps& deps, const StoredDomain& domain, std::vector<asio::ip::address> addresses);

json::object shape_of(const StoredDomain& domain, const std::vector<DnsRecord>& records);
json::object shape_of(const DnsRecord& record);

} // namespace penguin::control::api
