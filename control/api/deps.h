// control/api/deps.h
// What the API's handlers work with. The daemon builds it, and it outlives the server.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "control/auth/api_key.h"
#include "control/db/database.h"
#include "control/settings/rules_in_force.h"
#include "control/submit/acceptance.h"
#include "control/submit/reconciler.h"
#include "dkim/master_key.h"
#include "engine/base/metrics.h"
#include "engine/dns/resolver.h"

namespace penguin::control::api {

// How the DNS records of a tenant's domain are made.
struct DomainPolicy {
    std::string bounce_label = "bounce";   // return paths live at <label>.<domain>
    DomainName bounce_mx;                  // our host that takes bounces
    std::optional<DomainName> spf_include; // instead of naming each address
    std::optional<EmailAddress> dmarc_reports;
};

struct Health {
    bool ok = false;
    std::map<std::string, std::string> checks; // what was looked at -> "ok" or what is wrong
};

struct ApiDeps {
    db::Database& database; // as pm_api
    submit::Acceptance& acceptance;
    const dkim::MasterKey& master;
    dns::Resolver& resolver;       // without a cache of ours
    const RulesInForce& rules;     // of this node
    asio::any_io_executor workers; // threads for what takes 100 ms of CPU (RSA keys, rules)
    Registry& metrics;
    DomainPolicy domains;
    // Takes what of the batch is still queued out of the queue; gives how many messages that were.
    std::function<awaitable<Result<std::size_t>>(TenantId, BatchId)> cancel_batch;
    // Queues again what Redis has lost of a pool; `true`: a restored older database is accepted.
    std::function<awaitable<Result<submit::Reconciled>>(PoolName, bool)> reconcile;
    // How a tenant stands under its limits in its pool.
    std::function<awaitable<Result<queue::TenantStanding>>(PoolName, TenantId)> standing;
    std::function<void()> settings_may_have_changed; // after each call that is no GET and succeeded; cheap
    std::function<Health()> alive;
    std::function<Health()> ready;
};

} // namespace penguin::control::api
