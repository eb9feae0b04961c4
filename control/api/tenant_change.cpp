#include "control/api/tenant_change.h"

#include <cmath>

#include "engine/queue/tenant_limits.h"

namespace penguin::control::api {

namespace {

constexpr double kWeightMin = 0.01;
constexpr double kWeightMax = 1000;

void read_limits(ObjectReader& body, TenantChange& change)
{
    constexpr http::TextRule rate_rule{.min = 1, .max = 32};
    if (const auto rate = body.optional_text("rate", rate_rule)) {
        const auto parsed = queue::TenantRate::parse(*rate);
        if (!parsed) body.issue("rate", "bad_format", parsed.error().detail);
        change.rate = *rate;
    }
    const auto quota = body.number("monthly_quota", -1, static_cast<double>(queue::kMonthlyQuotaMax));
    if (quota && *quota != std::floor(*quota)) body.issue("monthly_quota", "bad_value", "must be a whole number");
    if (quota) change.monthly_quota = static_cast<std::int64_t>(*quota);
}

} // namespace

std::expected<TenantChange, Problem> read_tenant_change(const Request& request, bool is_new)
{
    const auto document = http::parse_json(request.body);
    if (!document) return Refused{document.error()};
    const auto object = http::object_of(*document);
    if (!object) return Refused{object.error()};
    Issues issues;
    ObjectReader body{**object, issues};
    constexpr http::TextRule name_rule{.min = 1, .max = 200};
    TenantChange change;
    if (is_new) {
        change.id = body.optional_uuid("id");
        change.name = body.text("name", name_rule);
    } else if (const auto name = body.optional_text("name", name_rule)) {
        change.name = *name;
    }
    change.weight = body.number("weight", kWeightMin, kWeightMax);
    if (const auto pool = body.optional_text("pool", {.min = 1, .max = 32})) change.pool = *pool;
    if (const auto suspended = body.optional_boolean("suspended")) change.status = *suspended ? "suspended" : "active";
    read_limits(body, change);
    body.finish();
    if (!is_new && (*object)->empty()) issues.add("body", "required", "must change something");
    if (!issues.empty()) return Refused{std::move(issues).problem()};
    return change;
}

// The name of a tenant may be a person's: that it changed is said, not to what.
json::object told_of(const TenantChange& change)
{
    json::object detail;
    if (change.name) detail["named"] = true;
    if (change.weight) detail["weight"] = *change.weight;
    if (change.pool) detail["pool"] = *change.pool;
    if (change.status) detail["status"] = *change.status;
    if (change.rate) detail["rate"] = *change.rate;
    if (change.monthly_quota) detail["monthly_quota"] = *change.monthly_quota;
    return detail;
}

} // namespace penguin::control::api
