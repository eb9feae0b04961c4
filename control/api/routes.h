// control/api/routes.h
// Every route of the API. One file a resource; control/openapi.yaml describes them for clients and a test holds the two
// together.
#pragma once

#include "control/api/deps.h"
#include "control/http/router.h"

namespace penguin::control::api {

// `deps` must outlive the router.
void register_routes(http::Router& router, ApiDeps& deps);

// One for each resource, called by register_routes.
void register_tenants(http::Router& router, ApiDeps& deps);
void register_api_keys(http::Router& router, ApiDeps& deps);
void register_queue(http::Router& router, ApiDeps& deps);
void register_pools(http::Router& router, ApiDeps& deps);
void register_sources(http::Router& router, ApiDeps& deps);
void register_warmup(http::Router& router, ApiDeps& deps);
void register_warmup_plans(http::Router& router, ApiDeps& deps);
void register_signals(http::Router& router, ApiDeps& deps);
void register_domains(http::Router& router, ApiDeps& deps);
void register_pauses(http::Router& router, ApiDeps& deps);
void register_rules(http::Router& router, ApiDeps& deps);
void register_rule_trials(http::Router& router, ApiDeps& deps);
void register_suppressions(http::Router& router, ApiDeps& deps);
void register_batches(http::Router& router, ApiDeps& deps);
void register_campaigns(http::Router& router, ApiDeps& deps);
void register_messages(http::Router& router, ApiDeps& deps);
void register_events(http::Router& router, ApiDeps& deps);
void register_inject(http::Router& router, ApiDeps& deps);
void register_audit(http::Router& router, ApiDeps& deps);
void register_operations(http::Router& router, ApiDeps& deps);

} // namespace penguin::control::api
