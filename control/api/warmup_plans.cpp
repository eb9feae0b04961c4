// GET /v1/warmup/plans
#include "control/api/answers.h"
#include "control/api/routes.h"
#include "engine/policy/warmup/plan.h"

namespace penguin::control::api {

namespace {

json::object shape(const policy::WarmupPlan& plan)
{
    json::object shares;
    for (const auto& [provider, share] : plan.shares) shares[provider] = share;
    json::object limits;
    for (const policy::WarmupSignal signal : policy::kWarmupSignals) {
        const policy::WarmupLimit& limit = plan.limit(signal);
        limits[policy::name_of(signal)] = {{"hold", limit.hold}, {"back", limit.back}, {"least", limit.least}};
    }
    return {{"name", plan.name},
            {"origin", plan.origin},
            {"verified", plan.verified},
            {"note", plan.note},
            {"caps", json::array(plan.caps.begin(), plan.caps.end())},
            {"ends", plan.ends},
            {"used_enough", plan.used_enough},
            {"hour_times", plan.hour_times},
            {"idle_days", plan.idle_most.count()},
            {"shares", std::move(shares)},
            {"limits", std::move(limits)}};
}

awaitable<Answer> list(ApiDeps&, const Request& request)
{
    Issues issues;
    QueryReader query{request, issues};
    query.finish();
    if (!issues.empty()) co_return Refused{std::move(issues).problem()};
    json::array data;
    for (const policy::WarmupPlan& plan : policy::shipped_warmup_plans()) data.emplace_back(shape(plan));
    co_return json_response(200, json::object{{"data", std::move(data)}});
}

} // namespace

void register_warmup_plans(Router& router, ApiDeps& deps)
{
    RouteAdder routes{router, deps, Audience::platform};
    routes.add(Method::get, "/v1/warmup/plans", "sources:read", list);
}

} // namespace penguin::control::api
