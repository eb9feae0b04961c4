#include "control/api/routes.h"

namespace penguin::control::api {

void register_routes(http::Router& router, ApiDeps& deps)
{
    register_tenants(router, deps);
    register_api_keys(router, deps);
    register_pools(router, deps);
    register_sources(router, deps);
    register_warmup(router, deps);
    register_warmup_plans(router, deps);
    register_signals(router, deps);
    register_domains(router, deps);
    register_suppressions(router, deps);
    register_batches(router, deps);
    register_campaigns(router, deps);
    register_messages(router, deps);
    register_events(router, deps);
    register_inject(router, deps);
    register_queue(router, deps);
    register_pauses(router, deps);
    register_rules(router, deps);
    register_rule_trials(router, deps);
    register_audit(router, deps);
    register_operations(router, deps);
}

} // namespace penguin::control::api
