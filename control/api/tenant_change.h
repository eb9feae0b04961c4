// control/api/tenant_change.h
// What POST and PATCH /v1/tenants ask for.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "control/api/answers.h"

namespace penguin::control::api {

struct TenantChange { // nothing: it stays as it is, or as it is by default
    std::optional<Uuid> id;
    std::optional<std::string> name;
    std::optional<double> weight;
    std::optional<std::string> pool;
    std::optional<std::string> status;
    std::optional<std::string> rate;
    std::optional<std::int64_t> monthly_quota;
};

std::expected<TenantChange, Problem> read_tenant_change(const Request& request, bool is_new);
// For the audit log.
json::object told_of(const TenantChange& change);

} // namespace penguin::control::api
