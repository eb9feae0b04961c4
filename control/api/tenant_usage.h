// control/api/tenant_usage.h
// How a tenant stands under its limits, as GET /v1/tenants/{tenant} says it: what is used, and what holds its mail until when.
#pragma once

#include <boost/json/value.hpp>

#include "engine/queue/tenant_limits.h"

namespace penguin::control::api {

// Null without a limit in force.
boost::json::value usage_of(const queue::TenantStanding& standing);

} // namespace penguin::control::api
