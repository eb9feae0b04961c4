// control/api/new_domain.h
// Makes a domain with its DKIM keys: keys are made on the worker threads, sealed for their row, and written with the domain
// in one transaction.
//   errors  conflict (this tenant has the domain already), local_fault (OpenSSL), unavailable, timeout
#pragma once

#include "control/api/domain_records.h"

namespace penguin::control::api {

struct NewDomain {
    DomainName name;
    DomainName bounce_host;
    bool ed25519 = false; // a key of that kind as well
};

// For that request, which the audit log names.
awaitable<Result<StoredDomain>> make_domain(ApiDeps& deps, const Request& request, TenantId tenant, NewDomain wanted);

} // namespace penguin::control::api
